import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const present = existsSync('/proc/self/status');
if (!present) process.stderr.write('tests/memory.test.ts is skipped: there is no /proc/self/status\n');

const SOME = 200_000;
const MANY = 600_000;
/** What fewer lines do not fill: a row group that is written, V8's young generation. */
const BUFFERS = 48 << 20;

/** What the peak of a process is that lands so many bad lines. */
async function peakOf(lines: number): Promise<number> {
  // V8 lets garbage grow to the size of its young generation; what is kept is the question here.
  const node = ['--max-semi-space-size=1', '--require', './cli/typescript.js'];
  const args = [...node, join(__dirname, 'bad-lines.ts'), String(lines)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: join(__dirname, '..') });
  const { quarantined, peak } = JSON.parse(stdout) as { quarantined: number; peak: number };
  expect(quarantined).toBe(lines);
  return peak;
}

(present ? test : test.skip)('three times as many bad lines cost no more memory', async () => {
  const few = await peakOf(SOME);
  expect(few).toBeGreaterThan(32 << 20);
  expect(await peakOf(MANY)).toBeLessThan(1.25 * few + BUFFERS);
});
