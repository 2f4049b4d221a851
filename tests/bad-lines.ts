import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDbEngine } from '../engines/duckdb/engine';
import { lake } from '../pipeline';

const LINES_A_CHUNK = 1000;

/**
 * For tests/memory.test.ts, in a process of its own: lands a file of so many bad lines, and prints how many were
 * quarantined and the peak of the process's memory in bytes.
 */
async function main(lines: number) {
  const dir = mkdtempSync(join(tmpdir(), 'bad-lines-'));
  try {
    const landing = join(dir, 'data', 'customer', 'landing');
    mkdirSync(landing, { recursive: true });
    const file = openSync(join(landing, 'bad.json'), 'w');
    for (let i = 0; i < lines; i += LINES_A_CHUNK) {
      const chunk = Array.from({ length: Math.min(LINES_A_CHUNK, lines - i) }, (_, j) => badLine(i + j));
      writeSync(file, chunk.join(''));
    }
    closeSync(file);
    const engine = new DuckDbEngine({ lake: join(dir, 'lake'), jobs: join(__dirname, '..', 'jobs') });
    const request = { data: join(dir, 'data'), only: ['customer_trusted'] };
    const { summary } = await engine.run(lake, request);
    const { quarantined } = summary.tables.find(({ table }) => table === 'customer_landing') ?? {};
    const peak = Number(/VmHWM:\s*(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;
    process.stdout.write(JSON.stringify({ quarantined, peak }));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Each kind in its turn, and each line unlike all others. The one that is cut off ends where the next record begins. */
const badLine = (i: number) =>
  [
    `{"customerName":"customer number ${i}","email":"${'e'.repeat(100)}${i}@example.com"}\n`,
    `customer number ${i};${'e'.repeat(100)}${i}@example.com\n`,
    `{"customerName":"customer number ${i}","email":"${'e'.repeat(100)}${i}\n`,
  ][i % 3] as string;

main(Number(process.argv[2]));
