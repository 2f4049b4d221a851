// The Pulumi CLI that tests run, with its engine: the one on PATH, or one built here from its Go module, once.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { installPython, venvTool } from '../../engines/python';
import { ROOT } from '../../engines/root';

const MODULE = join(ROOT, 'tests', 'pulumi');
const HOST = 'pulumi-language-nodejs';

/** Runs Go in the module: without a C compiler, and without fetching another Go. */
const runGo = (go: string, args: readonly string[]) =>
  spawnSync(go, args, {
    cwd: MODULE,
    encoding: 'utf8',
    env: { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local' },
  });

/** A Go that is new enough to read go.mod, which Debian's is not; PyPI's where there is none. */
function findGo(): string {
  const found = ['go', '/usr/local/go/bin/go'].find((go) => runGo(go, ['list', '-m']).status === 0);
  if (found !== undefined) return found;
  const missing = installPython('tests/pulumi/requirements-go.txt', say);
  if (missing !== undefined) throw new Error(`no Pulumi CLI on PATH, and no Go to build one: ${missing}`);
  return venvTool('go');
}

/** Builds the CLI into a folder, with a host beside it, which is where it looks for one. */
function build(folder: string) {
  const go = findGo();
  say('building the Pulumi CLI in .tools, once; it takes some minutes …');
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  try {
    const program = 'github.com/pulumi/pulumi/pkg/v3/cmd/pulumi';
    const { status, stderr, error } = runGo(go, ['build', '-o', join(unfinished, 'pulumi'), program]);
    if (status !== 0) {
      const why = error?.message ?? stderr.trim().split('\n').slice(-3).join('\n');
      throw new Error(`Go cannot build the Pulumi CLI:\n${why}`);
    }
    const host = "#!/usr/bin/env node\nrequire('../../tests/pulumi/language-host.js');\n";
    writeFileSync(join(unfinished, HOST), host, { mode: 0o755 });
    renameSync(unfinished, folder);
  } catch (error) {
    // Another process may have been faster.
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** The folder of the Pulumi CLI and its host for Node. */
export function findPulumi(): string {
  const onPath = (process.env.PATH ?? '')
    .split(delimiter)
    .find((folder) => ['pulumi', HOST].every((name) => existsSync(join(folder, name))));
  if (onPath !== undefined) return onPath;
  const [, version] = /pulumi\/pkg\/v3 v(\S+)/.exec(readFileSync(join(MODULE, 'go.mod'), 'utf8')) ?? [];
  const folder = join(ROOT, '.tools', `pulumi-${version}`);
  if (!existsSync(folder)) build(folder);
  return folder;
}

/** The same; where there is none, what needs it is skipped, and in CI it fails. */
export function pulumiOrSkip(): string | undefined {
  try {
    return findPulumi();
  } catch (error) {
    if (process.env.CI === 'true') throw error;
    say(`what runs the Pulumi program is skipped: ${(error as Error).message}`);
    return undefined;
  }
}

const say = (text: string) => process.stderr.write(`${text}\n`);
