import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileNameOf, runnerModule, wheelOf } from './runner-module';

const root = mkdtempSync(join(tmpdir(), 'runner-module-'));
const dir = join(root, 'jobs', 'runner');
const wheels = join(dir, 'wheels');
beforeAll(() => mkdirSync(wheels, { recursive: true }));
afterAll(() => rmSync(root, { recursive: true }));

test('the module is pinned in one place', () => {
  expect(runnerModule(join(__dirname, '..', 'jobs', 'runner'))).toMatch(/^duckdb==\d+\.\d+\.\d+$/);
  writeFileSync(join(dir, 'requirements.txt'), 'pyspark==3.5.6\n');
  expect(() => runnerModule(dir)).toThrow('requirements.txt does not pin duckdb');
});

test('a wheel is found by its version, and a missing one says how to get it', () => {
  writeFileSync(join(wheels, 'duckdb-1.5.5-cp311-cp311-manylinux_2_28_x86_64.whl'), 'old');
  expect(() => wheelOf(root, dir, 'duckdb==1.5.6')).toThrow(
    'jobs in a private network cannot fetch duckdb==1.5.6 from PyPI, and there is no wheel of it in jobs/runner/wheels; get it by: pip download duckdb==1.5.6 --no-deps',
  );
  const name = 'duckdb-1.5.6-cp311-cp311-manylinux_2_28_x86_64.whl';
  writeFileSync(join(wheels, name), 'new');
  const wheel = wheelOf(root, dir, 'duckdb==1.5.6');
  expect(Buffer.from(wheel.bytes).toString()).toBe('new');
  expect(wheel.path).toBe(`jobs/runner/wheels/${name}`);
  expect(fileNameOf(wheel)).toBe(name);
});
