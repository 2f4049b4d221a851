import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RUNNER } from '../engines/root';
import { fileNameOf, pinnedWheel, runnerModule, wheelOf } from './runner-module';

const MODULE = 'duckdb==1.5.6';
const NAME = 'duckdb-1.5.6-cp313-cp313-manylinux_2_28_x86_64.whl';

const root = mkdtempSync(join(tmpdir(), 'runner-module-'));
const dir = join(root, 'jobs', 'runner');
const wheels = join(dir, 'wheels');
beforeAll(() => mkdirSync(wheels, { recursive: true }));
afterAll(() => rmSync(root, { recursive: true }));

const pin = (name: string) =>
  writeFileSync(
    join(dir, 'wheels.sha256'),
    `${createHash('sha256').update('the wheel').digest('hex')}  ${name}\n`,
  );

test('the module is pinned in one place', () => {
  expect(runnerModule(RUNNER)).toMatch(/^duckdb==\d+\.\d+\.\d+$/);
  writeFileSync(join(dir, 'requirements.txt'), 'pyspark==4.1.1\n');
  expect(() => runnerModule(dir)).toThrow('requirements.txt does not pin duckdb');
});

test("the module's wheel is pinned too, for the Python of Glue", () => {
  expect(pinnedWheel(RUNNER, runnerModule(RUNNER))).toEqual({
    name: expect.stringMatching(/-cp313-.*x86_64\.whl$/),
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  pin('duckdb-1.5.6-cp311-cp311-manylinux_2_28_x86_64.whl');
  expect(() => wheelOf(root, dir, MODULE)).toThrow("pins no wheel of duckdb==1.5.6 for Glue's Python 3.13");
  pin(NAME.replace('1.5.6', '1.5.5'));
  expect(() => wheelOf(root, dir, MODULE)).toThrow('pins no wheel of duckdb==1.5.6');
});

test('a wheel is the pinned one, and a missing or another one says how to get it', () => {
  pin(NAME);
  const how =
    /get it by: pip download duckdb==1\.5\.6 --no-deps --only-binary :all: --python-version 3\.13 .* --dest jobs\/runner\/wheels$/;
  expect(() => wheelOf(root, dir, MODULE)).toThrow(
    `jobs in a private network cannot fetch duckdb==1.5.6 from PyPI, and there is no jobs/runner/wheels/${NAME}; `,
  );
  expect(() => wheelOf(root, dir, MODULE)).toThrow(how);
  writeFileSync(join(wheels, NAME), 'another wheel');
  expect(() => wheelOf(root, dir, MODULE)).toThrow(
    / has the SHA-256 [0-9a-f]{64}, and .*wheels\.sha256 pins /,
  );
  expect(() => wheelOf(root, dir, MODULE)).toThrow(how);
  writeFileSync(join(wheels, NAME), 'the wheel');
  const wheel = wheelOf(root, dir, MODULE);
  expect(Buffer.from(wheel.bytes).toString()).toBe('the wheel');
  expect(wheel.path).toBe(`jobs/runner/wheels/${NAME}`);
  expect(fileNameOf(wheel)).toBe(NAME);
});
