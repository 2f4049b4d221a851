import { type Expectation, expectationsOf, type Severity } from './expectation';
import type { Job } from './job';
import type { Table } from './table';

/** How many bad rows are shown of an expectation. */
export const SAMPLES = 5;

/** An expectation as engines check it, by SQL that runs unchanged on DuckDB and Spark. */
export interface Check {
  readonly name: string;
  readonly severity: Severity;
  /** Gives a row: its `name`, how many bad rows `failed`, and the `failure` that keeps the table from being published. */
  readonly count: string;
  /** The first bad rows, in an order of their own: each engine, and each run, shows the same. */
  readonly samples: string;
  /** Of one that moves rows: which go, and which stay. */
  readonly moves?: { readonly gone: string; readonly kept: string };
  /** A table that has rows passes, and nobody has to ask. */
  readonly onlyEmpty?: true;
}

function checkOf(table: string, { name, severity, columns, sql, onlyEmpty }: Expectation): Check {
  const bad = sql(table);
  const same = columns.map((column) => `b.${column} IS NOT DISTINCT FROM t.${column}`).join(' AND ');
  const isBad = `EXISTS (SELECT 1 FROM (${bad}) b WHERE ${same})`;
  const failure = `concat('expectation ${name} failed with ', COUNT(*), ' bad row', CASE WHEN COUNT(*) > 1 THEN 's' ELSE '' END)`;
  return {
    name,
    severity,
    count: `SELECT '${name}' AS name, COUNT(*) AS failed, CASE WHEN ${severity === 'fail' ? 'COUNT(*) > 0' : 'false'} THEN ${failure} END AS failure FROM (${bad})`,
    samples: `SELECT * FROM (${bad}) ORDER BY ALL NULLS LAST LIMIT ${SAMPLES}`,
    ...(onlyEmpty && { onlyEmpty }),
    ...(severity === 'quarantine' && {
      moves: {
        gone: `SELECT t.* FROM ${table} t WHERE ${isBad}`,
        kept: `SELECT t.* FROM ${table} t WHERE NOT ${isBad}`,
      },
    }),
  };
}

/** All that is checked of a table, and of the job that makes it, before it is published. Those come first that move rows: the others see what is left. */
export function auditOf(table: Table, job?: Job | null): readonly Check[] {
  const checks = expectationsOf(table, job).map((e) => checkOf(table.name, e));
  return [...checks.filter(({ moves }) => moves), ...checks.filter(({ moves }) => !moves)];
}

/** How the driving rows are counted that no row of the finished output comes from. NULL is no key, and matches none. */
export interface Unmatched {
  /** The keys of the driving rows in the clear, by the names of the output's columns. */
  readonly keys: string;
  /** Counts them in `_driving`, the keys with pseudonyms where the output has them. */
  readonly count: string;
}

/** See {@link Unmatched}; of a job that says what drives it. */
export function unmatchedOf({ inputs, output, drivenBy }: Job): Unmatched | undefined {
  if (!drivenBy) return undefined;
  const keys = Object.entries(drivenBy);
  const same = keys.map(([, to]) => `o.${to} = d.${to}`).join(' AND ');
  return {
    keys: `SELECT ${keys.map(([from, to]) => `d.${from} AS ${to}`).join(', ')} FROM ${inputs[0]?.name} d`,
    count: `SELECT COUNT(*) AS unmatched FROM _driving d WHERE NOT EXISTS (SELECT 1 FROM ${output.name} o WHERE ${same})`,
  };
}
