import {
  BaseErrorListener,
  CharStreams,
  CommonTokenStream,
  type Lexer,
  type Parser,
  PredictionMode,
  type Token,
} from 'antlr4ng';
import { SparkSqlLexer } from 'dt-sql-parser/dist/lib/spark/SparkSqlLexer';
import { SparkSqlParser } from 'dt-sql-parser/dist/lib/spark/SparkSqlParser';
import { TrinoSqlLexer } from 'dt-sql-parser/dist/lib/trino/TrinoSqlLexer';
import { TrinoSqlParser } from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser';
import { type AstNode, childrenOf, lineOf, nodesOf } from './ast';
import { codeOf, tokensOf } from './sql';

/** Something that not every engine would take, with its line in the SQL, from 1. */
export interface SqlFault {
  readonly line: number;
  readonly message: string;
}

/**
 * Functions with one name and one meaning in DuckDB, Spark and Trino. Left out on purpose: all that formats or parses in
 * a way of its own.
 */
const FUNCTIONS = new Set(
  `abs avg ceil ceiling coalesce corr count cume_dist date_trunc day dense_rank exp first_value floor hour lag
  last_value lead length ln log10 lower ltrim max min minute month nth_value ntile nullif percent_rank power rank
  replace reverse row_number rtrim second sqrt stddev_pop stddev_samp substr substring sum trim upper var_pop
  var_samp year`.split(/\s+/),
);
/**
 * Functions that mean the same where no argument can be NULL. Of one, Trino makes NULL of greatest and least, the others
 * pass over it; DuckDB's concat passes over it, the others make NULL of it.
 */
const WITHOUT_NULLS = new Set(['concat', 'greatest', 'least']);
const OPERATORS = new Set('+ - * % || ~~ !~~ like_escape not_like_escape count_star'.split(' '));
// What the parser makes of EXTRACT(… FROM …) and INTERVAL '…' DAY, which all three know: not to be written as calls.
const BEHIND_SYNTAX = new Set(
  'date_part trunc to_years to_months to_days to_hours to_minutes to_seconds'.split(' '),
);
const DAYS_BETWEEN =
  'the time between two instants is a function of its own in every engine; write EXTRACT(DAY FROM CAST(b AS TIMESTAMP) - CAST(a AS TIMESTAMP)), whole days from a to b';
/** What the parser calls by a name that nobody wrote, and what to write. */
const WRITTEN_OTHERWISE = new Map([
  ['~~*', "ILIKE is not Trino's; write LOWER(a) LIKE b"],
  ['!~~*', "NOT ILIKE is not Trino's; write LOWER(a) NOT LIKE b"],
  ['regexp_full_match', 'a regular expression is written differently in every engine; write LIKE'],
  ['~~~', "GLOB is DuckDB's own; write LIKE"],
  ['//', "// is DuckDB's own; write FLOOR(CAST(a AS DOUBLE) / b)"],
  ['date_diff', DAYS_BETWEEN],
  ['datediff', DAYS_BETWEEN],
  ['age', DAYS_BETWEEN],
  ['to_weeks', "an INTERVAL of weeks is not Trino's; write it in days"],
  ['row', 'a row of several values is not the same everywhere; compare the columns one by one, with EXISTS'],
  ['list_value', "a list is DuckDB's own; contracts hold plain values only"],
  ['struct_pack', "a struct is DuckDB's own; contracts hold plain values only"],
]);
const DATE_PARTS = new Set(['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute']);
const TRUNCATIONS = new Set([...DATE_PARTS, 'second']);
const TYPES = new Set(['BIGINT', 'INTEGER', 'SMALLINT', 'DOUBLE', 'BOOLEAN', 'DATE', 'TIMESTAMP', 'DECIMAL']);
/** How a literal of a type is written for all three. */
const LITERALS: Readonly<Record<string, readonly [form: string, test: RegExp]>> = {
  DATE: ['YYYY-MM-DD', /^\d{4}-\d\d-\d\d$/],
  TIMESTAMP: ['YYYY-MM-DD hh:mm:ss', /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?$/],
};
const EXPRESSIONS = new Set(
  'COLUMN_REF CONSTANT FUNCTION WINDOW COMPARISON CONJUNCTION OPERATOR BETWEEN CASE CAST SUBQUERY STAR'.split(
    ' ',
  ),
);
const JOINS = new Set(['INNER', 'LEFT', 'RIGHT', 'FULL']);

/** What of the parsed SQL has no equal in Spark and Trino. */
function treeFaults(root: AstNode, sql: string): SqlFault[] {
  const faults: SqlFault[] = [];
  const code = codeOf(sql);
  const visit = (node: AstNode, line: number) => {
    const at = lineOf(sql, node) ?? line;
    for (const message of nodeFaults(node, code)) faults.push({ line: at, message });
    if (node.qualify) {
      // A SELECT itself has no place.
      const [own] = nodesOf(node.qualify).flatMap((inner) => lineOf(sql, inner) ?? []);
      faults.push({ line: own ?? at, message: 'QUALIFY is not in every engine; filter in an outer SELECT' });
    }
    for (const alias of aliasesRead(node)) {
      faults.push({
        line: lineOf(sql, alias) ?? at,
        message: `${alias.column_names?.[0]} is the name that this SELECT gives to an expression, which Trino knows in ORDER BY only; repeat the expression (or write table.column for a column of that name)`,
      });
    }
    for (const child of childrenOf(node)) visit(child, at);
  };
  visit(root, 1);
  return faults;
}

function nodeFaults(node: AstNode, code: string): string[] {
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
    const fault = functionFault(node, code);
    if (fault) faults.push(fault);
  }
  if (kind === 'CAST') faults.push(...castFaults(node));
  if (kind === 'STAR' && (node.exclude_list?.length || node.replace_list?.length || node.columns)) {
    faults.push("* with EXCLUDE, REPLACE or COLUMNS(), and ORDER BY ALL, are DuckDB's own; name the columns");
  }
  if (node.type === 'SHOW_REF') faults.push("DESCRIBE, SHOW and SUMMARIZE in FROM are DuckDB's own");
  if (node.type === 'JOIN' && (node.ref_type === 'ASOF' || node.ref_type === 'POSITIONAL')) {
    faults.push(`${node.ref_type} JOIN is DuckDB's own`);
  } else if (node.type === 'JOIN' && node.ref_type === 'NATURAL') {
    faults.push("NATURAL JOIN is not Trino's; write ON or USING");
  } else if (node.type === 'JOIN' && !JOINS.has(node.join_type ?? '')) {
    faults.push(`${node.join_type} JOIN is not in every engine; write EXISTS or NOT EXISTS`);
  }
  if (node.sample) faults.push('SAMPLE is written differently in every engine');
  if (node.aggregate_handling === 'FORCE_AGGREGATES') {
    faults.push("GROUP BY ALL is not Trino's; name the columns");
  }
  if (node.distinct_on_targets?.length) faults.push("DISTINCT ON is DuckDB's own; use ROW_NUMBER()");
  if (node.setop_type === 'UNION_BY_NAME') faults.push("UNION BY NAME is DuckDB's own; list the columns");
  return faults;
}

function castFaults({ cast_type, try_cast, child }: AstNode): string[] {
  const faults: string[] = [];
  const type = cast_type?.id ?? '';
  if (try_cast) faults.push('TRY_CAST is not in every engine; the contract checks types, so use CAST');
  if (type === 'INTERVAL') {
    faults.push("an INTERVAL is written INTERVAL '1' DAY, with its unit outside the quotes");
  } else if (!TYPES.has(type)) {
    faults.push(`CAST to ${type} has another name or meaning elsewhere; cast to ${[...TYPES].join(', ')}`);
  }
  const text = child?.class === 'CONSTANT' ? child.value?.value : undefined;
  const [form, test] = LITERALS[type] ?? [];
  if (typeof text === 'string' && test && !test.test(text)) {
    faults.push(`'${text}' is no ${type} to every engine; write ${type} '${form}'`);
  }
  return faults;
}

function functionFault(node: AstNode, code: string): string | undefined {
  const name = node.function_name ?? '';
  if (name === '/') {
    const floating = (node.children ?? []).some(
      (child) => child.class === 'CAST' && child.cast_type?.id === 'DOUBLE',
    );
    return floating
      ? undefined
      : 'division of whole numbers truncates in Trino and does not elsewhere; write CAST(a AS DOUBLE) / b';
  }
  const first = node.children?.[0]?.value?.value;
  const unit = typeof first === 'string' ? first.toLowerCase() : 'what is no constant';
  if (name === 'date_trunc' && !TRUNCATIONS.has(unit)) {
    return `date_trunc of ${unit} is not the same everywhere; units that are: ${[...TRUNCATIONS].join(', ')}`;
  }
  if (FUNCTIONS.has(name) || OPERATORS.has(name)) return undefined;
  if (WITHOUT_NULLS.has(name)) {
    if (node.children?.every(isNeverNull)) return undefined;
    const joined = name === 'concat' ? 'write a || b, which is NULL where one is, or ' : '';
    return `${name}() of a NULL is not the same in DuckDB, Spark and Trino; ${joined}give every argument a value: COALESCE(a, 0)`;
  }
  if (name === 'round') {
    // Spark rounds the digits that a double is printed with, the others its bits.
    const [value, digits] = node.children ?? [];
    return digits === undefined || value?.cast_type?.id === 'DECIMAL'
      ? undefined
      : 'ROUND to digits of a double is not the same in DuckDB, Spark and Trino; write ROUND(CAST(a AS DECIMAL(18, 4)), 2)';
  }
  if (BEHIND_SYNTAX.has(name) && !new RegExp(`\\b${name}\\s*\\(`, 'i').test(code)) {
    return name !== 'date_part' || DATE_PARTS.has(unit)
      ? undefined
      : `EXTRACT of ${unit} is not the same everywhere; parts that are: ${[...DATE_PARTS].join(', ')}`;
  }
  const written = WRITTEN_OTHERWISE.get(name);
  if (written) return written;
  return /^\w+$/.test(name)
    ? `${name}() is not the same in DuckDB, Spark and Trino; functions that are: ${[...FUNCTIONS].join(', ')}`
    : `the operator ${name} is DuckDB's own; write it in standard SQL`;
}

/** Whether an expression cannot be NULL, as it is written. */
const isNeverNull = (node: AstNode): boolean =>
  node.class === 'CONSTANT'
    ? node.value?.is_null !== true
    : node.type === 'OPERATOR_COALESCE' && (node.children ?? []).some(isNeverNull);

/** Where a query reads, by its bare name, what its own select list calls so: nobody but DuckDB and Spark finds it. */
function aliasesRead({ select_list, where_clause, group_expressions, having }: AstNode): AstNode[] {
  if (!select_list) return [];
  // An expression that reads a column of that very name tells that there is such a column, which goes first.
  const given = new Set(
    select_list.flatMap((item) => {
      const own = item.alias?.toLowerCase();
      const reads = nodesOf(item).some((node) => node.column_names?.at(-1)?.toLowerCase() === own);
      return own && !reads ? [own] : [];
    }),
  );
  // A query within is another's scope.
  const bare = (node: AstNode): AstNode[] =>
    node.class === 'COLUMN_REF' && node.column_names?.length === 1
      ? [node]
      : childrenOf(node).flatMap((child) => (child.select_list ? [] : bare(child)));
  return [where_clause, having, ...(group_expressions ?? []), ...select_list]
    .flatMap((node) => (node ? bare(node) : []))
    .filter((node) => given.has(node.column_names?.[0]?.toLowerCase() as string));
}

// What the parser leaves no trace of, in a query's code.
const TEXT_RULES: readonly (readonly [RegExp, string])[] = [
  [/::/g, "a::TYPE is DuckDB's own; write CAST(a AS TYPE)"],
  [/(?<=^\s*|\(\s*)FROM\b/gi, "FROM without a SELECT before it is DuckDB's own; begin with SELECT"],
  [/\bINTERVAL\s+[\d(]/gi, "an INTERVAL is written INTERVAL '1' DAY, with its number in quotes"],
  [/\b(?:DECIMAL|NUMERIC)\b(?!\s*\()/gi, 'DECIMAL has other digits in every engine; write DECIMAL(18, 3)'],
  [
    /[=<>]\s*(?:ANY|SOME|ALL)\s*\(/gi,
    'a comparison with ANY or ALL is not in every engine; write IN or EXISTS',
  ],
  [/\bCOUNT\s*\(\s*\)/gi, "COUNT() is not Spark's; write COUNT(*)"],
  [/\b\d+_\d/g, 'a number with _ between its digits is a name to Spark; leave them out'],
];

/** What the three write with the same signs and read otherwise, or not at all. */
function textFaults(sql: string): SqlFault[] {
  const faults: SqlFault[] = [];
  for (const { kind, text, line } of tokensOf(sql)) {
    if (kind === 'name') {
      faults.push({
        line,
        message: `${text} is a string in Spark; leave the quotes out, or give the table an alias and write alias.column`,
      });
    }
    if (kind === 'string' && /\\|''/.test(text.slice(1, -1))) {
      faults.push({
        line,
        message: `${text} is another text in Spark, which reads \\ as an escape and '' as nothing; write a string without them`,
      });
    }
  }
  const code = codeOf(sql);
  for (const [pattern, message] of TEXT_RULES) {
    for (const { index } of code.matchAll(pattern)) {
      faults.push({ line: code.slice(0, index).split('\n').length, message });
    }
  }
  return faults;
}

/** Keeps what a lexer and a parser complain of first; what follows an error is mostly its echo. */
class FirstError extends BaseErrorListener {
  fault: SqlFault | undefined;

  constructor(private readonly engine: string) {
    super();
  }

  override syntaxError(_recognizer: unknown, token: unknown, line: number) {
    this.report(token as Token | null, line);
  }

  report(token: Token | null, line: number) {
    const text = token?.text === '<EOF>' ? 'end' : token ? `allow "${token.text}"` : 'know a character';
    this.fault ??= { line, message: `${this.engine}'s SQL does not ${text} here` };
  }
}

type Query = Parser & { query(): unknown };

type Grammar = readonly [
  engine: string,
  lexerOf: (sql: string) => Lexer,
  parserOf: (tokens: CommonTokenStream) => Query,
];

const GRAMMARS: readonly Grammar[] = [
  ['Spark', (sql) => new SparkSqlLexer(CharStreams.fromString(sql)), (tokens) => new SparkSqlParser(tokens)],
  ['Trino', (sql) => new TrinoSqlLexer(CharStreams.fromString(sql)), (tokens) => new TrinoSqlParser(tokens)],
];

/**
 * What the grammars of Spark and of Trino themselves do not take. SLL, the fast way to predict, may refuse what the
 * grammar allows (Spark's: `(a - ABS(b))`), so only what full LL refuses too is a fault.
 */
const grammarFaults = (sql: string): SqlFault[] =>
  GRAMMARS.flatMap(
    (grammar) =>
      (grammarFault(grammar, sql, PredictionMode.SLL) && grammarFault(grammar, sql, PredictionMode.LL)) ?? [],
  );

function grammarFault([engine, lexerOf, parserOf]: Grammar, sql: string, mode: number): SqlFault | undefined {
  const errors = new FirstError(engine);
  const lexer = lexerOf(sql);
  const tokens = new CommonTokenStream(lexer);
  const parser = parserOf(tokens);
  for (const recognizer of [lexer, parser]) {
    recognizer.removeErrorListeners();
    recognizer.addErrorListener(errors);
  }
  parser.buildParseTrees = false;
  parser.interpreter.predictionMode = mode;
  parser.query();
  // The rule ends where the query does; DuckDB's parser has seen that only semicolons can follow it.
  const rest = tokens.LT(1);
  if (rest && rest.text !== '<EOF>' && rest.text !== ';') errors.report(rest, rest.line);
  return errors.fault;
}

/**
 * Whether the SQL means the same to DuckDB, Spark and Trino, as far as that can be told without running it:
 * its parsed form uses only what the three share, and the grammars of Spark and Trino accept its text. Tables
 * and types are the binder's to check. `ast` is DuckDB's parse of the same text.
 */
export function portabilityFaults(sql: string, ast: AstNode): SqlFault[] {
  const own = [...treeFaults(ast, sql), ...textFaults(sql)].sort((a, b) => a.line - b.line);
  // A construct that is known to be DuckDB's own is told in plain words, not again by a parser's.
  return own.length > 0 ? own : grammarFaults(sql);
}
