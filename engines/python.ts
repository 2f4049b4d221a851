import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ROOT } from './root';

/** Where the repository keeps its Python, and what Spark needs. */
export const VENV = join(ROOT, '.venv');
const BIN = join(VENV, process.platform === 'win32' ? 'Scripts' : 'bin');
/** Glue's own first. Older ones have no build of what `jobs/runner/requirements.txt` pins, which is what Glue has. */
const VERSIONS = ['python3.13', 'python3.12', 'python3.11', 'python3', 'python'];

/** The repository's Python and its tools, by name. */
export const venvTool = (name: string) => join(BIN, name);

/** Runs a command in the repository: whether it went well, and everything that it printed. */
export function runTool(command: string, args: readonly string[]): { ok: boolean; text: string } {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8' });
  return { ok: status === 0, text: error ? String(error.message) : `${stdout}${stderr}` };
}

/** The first Python on the PATH of a version that fits. */
const findPython = () =>
  VERSIONS.find(
    (name) => runTool(name, ['-c', 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))']).ok,
  );

const lastLines = (text: string) => text.trim().split('\n').slice(-3).join('\n');

/**
 * Fills the repository's virtual environment with what a requirements file names, where it is not there yet. Gives
 * the reason where that does not work. `say` hears of a step that takes long.
 */
export function installPython(requirements: string, say: (text: string) => void): string | undefined {
  const wanted = readFileSync(join(ROOT, requirements), 'utf8');
  // A copy of the requirements that are installed.
  const stamp = join(VENV, 'installed', basename(requirements));
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return undefined;
  if (!runTool(venvTool('python'), ['--version']).ok) {
    const python = findPython();
    if (!python) return 'no Python 3.11, 3.12 or 3.13 on the PATH';
    const made = runTool(python, ['-m', 'venv', '--clear', VENV]);
    if (!made.ok) {
      const hint = /ensurepip/.test(made.text)
        ? 'this Python has no venv; on Debian and Ubuntu: sudo apt install python3-venv'
        : lastLines(made.text);
      return `.venv cannot be made: ${hint}`;
    }
  }
  say(`installing ${requirements} in .venv …`);
  const pip = ['-m', 'pip', '--disable-pip-version-check', '--timeout', '30', '--retries', '2'];
  const installed = runTool(venvTool('python'), [
    ...pip,
    'install',
    '--quiet',
    '--requirement',
    join(ROOT, requirements),
  ]);
  if (!installed.ok) return `pip cannot install ${requirements}:\n${lastLines(installed.text)}`;
  mkdirSync(join(VENV, 'installed'), { recursive: true });
  writeFileSync(stamp, wanted);
  return undefined;
}
