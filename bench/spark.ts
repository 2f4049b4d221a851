import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { RunSummary } from '../engines/engine';
import { venvTool } from '../engines/spark/python';
import { readySpark } from '../engines/spark/runner';
import { copiesOf, warm } from './copies';
import { timed } from './measure';
import { type Counts, differences, type Figure, figure, layout } from './report';
import { skewedOf } from './skew';
import { BENCH, inFreshFolder, sourceOf } from './source';

const ROOT = resolve(__dirname, '..');
const USAGE = `npm run bench:spark -- [--copies 100] [--data DIR]

Times \`lake run --engine spark\` beside the course's scripts in plain PySpark, on copies of the data, each once and in
turn, both with 4 GB of driver memory; and on data in which one serial number owns half of all readings.
Exits with 1 where a limit is not met or the two sides write different numbers of rows.
`;

/** What the project promises: times the plain scripts, and times the even data. */
const LIMITS = { ratio: 0.75, skew: 1.5 };

const say = (text: string) => process.stdout.write(`${text}\n`);
const tell = (text: string) => process.stderr.write(`${text}\n`);

interface Side {
  readonly seconds: number;
  readonly counts: Counts;
}

const runLake = (data: string): Promise<Side> =>
  inFreshFolder(async (lake) => {
    const cli = join(ROOT, 'cli', 'lake.js');
    const args = [cli, 'run', '--engine', 'spark', '--data', data, '--lake', lake, '--json'];
    const { seconds, stdout } = await timed(process.execPath, args);
    const { tables } = JSON.parse(stdout) as RunSummary;
    return {
      seconds,
      counts: Object.fromEntries(tables.flatMap((t) => (t.job ? [[t.table, t.written]] : []))),
    };
  });

const runPlain = (data: string): Promise<Side> =>
  inFreshFolder(async (out) => {
    const args = [join(__dirname, 'plain_spark.py'), data, join(out, 'json')];
    const { seconds, stdout } = await timed(venvTool('python'), args);
    return { seconds, counts: (JSON.parse(stdout) as { rows: Counts }).rows };
  });

async function bench(copies: number, data: string | undefined): Promise<boolean> {
  await mkdir(BENCH, { recursive: true });
  readySpark(tell);
  const source = await sourceOf(data, say);
  const even = await copiesOf(source, copies, BENCH);
  const skewed = await skewedOf(source, copies, BENCH);
  tell(`${copies} copies: ${Math.round((await warm(even)) / 1e6)} MB`);
  const plain = await runPlain(even);
  tell(`plain PySpark: ${plain.seconds.toFixed(1)} s`);
  const ours = await runLake(even);
  tell(`lake run --engine spark: ${ours.seconds.toFixed(1)} s`);
  const different = differences(ours.counts, plain.counts);
  if (different.length > 0) throw new Error(different.join('\n'));
  await warm(skewed);
  const leaning = await runLake(skewed);
  const judged = (value: number, limit: number) => figure(value, 'times', copies === 100 ? limit : undefined);
  const ratio = judged(ours.seconds / plain.seconds, LIMITS.ratio);
  const skew = judged(leaning.seconds / ours.seconds, LIMITS.skew);
  const seconds = (side: Side): Figure => figure(side.seconds, 's');
  say(
    layout([
      ['', `${copies} copies`],
      ['plain PySpark', seconds(plain)],
      ['lake run --engine spark', seconds(ours)],
      ['  ratio', ratio],
      ['one serial number owns half', seconds(leaning)],
      ['  ratio to the even data', skew],
    ]),
  );
  return ratio.ok && skew.ok;
}

async function main(): Promise<number> {
  try {
    const { values } = parseArgs({
      options: {
        copies: { type: 'string', default: '100' },
        data: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    const copies = Number(values.copies);
    if (values.help || !Number.isInteger(copies) || copies < 1) {
      process.stdout.write(USAGE);
      return values.help ? 0 : 2;
    }
    return (await bench(copies, values.data)) ? 0 : 1;
  } catch (error) {
    tell((error as Error).message);
    return 1;
  }
}

main().then((status) => {
  process.exitCode = status;
});
