import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { venvTool } from '../engines/python';
import { readySpark } from '../engines/spark/runner';
import { copiesOf, warm } from './copies';
import { runLake } from './lake';
import { timed } from './measure';
import { allKept, type Counts, differences, figure, layout, type Row, spellingRows } from './report';
import { skewedOf } from './skew';
import { BENCH, inFreshFolder, sourceOf } from './source';
import { requireSame, type SpellingName, spelledOf } from './spellings';

const USAGE = `npm run bench:spark -- [--copies 100] [--spelled 20] [--data DIR]

Times \`lake run --engine spark\` beside the course's scripts in plain PySpark, on copies of the data, each once and in
turn, both with 4 GB of driver memory; on data in which one serial number owns half of all readings; and on so many
copies in other spellings, beside the plain one (--spelled 0: not).
Exits with 1 where a limit is not met or the two sides write different numbers of rows.
`;

/** What the project promises: times the plain scripts, times the even data, and times the plain spelling. */
const LIMITS = { ratio: 0.75, skew: 1.5, spelling: 1.3 };
const SPELLED: readonly SpellingName[] = ['order, further key, alias', '1 % of bad lines'];

const say = (text: string) => process.stdout.write(`${text}\n`);
const tell = (text: string) => process.stderr.write(`${text}\n`);

interface Side {
  readonly seconds: number;
  readonly counts: Counts;
}

const runOurs = (data: string) => runLake(data, '--engine', 'spark');

const runPlain = (data: string): Promise<Side> =>
  inFreshFolder(async (out) => {
    const args = [join(__dirname, 'plain_spark.py'), data, join(out, 'json')];
    const { seconds, stdout } = await timed(venvTool('python'), args);
    return { seconds, counts: (JSON.parse(stdout) as { rows: Counts }).rows };
  });

async function copiesTable(source: string, copies: number): Promise<Row[]> {
  const even = await copiesOf(source, copies, BENCH);
  const skewed = await skewedOf(source, copies, BENCH);
  tell(`${copies} copies: ${Math.round((await warm(even)) / 1e6)} MB`);
  const plain = await runPlain(even);
  tell(`plain PySpark: ${plain.seconds.toFixed(1)} s`);
  const ours = await runOurs(even);
  tell(`lake run --engine spark: ${ours.seconds.toFixed(1)} s`);
  const different = differences(ours.counts, plain.counts, 'plain PySpark');
  if (different.length > 0) throw new Error(different.join('\n'));
  await warm(skewed);
  const leaning = await runOurs(skewed);
  const judged = (value: number, limit: number) => figure(value, 'times', copies === 100 ? limit : undefined);
  return [
    ['', `${copies} copies`],
    ['plain PySpark', figure(plain.seconds, 's')],
    ['lake run --engine spark', figure(ours.seconds, 's')],
    ['  ratio', judged(ours.seconds / plain.seconds, LIMITS.ratio)],
    ['one serial number owns half', figure(leaning.seconds, 's')],
    ['  ratio to the even data', judged(leaning.seconds / ours.seconds, LIMITS.skew)],
  ];
}

async function spellingsTable(source: string, copies: number): Promise<Row[]> {
  const data = await copiesOf(source, copies, BENCH);
  await warm(data);
  const plain = await runOurs(data);
  tell(`${copies} copies, plain spelling: ${plain.seconds.toFixed(1)} s`);
  const seconds: Record<string, number> = {};
  for (const name of SPELLED) {
    const dir = await spelledOf(data, name);
    await warm(dir);
    const spelled = await runOurs(dir);
    tell(`${copies} copies, ${name}: ${spelled.seconds.toFixed(1)} s`);
    requireSame(name, spelled, plain);
    seconds[name] = spelled.seconds;
  }
  return [
    [`spellings, ${copies} copies`, 'lake run', 'ratio to the plain spelling'],
    ...spellingRows(plain.seconds, seconds, LIMITS.spelling),
  ];
}

async function bench(copies: number, spelled: number, data: string | undefined): Promise<boolean> {
  await mkdir(BENCH, { recursive: true });
  readySpark(tell);
  const source = await sourceOf(data, say);
  const tables = [await copiesTable(source, copies)];
  if (spelled > 0) tables.push(await spellingsTable(source, spelled));
  say(tables.map(layout).join('\n\n'));
  return tables.every(allKept);
}

async function main(): Promise<number> {
  try {
    const { values } = parseArgs({
      options: {
        copies: { type: 'string', default: '100' },
        spelled: { type: 'string', default: '20' },
        data: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    const [copies, spelled] = [Number(values.copies), Number(values.spelled)];
    const isWhole = (value: number, min: number) => Number.isInteger(value) && value >= min;
    if (values.help || !isWhole(copies, 1) || !isWhole(spelled, 0)) {
      process.stdout.write(USAGE);
      return values.help ? 0 : 2;
    }
    return (await bench(copies, spelled, values.data)) ? 0 : 1;
  } catch (error) {
    tell((error as Error).message);
    return 1;
  }
}

main().then((status) => {
  process.exitCode = status;
});
