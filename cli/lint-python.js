// Checks the repository's Python with ruff and mypy, which it keeps in .venv, at the versions of
// requirements-dev.txt. Where they cannot be had it says why and passes, because nothing else here needs Python; in CI
// it fails instead.
const { spawnSync } = require('node:child_process');
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const ROOT = join(__dirname, '..');
const VENV = join(ROOT, '.venv');
const BIN = join(VENV, process.platform === 'win32' ? 'Scripts' : 'bin');
const REQUIREMENTS = join(ROOT, 'requirements-dev.txt');
// A copy of the requirements that are installed.
const STAMP = join(VENV, 'installed.txt');

const CHECKS = [
  ['ruff', 'check', '.'],
  ['ruff', 'format', '--check', '.'],
  ['mypy', '.'],
];

const say = (text) => process.stdout.write(`${text.trimEnd()}\n`);

/** Runs a command in the repository: whether it went well, and everything that it printed. */
function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8' });
  return { ok: status === 0, text: error ? String(error.message) : `${stdout}${stderr}` };
}

/** The first Python on the PATH that is new enough. */
const findPython = () =>
  ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python'].find(
    (name) => run(name, ['-c', 'import sys; sys.exit(sys.version_info < (3, 11))']).ok,
  );

const lastLines = (text) => text.trim().split('\n').slice(-3).join('\n');

/** Fills .venv where the requirements are not installed yet. Gives the reason where that does not work. */
function setUp() {
  const wanted = readFileSync(REQUIREMENTS, 'utf8');
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return undefined;
  const python = findPython();
  if (!python) return 'no Python 3.11 or newer on the PATH';

  say('setting up ruff and mypy in .venv …');
  const made = run(python, ['-m', 'venv', VENV]);
  if (!made.ok) {
    const hint = /ensurepip/.test(made.text)
      ? 'this Python has no venv; on Debian and Ubuntu: sudo apt install python3-venv'
      : lastLines(made.text);
    return `.venv cannot be made: ${hint}`;
  }
  const pip = ['-m', 'pip', '--disable-pip-version-check', '--timeout', '10', '--retries', '1'];
  const installed = run(join(BIN, 'python'), [...pip, 'install', '--quiet', '--requirement', REQUIREMENTS]);
  if (!installed.ok) return `pip cannot install requirements-dev.txt:\n${lastLines(installed.text)}`;
  writeFileSync(STAMP, wanted);
  return undefined;
}

function main() {
  const missing = setUp();
  if (missing) {
    const inCi = process.env.CI === 'true';
    say(`python checks ${inCi ? 'failed' : 'skipped'}: ${missing}`);
    return inCi ? 1 : 0;
  }
  const failed = CHECKS.filter(([tool, ...args]) => {
    const { ok, text } = run(join(BIN, tool), args);
    if (!ok) say(`${[tool, ...args].join(' ')}\n${text}`);
    return !ok;
  });
  if (failed.length > 0) return 1;
  say('python checks: ruff and mypy find nothing');
  return 0;
}

process.exitCode = main();
