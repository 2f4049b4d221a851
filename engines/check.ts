import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import {
  type Column,
  type ColumnType,
  EXTENSIONS,
  expectationsOf,
  type Fault,
  type Job,
  type NamedQuery,
  type Pipeline,
  type Table,
  throughOf,
  unreadFaults,
} from '../model';
import { type AstNode, lineOf, nodesOf, parseSelect, selectListOf, tablesIn } from './ast';
import { rowsOf, tellError, withDatabase } from './database';
import { codeFile, filesOf, LANGUAGES } from './job-code';
import { portabilityFaults } from './known-portable';
import { syntaxFaults } from './python-syntax';
import { codeOf, openingComment, parametersOf, quoteName, withParameters } from './sql';
import { NO_QUARANTINE, nothing, readType, storedType } from './types';

/** A piece of SQL to check, and where it stands. */
interface Piece {
  /** Dotted path, or the file, of which a line can be named. */
  readonly path: string;
  readonly isFile: boolean;
  readonly sql: string;
  /** The tables it may read, by name, each as a select list of typed NULLs. */
  readonly reads: ReadonlyMap<string, string>;
  /** What to do about another one. */
  readonly hint: string;
  /** Whether it is put into other SQL, and has to give the same rows in every run. */
  readonly isPart: boolean;
  /** Columns that its result must have. */
  readonly gives?: readonly string[];
}

const emptyTables = (tables: readonly Table[], typeOf: (column: Column) => string) =>
  new Map(tables.map((table) => [table.name, nothing(table, typeOf)]));

interface Bound {
  readonly faults: readonly Fault[];
  /** Column and type of the result, where there is no fault. */
  readonly columns?: readonly { readonly column_name: string; readonly column_type: string }[];
  readonly ast?: AstNode;
}

/**
 * Checks the jobs' SQL against their contracts, by binding it to empty tables: it reads only declared inputs,
 * uses declared parameters, and its columns are the output's, by name, order and type. Of Python only the text is
 * checked, as its columns are known on Spark only.
 */
export async function bindingFaults(
  db: DuckDBConnection,
  jobs: readonly Job[],
  dir: string,
): Promise<Fault[]> {
  const faults: Fault[] = [];
  for (const job of jobs) faults.push(...(await jobFaults(db, job, dir)).faults);
  return faults;
}

/** A query of `queries/`, with what it answers and the tables that it reads. */
export interface BoundQuery {
  readonly name: string;
  readonly description: string;
  readonly sql: string;
  readonly tables: readonly string[];
  /** Name to DuckDB's type, in their order; none where it has a fault. */
  readonly columns: Readonly<Record<string, string>>;
}

/**
 * Binds everything that a deployment is made of to the contracts: the jobs' SQL, the expectations and the queries.
 * Unlike {@link projectFaults} it asks no other engine's grammar and reads no cases, and takes a tenth of the time.
 */
export async function bindProject(
  pipeline: Pipeline,
  dirs: { readonly jobs: string; readonly queries: string },
): Promise<{ readonly faults: readonly Fault[]; readonly queries: readonly BoundQuery[] }> {
  return withDatabase(async (db) => {
    const faults: Fault[] = [];
    const queries: BoundQuery[] = [];
    for (const job of pipeline.jobs) faults.push(...(await jobFaults(db, job, dirs.jobs)).faults);
    for (const piece of await otherPieces(pipeline, dirs.queries)) {
      const bound = await bind(db, piece);
      faults.push(...bound.faults, ...pieceFaults(piece, bound));
      if (piece.isFile && bound.ast) queries.push(boundQuery(piece, bound.ast, bound));
    }
    return { faults, queries };
  });
}

/** The queries of a folder, unbound; without those that cannot be read. */
export async function queriesIn(
  db: DuckDBConnection,
  pipeline: Pipeline,
  dir: string,
): Promise<BoundQuery[]> {
  const queries: BoundQuery[] = [];
  for (const piece of await queryPieces(pipeline, dir)) {
    const ast = await parseSelect(db, piece.sql).catch(() => undefined);
    if (ast) queries.push(boundQuery(piece, ast, { faults: [] }));
  }
  return queries;
}

/** The comment that a query begins with says what it answers. */
const boundQuery = ({ path, sql }: Piece, ast: AstNode, { columns = [] }: Bound): BoundQuery => ({
  name: basename(path, '.sql'),
  description: openingComment(sql),
  sql,
  tables: [...tablesIn(ast).keys()].map((name) => name.toLowerCase()),
  columns: Object.fromEntries(columns.map((column) => [column.column_name, column.column_type])),
});

/**
 * Everything that can be said of a project without running it: the jobs' SQL, their cases, the expectations and
 * the queries, each bound to the contracts and checked to mean the same to DuckDB, Spark and Trino. What is declared
 * of a query is held to its SQL. With names of jobs, `only`, nothing but the SQL and the cases of those.
 */
export async function projectFaults(
  pipeline: Pipeline,
  dirs: { readonly jobs: string; readonly queries: string },
  declared: readonly NamedQuery[] = [],
  only?: readonly string[],
): Promise<Fault[]> {
  const portable = ({ path, isFile, sql }: Piece, { ast }: Bound): Fault[] =>
    ast
      ? portabilityFaults(sql, ast).map(({ line, message }) => ({
          path: isFile ? `${path}:${line}` : path,
          message,
        }))
      : [];
  return withDatabase(async (db) => {
    const faults: Fault[] = [];
    for (const job of pipeline.jobs) {
      if (only?.includes(job.name) === false) continue;
      const { piece, ...bound } = await jobFaults(db, job, dirs.jobs);
      faults.push(...unreadFaults(job), ...bound.faults, ...(piece ? portable(piece, bound) : []));
      // A run checks too, reads no case, and needs no YAML.
      const { readCases } = require('./cases') as typeof import('./cases');
      faults.push(...(await readCases(dirs.jobs, job)).faults);
    }
    if (only) return faults;
    faults.push(...(await strayFiles(pipeline, dirs.jobs)));
    for (const piece of await otherPieces(pipeline, dirs.queries)) {
      const bound = await bind(db, piece);
      faults.push(...bound.faults, ...portable(piece, bound), ...pieceFaults(piece, bound));
      const query = piece.isFile && declared.find(({ name }) => name === basename(piece.path, '.sql'));
      if (query) faults.push(...declarationFaults(query, piece, bound));
    }
    const files = await filesOf(dirs.queries);
    for (const { name } of declared.filter(({ name }) => !files.includes(`${name}.sql`))) {
      const path = relative('', join(dirs.queries, `${name}.sql`));
      faults.push({ path, message: 'is missing, and the query is declared; write its SELECT' });
    }
    return faults;
  });
}

/** The types of a result that a declared type can be besides its own: a sum or a mean is of another than what it is of. */
const RESULTS: Partial<Record<ColumnType, RegExp>> = {
  int: /^(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?$/,
  double: /^(?:FLOAT|DECIMAL\(.*\))$/,
  decimal: /^DECIMAL\(.*\)$/,
};

function declarationFaults({ columns: declared }: NamedQuery, { path }: Piece, { columns }: Bound): Fault[] {
  if (!columns) return [];
  const found = new Map(columns.map(({ column_name, column_type }) => [column_name, column_type]));
  const missing = Object.entries(declared).flatMap(([name, column]) => {
    const { type } = column;
    const is = found.get(name);
    if (is === undefined) return [{ path, message: `gives no column "${name}"; its definition has it` }];
    if (is === storedType(column) || RESULTS[type]?.test(is)) return [];
    return [
      { path, message: `column "${name}" is ${is}, and its definition says ${type}; mend one of them` },
    ];
  });
  const more = [...found.keys()].filter((name) => !Object.hasOwn(declared, name));
  return [
    ...missing,
    ...more.map((name) => ({
      path,
      message: `gives a column "${name}", which its definition does not have; add it there`,
    })),
  ];
}

function pieceFaults(piece: Piece, { columns }: Bound): Fault[] {
  const given = columns?.map((column) => column.column_name);
  const faults = (piece.gives ?? [])
    .filter((column) => given && !given.includes(column))
    .map((name) => ({
      path: piece.path,
      message: `its query gives no column "${name}", by which rows are told`,
    }));
  if (piece.isFile && openingComment(piece.sql) === '') {
    faults.push({ path: `${piece.path}:1`, message: 'begins with no comment; say what it answers' });
  }
  return faults;
}

async function jobFaults(db: DuckDBConnection, job: Job, dir: string): Promise<Bound & { piece?: Piece }> {
  const path = relative('', codeFile(dir, job));
  const language = job.language === 'sql' ? 'python' : 'sql';
  const other = relative('', codeFile(dir, { ...job, language }));
  const isWritten = existsSync(codeFile(dir, job));
  if (existsSync(other)) {
    const is = `the definition has ${job.name} in ${LANGUAGES[job.language]}`;
    const message = isWritten
      ? `stands beside ${path}, and ${is}; remove one of them`
      : `is in ${LANGUAGES[language]}, and ${is}; change its language, or write ${path}`;
    return { faults: [{ path: other, message }] };
  }
  if (!isWritten) {
    const what = { sql: 'SELECT', python: 'function transform' }[job.language];
    return { faults: [{ path, message: `is missing: write the ${what} that makes ${job.name}` }] };
  }
  const text = await readFile(codeFile(dir, job), 'utf8');
  if (job.language === 'python') {
    const found = syntaxFaults(job, text);
    return { faults: found.map(([line, message]) => ({ path: `${path}:${line}`, message })) };
  }
  const faults: Fault[] = [];
  const used = parametersOf(text);
  const declared = job.parameters.map((p) => p.name);
  for (const [name, line] of used) {
    if (declared.includes(name)) continue;
    faults.push({
      path: `${path}:${line}`,
      message: `uses :${name}, which the job does not declare (${declared.join(', ') || 'it has none'}); add it to the job's parameters`,
    });
  }
  for (const name of declared.filter((n) => !used.has(n))) {
    faults.push({
      path,
      message: `the job declares the parameter ${name}, but its SQL does not use :${name}`,
    });
  }
  if (faults.length > 0) return { faults };
  const inputs = job.inputs.map((input) => input.name);
  const piece: Piece = {
    path,
    isFile: true,
    sql: withParameters(
      text,
      job.parameters,
      Object.fromEntries(job.parameters.map((p) => [p.name, p.default])),
    ),
    reads: emptyTables(job.inputs, readType),
    hint: `the job's inputs are ${inputs.join(', ')}; add it to them, or mend the name`,
    isPart: true,
  };
  const bound = await bind(db, piece);
  return {
    ...bound,
    piece,
    faults: [...bound.faults, ...outputFaults(job, piece, bound), ...touchFaults(job, piece, bound)],
  };
}

/** What a job reads and an increment of it does not name would change, and nothing would be made again. */
function touchFaults({ name, inputs, increments }: Job, { path }: Piece, { ast }: Bound): Fault[] {
  const read = ast ? [...tablesIn(ast).keys()].map((table) => table.toLowerCase()) : [];
  return increments.flatMap(({ by }, i) =>
    read
      .filter((table) => inputs.some((input) => input.name === table) && !Object.hasOwn(by, table))
      .map((table) => ({
        path: `jobs.${name}.increments[${i}].by`,
        message: `does not name ${table}, which ${path} reads; say what a row of it stands for`,
      })),
  );
}

function outputFaults({ name: job, output }: Job, { path, sql }: Piece, { columns, ast }: Bound): Fault[] {
  if (!columns) return [];
  const faults: Fault[] = [];
  const expected = Object.entries(output.columns);
  const names = columns.map((column) => column.column_name);
  const list = ast && selectListOf(ast);
  // Where the query writes the column, if it does.
  const at = (i: number) => {
    const line = list?.[i] && lineOf(sql, list[i]);
    return line ? `${path}:${line}` : path;
  };
  for (const [name, column] of expected) {
    const i = names.indexOf(name);
    const type = readType(column);
    const found = columns[i]?.column_type;
    if (found === undefined) {
      faults.push({ path, message: `gives no column "${name}"; ${job} has it as ${type}` });
    } else if (found !== type) {
      faults.push({
        path: at(i),
        message: `column "${name}" is ${found}, expected ${type}, as ${job} declares it ${column.type}; CAST it, or change the contract`,
      });
    }
  }
  names.forEach((name, i) => {
    if (!Object.hasOwn(output.columns, name)) {
      faults.push({
        path: at(i),
        message: `gives a column "${name}", which ${job} does not have; it has ${expected.map(([n]) => n).join(', ')}`,
      });
    }
    if (names.indexOf(name) < i) faults.push({ path: at(i), message: `gives the column "${name}" twice` });
  });
  if (faults.length === 0 && names.some((name, i) => name !== expected[i]?.[0])) {
    faults.push({
      path,
      message: `gives its columns in another order than ${job}: found ${names.join(', ')}, expected ${expected.map(([n]) => n).join(', ')}`,
    });
  }
  return faults;
}

const expectationPieces = (pipeline: Pipeline): Piece[] =>
  [...pipeline.tables.values()].flatMap((table) =>
    expectationsOf(table).map((e) => {
      const reads = [table, ...e.reads.flatMap((name) => pipeline.tables.get(name) ?? [])];
      return {
        path: `${table.name}.expectations.${e.name}`,
        isFile: false,
        sql: e.sql(table.name),
        reads: emptyTables(reads, readType),
        hint: `it declares to read ${reads.map(({ name }) => name).join(', ')}; add the table to its reads`,
        isPart: true,
        gives: e.severity === 'quarantine' ? e.columns : [],
      };
    }),
  );

/** What jobs see of inputs, by which it is known what a change touches. */
const seenPieces = (pipeline: Pipeline): Piece[] =>
  pipeline.jobs.flatMap((job) =>
    job.increments.flatMap(({ by }, i) =>
      Object.entries(by).flatMap(([name, touching]) => {
        const { sees, of, on = {}, key } = throughOf(touching);
        if (sees === undefined) return [];
        const input = job.inputs.filter((one) => one.name === name);
        const own = typeof key === 'string' ? key : key.column;
        return {
          path: `jobs.${job.name}.increments[${i}].by.${name}.sees`,
          isFile: false,
          sql: sees,
          reads: emptyTables(input, readType),
          hint: `it may read ${name} alone`,
          isPart: true,
          gives: of === undefined ? [own] : Object.keys(on),
        };
      }),
    ),
  );

/** What of a project is SQL besides its jobs. */
const otherPieces = async (pipeline: Pipeline, queries: string): Promise<Piece[]> => [
  ...expectationPieces(pipeline),
  ...seenPieces(pipeline),
  ...(await queryPieces(pipeline, queries)),
];

/** Queries read the tables as they are stored, and the sources' quarantines. */
async function queryPieces(pipeline: Pipeline, dir: string): Promise<Piece[]> {
  const reads = new Map([
    ...emptyTables([...pipeline.tables.values()], storedType),
    ...pipeline.sources.map(({ name }) => [`${name}_quarantine`, NO_QUARANTINE] as const),
  ]);
  const names = (await filesOf(dir)).filter((file) => file.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name) => ({
      path: relative('', join(dir, name)),
      isFile: true,
      sql: await readFile(join(dir, name), 'utf8'),
      reads,
      hint: `the tables are ${[...reads.keys()].join(', ')}`,
      isPart: false,
    })),
  );
}

/** Binds a piece in a transaction of its own, in which it sees the tables that it may read and no other. */
async function bind(db: DuckDBConnection, piece: Piece): Promise<Bound> {
  const at = (line = 1) => (piece.isFile ? `${piece.path}:${line}` : piece.path);
  let ast: AstNode;
  try {
    ast = await parseSelect(db, piece.sql);
  } catch (error) {
    const { message, line } = error as Error & { line?: number };
    return { faults: [{ path: at(line), message: `is not SQL that can be read: ${message}` }] };
  }
  const faults: Fault[] = piece.isPart
    ? partFaults(piece.sql, ast).map(({ line, message }) => ({ path: at(line), message }))
    : [];
  // Only these are made: a query may read any table, and to make all for each takes most of a check's time.
  const reads = new Map<string, string>();
  for (const [name, node] of tablesIn(ast)) {
    const columns = piece.reads.get(name.toLowerCase());
    if (columns !== undefined) reads.set(name.toLowerCase(), columns);
    else faults.push({ path: at(lineOf(piece.sql, node)), message: `reads "${name}"; ${piece.hint}` });
  }
  if (faults.length > 0) return { ast, faults };
  try {
    const columns = await withEmptyTables(db, reads, () =>
      rowsOf<{ column_name: string; column_type: string }>(db, `DESCRIBE ${piece.sql}`),
    );
    return { faults: [], ast, columns };
  } catch (error) {
    const line = Number(/LINE (\d+):/.exec(String(error))?.[1] ?? 1);
    const message = tellError(error)
      .replace(/\s*LINE \d+:.*$/, '')
      .replace(/!?\s*Candidate bindings:[\s:]*/, '; it could be ');
    return { ast, faults: [{ path: at(line), message }] };
  }
}

/** Works in a transaction in which there are these tables, each by a select list, without rows; nothing of it stays. */
export async function withEmptyTables<T>(
  db: DuckDBConnection,
  tables: ReadonlyMap<string, string>,
  work: () => Promise<T>,
): Promise<T> {
  const made = [...tables].map(
    ([name, columns]) => `CREATE TABLE ${quoteName(name)} AS SELECT ${columns} WHERE false`,
  );
  try {
    await db.run(['BEGIN', ...made].join('; '));
    return await work();
  } finally {
    await db.run('ROLLBACK');
  }
}

const CLOCKS = /^(?:current_(?:date|time|timestamp)|local(?:time|timestamp))$/i;

/** What a query may do that stands alone, but not a job's or an expectation's. */
function partFaults(
  sql: string,
  ast: AstNode,
): { readonly line: number | undefined; readonly message: string }[] {
  const code = codeOf(sql).trimEnd();
  const end = code.endsWith(';')
    ? [
        {
          line: code.split('\n').length,
          message: 'ends in a semicolon; leave it out: the SQL becomes part of a larger one',
        },
      ]
    : [];
  const clocks = nodesOf(ast).flatMap((node) => {
    const [name = ''] = node.column_names?.length === 1 ? node.column_names : [];
    const message = `${name.toLowerCase()} would give other rows in every run; take the instants that the data holds`;
    return CLOCKS.test(name) ? [{ line: lineOf(sql, node), message }] : [];
  });
  return [...end, ...clocks];
}

async function strayFiles(pipeline: Pipeline, dir: string): Promise<Fault[]> {
  const ends = [...Object.values(EXTENSIONS), '.cases.yaml'];
  const known = new Set(pipeline.jobs.flatMap(({ name }) => ends.map((end) => `${name}${end}`)));
  return (await filesOf(dir))
    .filter((name) => /\.(?:sql|py|ya?ml)$/.test(name) && !known.has(name))
    .map((name) => ({
      path: relative('', join(dir, name)),
      message: 'belongs to no job; define its job, or remove it',
    }));
}
