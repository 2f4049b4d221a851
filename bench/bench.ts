import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { RunSummary } from '../engines/engine';
import { copiesOf, warm } from './copies';
import { type Measured, measureNode } from './measure';
import {
  allKept,
  type Comparison,
  type Cost,
  type Counts,
  differences,
  layout,
  median,
  rowsOf,
} from './report';
import { BENCH, inFreshFolder, sourceOf } from './source';

const ROOT = resolve(__dirname, '..');

const USAGE = `npm run bench -- [--copies 1,10,100] [--runs N] [--data DIR]

Times \`lake run\` beside the same transforms as plain DuckDB SQL, on copies of the data, and prints a table.
  --copies  on how many copies (default 1,10,100)
  --runs    runs of each side (default 5 on one copy, 3 on more); the table shows medians
  --data    folder with <entity>/landing/*.json (default ../shared/data/stedi, else a generated sample)
Exits with 1 where a limit is not met or the two sides write different numbers of rows.
`;

const say = (text: string) => process.stdout.write(`${text}\n`);
const tell = (text: string) => process.stderr.write(`${text}\n`);

interface Options {
  readonly copies: readonly number[];
  readonly runs: number | undefined;
  readonly data: string | undefined;
}

/** Throws an Error that says what is wrong with the call. */
function optionsOf(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      copies: { type: 'string', default: '1,10,100' },
      runs: { type: 'string' },
      data: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return 'help';
  const whole = (name: string, text: string) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1) throw new Error(`--${name}: "${text}" is no number from 1 up`);
    return value;
  };
  return {
    copies: values.copies.split(',').map((text) => whole('copies', text)),
    runs: values.runs === undefined ? undefined : whole('runs', values.runs),
    data: values.data,
  };
}

interface Side extends Measured {
  readonly counts: Counts;
}

const runOurs = (data: string): Promise<Side> =>
  inFreshFolder(async (lake) => {
    const args = [join(ROOT, 'cli', 'lake.js'), 'run', '--data', data, '--lake', lake, '--json'];
    const measured = await measureNode(args);
    const { tables } = JSON.parse(measured.stdout) as RunSummary;
    return { ...measured, counts: Object.fromEntries(tables.map((t) => [t.table, t.written])) };
  });

const runPlain = (data: string): Promise<Side> =>
  inFreshFolder(async (out) => {
    const measured = await measureNode([join(__dirname, 'plain.cjs'), data, out]);
    return { ...measured, counts: JSON.parse(measured.stdout) as Counts };
  });

const medianCost = (runs: readonly Measured[]): Cost => ({
  seconds: median(runs.map((r) => r.seconds)),
  peakBytes: median(runs.map((r) => r.peakBytes)),
});

/** Runs both sides in turn, so that a busy minute of the machine hits both. Throws where their rows differ. */
async function compare(data: string, copies: number, runs: number): Promise<Comparison> {
  const ours: Side[] = [];
  const plain: Side[] = [];
  for (let run = 1; run <= runs; run++) {
    const [a, b] = [await runOurs(data), await runPlain(data)];
    const different = differences(a.counts, b.counts);
    if (different.length > 0) throw new Error(different.join('\n'));
    tell(
      `copies ${copies}, run ${run} of ${runs}: lake ${a.seconds.toFixed(2)} s, plain ${b.seconds.toFixed(2)} s`,
    );
    ours.push(a);
    plain.push(b);
  }
  return { copies, ours: medianCost(ours), plain: medianCost(plain) };
}

async function bench({ copies, runs, data }: Options): Promise<boolean> {
  await mkdir(BENCH, { recursive: true });
  const source = await sourceOf(data, say);
  const comparisons: Comparison[] = [];
  for (const count of copies) {
    const dir = await copiesOf(source, count, BENCH);
    tell(`copies ${count}: ${Math.round((await warm(dir)) / 1e6)} MB`);
    comparisons.push(await compare(dir, count, runs ?? (count === 1 ? 5 : 3)));
  }
  const rows = rowsOf(comparisons);
  say(layout(rows));
  return allKept(rows);
}

async function main(): Promise<number> {
  let options: Options | 'help';
  try {
    options = optionsOf(process.argv.slice(2));
  } catch (error) {
    tell(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  if (options === 'help') {
    process.stdout.write(USAGE);
    return 0;
  }
  try {
    return (await bench(options)) ? 0 : 1;
  } catch (error) {
    tell((error as Error).message);
    return 1;
  }
}

main().then((status) => {
  process.exitCode = status;
});
