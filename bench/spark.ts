import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { timed } from './measure';
import { type Cost, figure, type Row } from './report';

const ROOT = join(__dirname, '..');

/** Pairing by time alone writes 10,000 times the rows on 100 copies: 70 GB. */
const MOST_COPIES = 10;

/** A Python that has PySpark: `$PYTHON` if set, else the repository's environment, else the system's. */
export async function pythonWithSpark(): Promise<string | undefined> {
  const own = join(ROOT, '.venv', 'bin', 'python');
  const candidates = process.env.PYTHON
    ? [process.env.PYTHON]
    : [...(existsSync(own) ? [own] : []), 'python3'];
  for (const python of candidates) {
    const found = await timed(python, ['-c', 'import pyspark']).catch(() => undefined);
    if (found) return python;
  }
  return undefined;
}

/** One run of the course's scripts, or nothing where the copies are too many for them. */
export async function runSpark(
  python: string,
  copies: number,
  data: string,
  out: string,
): Promise<Partial<Cost> | undefined> {
  if (copies > MOST_COPIES) return undefined;
  const { seconds, stdout } = await timed(python, [join(__dirname, 'plain_spark.py'), data, out]);
  const { peakBytes } = JSON.parse(stdout) as { peakBytes: number | null };
  return { seconds, ...(peakBytes !== null && { peakBytes }) };
}

/** The rows that tell of it: one cost for each number of copies. */
export function sparkRows(costs: readonly (Partial<Cost> | undefined)[]): Row[] {
  const cell = (value: number | undefined, unit: 's' | 'bytes') =>
    value === undefined ? '–' : figure(value, unit);
  return [
    ['PySpark, time', ...costs.map((cost) => cell(cost?.seconds, 's')), '–'],
    ['PySpark, peak memory', ...costs.map((cost) => cell(cost?.peakBytes, 'bytes')), '–'],
  ];
}

export const SPARK_NOTE = `PySpark runs once, and on ${MOST_COPIES} copies at most: it pairs by time alone, so its last table grows with the square.`;
