// The Python of the repository, with the runner's package, in tests.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { installPython } from '../../engines/python';
import { RUNNER } from '../../engines/root';
import { ROOT } from './lake';

/** The one that npm run lint:python sets up. */
export const PYTHON = join(
  ROOT,
  '.venv',
  ...(process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python']),
);

function isMissing(): boolean {
  if (existsSync(PYTHON)) return false;
  const reason = `there is no ${PYTHON}; npm run lint:python makes it`;
  if (process.env.CI === 'true') throw new Error(reason);
  process.stderr.write(`tests of the Python runner are skipped: ${reason}\n`);
  return true;
}

/** `describe` for tests that run Python; without one they are skipped, and in CI they fail. */
export const withPython = isMissing() ? describe.skip : describe;

/** What a Python program prints. `path` is where it finds packages besides Python's own. */
export function python(program: string, { input = '', path = RUNNER } = {}): string {
  const { status, stdout, stderr, error } = spawnSync(PYTHON, ['-c', program], {
    input,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, PYTHONPATH: path, PYTHONDONTWRITEBYTECODE: '1', PYTHONUTF8: '1' },
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`Python ended with ${status}: ${error?.message ?? stderr}`);
  return stdout;
}

/** Whether pytest and moto are here, installed where they are missing; if not, it is said, and fails in CI. */
export function hasDevelopmentTools(what: string): boolean {
  const missing = installPython('requirements-dev.txt', (text) => process.stderr.write(`${text}\n`));
  if (missing === undefined) return true;
  if (process.env.CI === 'true') throw new Error(missing);
  process.stderr.write(`${what} are skipped: ${missing}\n`);
  return false;
}
