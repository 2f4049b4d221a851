import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { copiesOf, warm } from './copies';
import { increment } from './increment';
import { runLake } from './lake';
import { type Measured, measureNode } from './measure';
import { namesUnder } from './names';
import {
  allKept,
  type Comparison,
  type Cost,
  type Counts,
  differences,
  incrementRows,
  LIMITS,
  layout,
  median,
  nameRows,
  type Row,
  rowsOf,
  sampleRows,
  spellingRows,
} from './report';
import { writtenSampleUnder } from './sample';
import { BENCH, inFreshFolder, sourceOf } from './source';
import { requireSame, SPELLINGS, type SpellingName, spelledOf, type Volume } from './spellings';

const USAGE = `npm run bench -- [--copies 1,20,100] [--spelled 20] [--customers 200000] [--names 150000] [--more 100] [--runs N] [--data DIR]

Times \`lake run\` beside the same transforms as plain DuckDB SQL, and prints tables:
- on copies of the data;
- on copies in other spellings, beside the plain one;
- on a sample as the sources write it, with aliases, .gz files, trailing commas and 0.1 % of faults, beside plain SQL
  that leaves out what it can't read (a third of the rows);
- on records that share few e-mails and serial numbers, beside as many of distinct ones;
- on copies of the data to which nothing, and then one more, comes.
  --copies     on how many copies (default 1,20,100; 0 for no such table)
  --spelled    how many copies in other spellings (default 20; 0 for no such table)
  --customers  customers of the sample (default 200000; 0 for no such table)
  --names      records of each source that share names (default 150000; 0 for no such table)
  --more       copies to which one more comes (default 100; 0 for no such table)
  --runs       runs of each side (default 5 on one copy, else 3); the tables show medians
  --data       folder with <entity>/landing/*.json (default ../shared/data/stedi, else a generated sample)
Exits with 1 where a limit is not met or the two sides write different numbers of rows.
`;

const say = (text: string) => process.stdout.write(`${text}\n`);
const tell = (text: string) => process.stderr.write(`${text}\n`);

interface Options {
  readonly copies: readonly number[];
  readonly spelled: number;
  readonly customers: number;
  readonly names: number;
  readonly more: number;
  readonly runs: number | undefined;
  readonly data: string | undefined;
}

/** Throws an Error that says what is wrong with the call. */
function optionsOf(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      copies: { type: 'string', default: '1,20,100' },
      spelled: { type: 'string', default: '20' },
      customers: { type: 'string', default: '200000' },
      names: { type: 'string', default: '150000' },
      more: { type: 'string', default: '100' },
      runs: { type: 'string' },
      data: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return 'help';
  const whole = (name: string, text: string, min = 0) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < min)
      throw new Error(`--${name}: "${text}" is no number from ${min} up`);
    return value;
  };
  const copies = values.copies === '0' ? [] : values.copies.split(',');
  return {
    copies: copies.map((text) => whole('copies', text, 1)),
    spelled: whole('spelled', values.spelled),
    customers: whole('customers', values.customers),
    names: whole('names', values.names),
    more: whole('more', values.more),
    runs: values.runs === undefined ? undefined : whole('runs', values.runs, 1),
    data: values.data,
  };
}

interface Side extends Measured {
  readonly counts: Counts;
}

const runPlain = (data: string, ...options: readonly string[]): Promise<Side> =>
  inFreshFolder(async (out) => {
    const measured = await measureNode([join(__dirname, 'plain.cjs'), data, out, ...options]);
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
    const [a, b] = [await runLake(data), await runPlain(data)];
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

async function copiesTable(source: string, copies: readonly number[], runs?: number): Promise<Row[]> {
  const comparisons: Comparison[] = [];
  for (const count of copies) {
    const dir = await copiesOf(source, count, BENCH);
    tell(`copies ${count}: ${Math.round((await warm(dir)) / 1e6)} MB`);
    comparisons.push(await compare(dir, count, runs ?? (count === 1 ? 5 : 3)));
  }
  return rowsOf(comparisons);
}

/** Every spelling once in each round, so that a busy minute of the machine hits all. */
async function spellingsTable(source: string, copies: number, runs: number): Promise<Row[]> {
  const data = await copiesOf(source, copies, BENCH);
  const run = async (name: string, dir: string): Promise<Measured & Volume> => {
    const megabytes = Math.round((await warm(dir)) / 1e6);
    const measured = await runLake(dir);
    tell(`copies ${copies}, ${name}, ${megabytes} MB: ${measured.seconds.toFixed(2)} s`);
    return measured;
  };
  const names = Object.keys(SPELLINGS) as SpellingName[];
  const plain: number[] = [];
  const spelled = new Map(names.map((name) => [name, [] as number[]]));
  for (let round = 0; round < runs; round++) {
    const first = await run('plain spelling', data);
    plain.push(first.seconds);
    for (const [name, seconds] of spelled) {
      const other = await run(name, await spelledOf(data, name));
      requireSame(name, other, first);
      seconds.push(other.seconds);
    }
  }
  const medians = Object.fromEntries([...spelled].map(([name, seconds]) => [name, median(seconds)]));
  return [
    [`spellings, ${copies} copies`, 'lake run', 'ratio to the plain spelling'],
    ...spellingRows(median(plain), medians, LIMITS.spelling),
  ];
}

async function sampleTable(customers: number, runs: number): Promise<Row[]> {
  const dir = await writtenSampleUnder(BENCH, customers);
  tell(`sample of ${customers} customers: ${Math.round((await warm(dir)) / 1e6)} MB`);
  const ours: Measured[] = [];
  const plain: Measured[] = [];
  for (let run = 1; run <= runs; run++) {
    const [a, b] = [await runLake(dir), await runPlain(dir, '--lenient')];
    tell(`run ${run} of ${runs}: lake ${a.seconds.toFixed(2)} s, plain ${b.seconds.toFixed(2)} s`);
    ours.push(a);
    plain.push(b);
  }
  return sampleRows(customers, medianCost(ours), medianCost(plain));
}

/** Each once in each round, so that a busy minute of the machine hits all. */
async function namesTable(records: number, runs: number): Promise<Row[]> {
  const distinct = 'distinct e-mails and serial numbers';
  const all = {
    [distinct]: { emails: records, serialNumbers: records },
    '30 serial numbers': { emails: records, serialNumbers: 30 },
    '5 e-mails and 30 serial numbers': { emails: 5, serialNumbers: 30 },
  };
  const seconds = new Map(Object.keys(all).map((name) => [name, [] as number[]]));
  for (let run = 1; run <= runs; run++) {
    for (const [name, names] of Object.entries(all)) {
      const dir = await namesUnder(BENCH, records, names);
      await warm(dir);
      const measured = await runLake(dir);
      tell(`${records} records, ${name}: ${measured.seconds.toFixed(2)} s`);
      seconds.get(name)?.push(measured.seconds);
    }
  }
  const { [distinct]: base = 0, ...shared } = Object.fromEntries(
    [...seconds].map(([name, each]) => [name, median(each)]),
  );
  return nameRows(records, [distinct, base], shared);
}

async function bench({ copies, spelled, customers, names, more, runs, data }: Options): Promise<boolean> {
  await mkdir(BENCH, { recursive: true });
  const source = await sourceOf(data, say);
  const tables: Row[][] = [];
  if (copies.length > 0) tables.push(await copiesTable(source, copies, runs));
  if (spelled > 0) tables.push(await spellingsTable(source, spelled, runs ?? 3));
  if (customers > 0) tables.push(await sampleTable(customers, runs ?? 3));
  if (names > 0) tables.push(await namesTable(names, runs ?? 3));
  if (more > 0) tables.push(incrementRows(more, await increment(source, more)));
  say(tables.map(layout).join('\n\n'));
  return tables.every(allKept);
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
