import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryDir } from './support/lake';

const dir = temporaryDir('bad-lines');

test('of 100 MB of bad lines, Node and DuckDB keep no more than a batch', async () => {
  const program = ['--expose-gc', '--require', './cli/typescript.js', join(__dirname, 'bad-lines.ts')];
  const cwd = join(__dirname, '..');
  const { stdout } = await promisify(execFile)(process.execPath, [...program, dir], { cwd });
  const { quarantined, node, duckdb } = JSON.parse(stdout);
  expect(quarantined).toBe(300_000);
  // Measured: 61 to 78 MB, and 202 to 215 MB of the lines that are judged together. All lines would be 95 MB more.
  expect(node).toBeLessThan(110e6);
  expect(duckdb).toBeGreaterThan(0);
  expect(duckdb).toBeLessThan(265e6);
});
