import { SparkSQL } from 'dt-sql-parser/dist/parser/spark';
import { TrinoSQL } from 'dt-sql-parser/dist/parser/trino';
import { type AstNode, childrenOf, lineOf } from './duckdb/ast';

/** Something that not every engine would take, with its line in the SQL, from 1. */
export interface SqlFault {
  readonly line: number;
  readonly message: string;
}

/**
 * Functions with one name and one meaning in DuckDB, Spark 3.5 and Trino. Left out on purpose: greatest and least
 * (a NULL argument makes Trino's NULL), concat (Spark's and Trino's give NULL for a NULL, DuckDB's skips it),
 * all that rounds, formats or parses in a way of its own.
 */
const FUNCTIONS = new Set(
  `abs avg ceil ceiling coalesce corr count cume_dist date_trunc day dense_rank exp first_value floor hour lag
  last_value lead length ln log10 lower ltrim max min minute month nth_value ntile nullif percent_rank power rank
  replace reverse row_number rtrim second sqrt stddev_pop stddev_samp substr substring sum trim upper var_pop
  var_samp year`.split(/\s+/),
);
const OPERATORS = new Set(['+', '-', '*', '%', '||', '~~', '!~~', 'count_star']);
// What the parser makes of EXTRACT(… FROM …) and INTERVAL '…' DAY, which all three know: not to be written as calls.
const BEHIND_SYNTAX = new Set(
  'date_part trunc to_years to_months to_weeks to_days to_hours to_minutes to_seconds'.split(' '),
);
const TYPES = new Set(['BIGINT', 'INTEGER', 'SMALLINT', 'DOUBLE', 'BOOLEAN', 'DATE', 'TIMESTAMP', 'DECIMAL']);
const EXPRESSIONS = new Set(
  'COLUMN_REF CONSTANT FUNCTION WINDOW COMPARISON CONJUNCTION OPERATOR BETWEEN CASE CAST SUBQUERY STAR'.split(
    ' ',
  ),
);
const JOINS = new Set(['INNER', 'LEFT', 'RIGHT', 'OUTER']);

/** What of the parsed SQL has no equal in Spark and Trino. */
function treeFaults(root: AstNode, sql: string): SqlFault[] {
  const faults: SqlFault[] = [];
  const visit = (node: AstNode, line: number) => {
    const at = lineOf(sql, node) ?? line;
    for (const message of nodeFaults(node, sql)) faults.push({ line: at, message });
    for (const child of childrenOf(node)) visit(child, at);
  };
  visit(root, 1);
  return faults;
}

function nodeFaults(node: AstNode, sql: string): string[] {
  const faults: string[] = [];
  const kind = node.class;
  if (kind && !EXPRESSIONS.has(kind) && node.type !== undefined) {
    faults.push(`${kind.toLowerCase().replaceAll('_', ' ')} is DuckDB's own; write it in standard SQL`);
  }
  if (node.type === 'ARRAY_EXTRACT' || node.type === 'STRUCT_EXTRACT' || node.type === 'ARRAY_SLICE') {
    faults.push(
      "reading an element or a field in brackets is DuckDB's own; contracts hold plain values only",
    );
  }
  if (kind === 'FUNCTION' || kind === 'WINDOW') {
    const fault = functionFault(node, sql);
    if (fault) faults.push(fault);
  }
  if (kind === 'CAST') {
    const type = node.cast_type?.id ?? '';
    if (node.try_cast) faults.push('TRY_CAST is not in every engine; the contract checks types, so use CAST');
    if (!TYPES.has(type)) {
      faults.push(`CAST to ${type} has another name or meaning elsewhere; cast to ${[...TYPES].join(', ')}`);
    }
  }
  if (kind === 'STAR' && (node.exclude_list?.length || node.replace_list?.length || node.columns)) {
    faults.push("* with EXCLUDE, REPLACE or COLUMNS() is DuckDB's own; name the columns");
  }
  if (node.type === 'TABLE_FUNCTION') faults.push('a function in FROM; read the declared tables only');
  if (node.type === 'JOIN' && (node.ref_type === 'ASOF' || node.ref_type === 'POSITIONAL')) {
    faults.push(`${node.ref_type} JOIN is DuckDB's own`);
  } else if (node.type === 'JOIN' && !JOINS.has(node.join_type ?? '')) {
    faults.push(`${node.join_type} JOIN is not in every engine; write EXISTS or NOT EXISTS`);
  }
  if (node.qualify) faults.push('QUALIFY is not in every engine; filter in an outer SELECT');
  if (node.sample) faults.push('SAMPLE is written differently in every engine');
  if (node.aggregate_handling === 'FORCE_AGGREGATES')
    faults.push("GROUP BY ALL is not Trino's; name the columns");
  if (node.distinct_on_targets?.length) faults.push("DISTINCT ON is DuckDB's own; use ROW_NUMBER()");
  if (node.setop_type === 'UNION_BY_NAME') faults.push("UNION BY NAME is DuckDB's own; list the columns");
  return faults;
}

function functionFault(node: AstNode, sql: string): string | undefined {
  const name = node.function_name ?? '';
  if (name === '/') {
    const floating = (node.children ?? []).some(
      (child) => child.class === 'CAST' && child.cast_type?.id === 'DOUBLE',
    );
    return floating
      ? undefined
      : 'division of whole numbers truncates in Trino and does not elsewhere; write CAST(a AS DOUBLE) / b';
  }
  if (FUNCTIONS.has(name) || OPERATORS.has(name)) return undefined;
  if (BEHIND_SYNTAX.has(name) && !new RegExp(`\\b${name}\\s*\\(`, 'i').test(sql)) return undefined;
  return `${name}() is not the same in DuckDB, Spark and Trino; functions that are: ${[...FUNCTIONS].join(', ')}`;
}

/** Double quotes name a column in DuckDB and Trino and are a string in Spark. */
function quoteFaults(sql: string): SqlFault[] {
  const code = sql.replace(/'(?:[^']|'')*'|--[^\n]*|\/\*[\s\S]*?\*\//g, (m) => m.replace(/[^\n]/g, ' '));
  return [...code.matchAll(/"[^"]*"/g)].map((match) => ({
    line: code.slice(0, match.index).split('\n').length,
    message: `${match[0]} is a string in Spark; leave the quotes out, or give the table an alias and write alias.column`,
  }));
}

/** What the grammars of Spark and of Trino themselves do not take. */
function grammarFaults(sql: string): SqlFault[] {
  const parsers = [
    ['Spark', new SparkSQL()],
    ['Trino', new TrinoSQL()],
  ] as const;
  return parsers.flatMap(([name, parser]) => {
    const [first] = parser.validate(sql);
    return first
      ? [{ line: first.startLine, message: `${name}'s SQL has no such syntax: ${first.message}` }]
      : [];
  });
}

/**
 * Whether the SQL means the same to DuckDB, Spark 3.5 and Trino, as far as that can be told without running it:
 * its parsed form uses only what the three share, and the grammars of Spark and Trino accept its text. Tables
 * and types are the binder's to check. `ast` is DuckDB's parse of the same text.
 */
export function portabilityFaults(sql: string, ast: AstNode): SqlFault[] {
  const own = [...treeFaults(ast, sql), ...quoteFaults(sql)];
  // A construct that is known to be DuckDB's own is told in plain words, not again by a parser's.
  return own.length > 0 ? own : grammarFaults(sql);
}
