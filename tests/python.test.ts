// The tests of the Python runner, which pytest runs.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { venvTool } from '../engines/python';
import { ROOT } from './support/lake';
import { hasDevelopmentTools } from './support/python';
import { sparkEnvironment, withSpark } from './support/spark';

(hasDevelopmentTools('tests of the Python runner') ? withSpark : describe.skip)('pytest', () => {
  test('all of its files, with one Spark', () => {
    const { status, stdout, stderr, error } = spawnSync(
      venvTool('python'),
      ['-m', 'pytest', '-q', '--color=no', '--disable-warnings', join('jobs', 'runner', 'tests')],
      { cwd: ROOT, encoding: 'utf8', env: sparkEnvironment(), timeout: 600_000, maxBuffer: 64 << 20 },
    );
    // What failed, as pytest tells it.
    if (status !== 0)
      throw new Error(`pytest ended with ${status}: ${error?.message ?? ''}\n${stdout}${stderr}`);
    expect(stdout).toMatch(/^\d+ passed(?:, \d+ warnings)? in /m);
  });
});
