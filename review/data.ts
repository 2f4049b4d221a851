import type { Comparison } from '../engines/duckdb/compare';
import type { RunSummary, TableSummary } from '../engines/engine';
import { paired } from './contracts';
import type { Finding, Grid, Section } from './finding';
import { grouped, listed, message, rowsText, say, type Text } from './text';

/** What both revisions made of the same files. */
export interface Runs {
  /** What they were given, such as `a sample of 1,000 customers`. */
  readonly input: Text;
  /** A run that could not begin left no summary. */
  readonly base: RunOutcome;
  readonly head: RunOutcome;
  readonly tables: readonly Comparison[];
  /** Tables of this revision alone. */
  readonly made: readonly string[];
  /** Jobs that DuckDB does not run in one of them. */
  readonly left: readonly string[];
}

export interface RunOutcome {
  readonly summary?: RunSummary;
  readonly failures: readonly string[];
}

export function dataSection({ input, base, head, tables, made, left }: Runs): Section {
  const summaries = paired(byTable(base), byTable(head));
  const isSame = ({ added, removed, changed }: Comparison) => added + removed + changed === 0;
  const [equal, different] = [tables.filter(isSame), tables.filter((one) => !isSame(one))];
  const findings: Finding[] = [
    ...head.failures.map(
      (failure): Finding => ({
        level: base.failures.includes(failure) ? 'look' : 'breaking',
        text: ['on ', ...input, ' the run fails: ', ...message(failure)],
        path: failure.split(': ')[0] ?? '',
      }),
    ),
    ...(base.failures.length > 0 ? [baseFails(base.failures, input)] : []),
    ...different.map(differenceOf),
    ...summaries.kept.flatMap(({ name, before, after }) => refusalsOf(name, before, after)),
    ...summaries.kept.flatMap(({ name, before, after }) => expectationsOf(name, before, after)),
    ...summaries.made
      .filter(([name]) => made.includes(name))
      .map(
        ([name, { written }]): Finding => ({
          level: 'note',
          text: [...say`${name} is new: `, rowsText(written)],
          path: name,
        }),
      ),
    ...(left.length > 0
      ? [{ level: 'note', text: ['not compared, as only Spark runs them: ', ...listed(left)] } as const]
      : []),
    ...(equal.length > 0
      ? [
          {
            level: 'note',
            text: [
              'the same rows: ',
              ...listed(
                equal.map(({ table, after }) => `${table} (${grouped(after)})`),
                30,
              ),
            ],
          } as const,
        ]
      : []),
  ];
  const differ =
    different.length === 0 ? 'the same rows' : `${different.length} of ${tables.length} tables differ`;
  const summary = [
    head.failures.length > 0
      ? 'the run fails on '
      : base.failures.length > 0
        ? "the base's own run fails on "
        : `${differ} on `,
    ...input,
  ];
  return { title: 'Data', summary, findings, tables: different.flatMap((one) => gridsOf(one)) };
}

const byTable = ({ summary }: RunOutcome) =>
  Object.fromEntries((summary?.tables ?? []).map((one) => [one.table, one]));

const baseFails = (failures: readonly string[], input: Text): Finding => ({
  level: 'look',
  text: [
    "the base's own run fails on ",
    ...input,
    ', so there is nothing to compare: ',
    ...message(failures.join('; ')),
  ],
});

const differenceOf = ({ table, before, after, key, added, removed, changed }: Comparison): Finding => {
  const rows = before === after ? rowsText(after) : `${grouped(before)} → ${rowsText(after)}`;
  const parts = (
    [
      ['added', added],
      ['removed', removed],
      ['changed', changed],
    ] as const
  ).flatMap(([what, n]) => (n > 0 ? [`${grouped(n)} ${what}`] : []));
  const by: Text = key ? [' (by ', ...listed(key), ')'] : [];
  return { level: 'look', text: [...say`${table}: `, `${rows}, ${parts.join(', ')}`, ...by], path: table };
};

function refusalsOf(table: string, before: TableSummary, after: TableSummary): Finding[] {
  return paired(
    { ...zeros(after.reasons), ...before.reasons },
    { ...zeros(before.reasons), ...after.reasons },
  ).kept.flatMap(({ name, before: b, after: a }): Finding[] =>
    a === b
      ? []
      : [
          {
            level: 'look',
            text: [...say`${table}: ${b} → ${a} refused for `, ...message(name)],
            path: table,
          },
        ],
  );
}

const zeros = (reasons: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.keys(reasons).map((reason) => [reason, 0]));

function expectationsOf(table: string, before: TableSummary, after: TableSummary): Finding[] {
  const byName = ({ expectations }: TableSummary) =>
    Object.fromEntries(expectations.map((one) => [one.name, one.failed]));
  return paired(byName(before), byName(after)).kept.flatMap(({ name, before: b, after: a }): Finding[] =>
    a === b ? [] : [{ level: 'look', text: say`${`${table}.${name}`}: ${b} → ${a} bad rows`, path: table }],
  );
}

/** Which columns changed, and some rows. */
function gridsOf({ table, columns, examples, key }: Comparison): Grid[] {
  const size = (n: number) => [Math.abs(n) >= 0.01 || n === 0 ? grouped(n) : n.toPrecision(2)];
  const changes: Grid = {
    caption: say`Columns of ${table} that changed`,
    head: [['column'], [key ? 'rows' : 'values'], ['mean before'], ['mean after'], ['changed by at most']],
    rows: columns.map(({ column, rows, means }) => [
      say`${column}`,
      [grouped(rows)],
      ...(means ? [size(means.before), size(means.after), size(means.most)] : [[''], [''], ['']]),
    ]),
  };
  const names = [...new Set(examples.flatMap(({ row }) => Object.keys(row)))];
  const rows: Grid = {
    caption: say`Some rows of ${table}`,
    head: [[''], ...names.map((name) => say`${name}`)],
    rows: examples.map(({ kind, row }) => [
      [kind],
      ...names.map((name) => (row[name] === undefined ? [''] : say`${row[name]}`)),
    ]),
  };
  return [changes, rows].filter((grid) => grid.rows.length > 0);
}
