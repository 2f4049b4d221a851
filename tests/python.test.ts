// The tests of the Python runner, which pytest runs.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { venvTool } from '../engines/spark/python';
import { ROOT } from './support/lake';
import { hasDevelopmentTools } from './support/python';
import { sparkEnvironment, withSpark } from './support/spark';

const TESTS = join('jobs', 'runner', 'tests');
const files = readdirSync(join(ROOT, TESTS)).filter((name) => /^test_.*\.py$/.test(name));

(hasDevelopmentTools('tests of the Python runner') ? withSpark : describe.skip)('pytest', () => {
  test.each(files)('%s', (file) => {
    const { status, stdout, stderr, error } = spawnSync(
      venvTool('python'),
      ['-m', 'pytest', '-q', '--color=no', '--disable-warnings', join(TESTS, file)],
      { cwd: ROOT, encoding: 'utf8', env: sparkEnvironment(), timeout: 240_000 },
    );
    // What failed, as pytest tells it.
    if (status !== 0)
      throw new Error(`pytest ended with ${status}: ${error?.message ?? ''}\n${stdout}${stderr}`);
    expect(stdout).toMatch(/^\d+ passed(?:, \d+ warnings)? in /m);
  });
});
