import { textTable } from '../cli/table';
import { grouped } from '../engines/words';

/** The middle value; of an even number, the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new Error('no values, no median');
  return (lower + upper) / 2;
}

/** A figure with the limit it has to keep, if there is one. */
export interface Figure {
  readonly text: string;
  readonly ok: boolean;
}

const show = {
  s: (value: number) => `${value.toFixed(2)} s`,
  bytes: (value: number) => `${Math.round(value / 1e6)} MB`,
  times: (value: number) => `${value.toFixed(2)} ×`,
};

/** `1.20 s`, or with a limit `1.20 s (≤ 1.5 ok)` and `2.00 s (≤ 1.5 OVER)`. */
export function figure(value: number, unit: keyof typeof show, limit?: number): Figure {
  const text = show[unit](value);
  if (limit === undefined) return { text, ok: true };
  const ok = value <= limit;
  return { text: `${text} (≤ ${limit} ${ok ? 'ok' : 'OVER'})`, ok };
}

/** The medians of one side at one number of copies. */
export interface Cost {
  readonly seconds: number;
  readonly peakBytes: number;
}

/** What was measured at one number of copies. */
export interface Comparison {
  readonly copies: number;
  readonly ours: Cost;
  readonly plain: Cost;
}

/** What the project promises. */
export const LIMITS = {
  /** Seconds of the whole process on one copy. */
  seconds: 1.5,
  /** Times the plain SQL's seconds and peak memory on 20 and 100 copies. The aim is 1.5. */
  ratio: 2,
  /** Times the seconds of 20 copies on 100. */
  growth: 6,
  /** Times the seconds of the plain spelling. */
  spelling: 1.5,
  /** Times the seconds of plain SQL that leaves out what it can't read, on 100,000 customers or more. */
  sample: 3,
  /** Times the seconds of `lake status`, where nothing is new. */
  idle: 2,
  /** Times the seconds of a run of everything, beyond those of one for which nothing is new, where one copy is. */
  more: 0.05,
  /** Times the seconds of distinct names, where 150,000 records share few e-mails and serial numbers. */
  names: 1.5,
};

/** One row of the table: what it tells, then a figure for each number of copies, then the growth. */
export type Row = readonly [string, ...(Figure | string)[]];

/** The table's head and rows. A limit is judged where its number of copies was measured. */
export function rowsOf(comparisons: readonly Comparison[]): Row[] {
  const at = (copies: number) => comparisons.find((c) => c.copies === copies);
  const [few, many] = [at(20), at(100)];
  const growth = (cost: (c: Comparison) => number, limit?: number) =>
    few && many ? figure(cost(many) / cost(few), 'times', limit) : '–';
  const seconds = (side: 'ours' | 'plain') => (c: Comparison) => c[side].seconds;
  const peak = (side: 'ours' | 'plain') => (c: Comparison) => c[side].peakBytes;
  const ratio = (cost: (side: 'ours' | 'plain') => (c: Comparison) => number) =>
    comparisons.map((c) =>
      figure(
        cost('ours')(c) / cost('plain')(c),
        'times',
        c.copies === 20 || c.copies === 100 ? LIMITS.ratio : undefined,
      ),
    );
  return [
    ['', ...comparisons.map((c) => (c.copies === 1 ? '1 copy' : `${c.copies} copies`)), 'growth 20 → 100'],
    [
      'lake run, time',
      ...comparisons.map((c) => figure(c.ours.seconds, 's', c.copies === 1 ? LIMITS.seconds : undefined)),
      growth(seconds('ours'), LIMITS.growth),
    ],
    ['plain SQL, time', ...comparisons.map((c) => figure(c.plain.seconds, 's')), growth(seconds('plain'))],
    ['  ratio (aim: 1.5)', ...ratio(seconds), ''],
    [
      'lake run, peak memory',
      ...comparisons.map((c) => figure(c.ours.peakBytes, 'bytes')),
      growth(peak('ours')),
    ],
    [
      'plain SQL, peak memory',
      ...comparisons.map((c) => figure(c.plain.peakBytes, 'bytes')),
      growth(peak('plain')),
    ],
    ['  ratio (aim: 1.5)', ...ratio(peak), ''],
  ];
}

/** The rows of spellings of the same data: the plain one first, then each with its times the plain one's seconds. */
export const spellingRows = (
  plain: number,
  spellings: Readonly<Record<string, number>>,
  limit: number,
): Row[] => [
  ['plain spelling', figure(plain, 's'), ''],
  ...Object.entries(spellings).map(
    ([spelling, seconds]): Row => [spelling, figure(seconds, 's'), figure(seconds / plain, 'times', limit)],
  ),
];

/** The table of a sample that has everything sources write, with faults. */
export const sampleRows = (customers: number, ours: Cost, plain: Cost): Row[] => [
  [`a sample as written, ${grouped(customers)} customers`, 'time', 'peak memory'],
  ['lake run', figure(ours.seconds, 's'), figure(ours.peakBytes, 'bytes')],
  ['plain SQL, ignore_errors', figure(plain.seconds, 's'), figure(plain.peakBytes, 'bytes')],
  [
    '  ratio',
    figure(ours.seconds / plain.seconds, 'times', customers >= 100_000 ? LIMITS.sample : undefined),
    figure(ours.peakBytes / plain.peakBytes, 'times'),
  ],
];

/** The table of records that share names: those of distinct ones first. */
export const nameRows = (
  records: number,
  [distinct, base]: readonly [string, number],
  shared: Readonly<Record<string, number>>,
): Row[] => [
  [`${grouped(records)} records of each source`, 'lake run', 'ratio to distinct ones'],
  [distinct, figure(base, 's'), ''],
  ...Object.entries(shared).map(
    ([name, seconds]): Row => [name, figure(seconds, 's'), figure(seconds / base, 'times', LIMITS.names)],
  ),
];

/** The table of a run for which little is new. */
export const incrementRows = (
  copies: number,
  { full, idle, more, status }: { readonly [K in 'full' | 'idle' | 'more' | 'status']: number },
): Row[] => [
  [`${copies} copies, then one more`, 'time', 'ratio'],
  ['lake run --full', figure(full, 's'), ''],
  ['lake status', figure(status, 's'), ''],
  ['lake run, nothing new', figure(idle, 's'), figure(idle / status, 'times', LIMITS.idle)],
  [
    'lake run, one more copy',
    figure(more, 's'),
    figure((more - idle) / full, 'times', copies >= 100 ? LIMITS.more : undefined),
  ],
];

const textOf = (cell: Figure | string) => (typeof cell === 'string' ? cell : cell.text);

/** The head and the rows as text. */
export function layout(rows: readonly Row[]): string {
  const [head = [], ...rest] = rows.map((row) => row.map(textOf));
  return textTable(
    head.map((name) => ({ name })),
    rest,
  );
}

/** Whether every limit that could be judged is kept. */
export const allKept = (rows: readonly Row[]): boolean =>
  rows.flat().every((cell) => typeof cell === 'string' || cell.ok);

/** Rows of each table. */
export type Counts = Readonly<Record<string, number>>;

/** The tables of the other side in which `lake run` has another number of rows, one text each. */
export const differences = (ours: Counts, others: Counts, other = 'plain SQL'): string[] =>
  Object.entries(others)
    .filter(([table, rows]) => ours[table] !== rows)
    .map(([table, rows]) => `${table}: lake run has ${ours[table] ?? 'no'} rows, ${other} ${rows}`);
