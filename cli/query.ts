import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type QueryResult, UsageError } from '../engines/engine';
import { filesOf } from '../engines/job-code';
import type { Project } from '../engines/project';
import { openingComment } from '../engines/sql';
import { type EngineName, engineOf } from './engine';
import type { StackQueryOptions } from './query-stack';
import { fittedTable } from './table';
import { counted, wrapped } from './text';

const TABLE_ROWS = 1000;

export interface QueryOptions extends StackQueryOptions {
  readonly query?: string;
  readonly execute?: string;
  readonly lake: string;
  readonly format: 'table' | 'csv' | 'json';
  readonly engine: EngineName;
}

/** `lake query`. Throws a UsageError where it is not clear what to ask, a LakeError where the query fails. */
export async function queryCommand({ definition, ...dirs }: Project, options: QueryOptions): Promise<void> {
  if (options.query !== undefined && options.execute !== undefined) {
    throw new UsageError('give a query by name or with -e, not both');
  }
  if (options.query === undefined && options.execute === undefined) {
    return listQueries(dirs.queries);
  }
  const file = options.query === undefined ? undefined : await fileOf(dirs.queries, options.query);
  const sql = file === undefined ? (options.execute as string) : await readFile(file, 'utf8');
  const print = PRINTERS[options.format];
  if (options.stack !== undefined) {
    const { queryStack } = require('./query-stack') as typeof import('./query-stack');
    return queryStack(definition.pipeline, { sql, file }, options, print);
  }
  const engine = engineOf(options.engine, { lake: options.lake, jobs: dirs.jobs });
  await print(await engine.query(sql));
}

async function queriesIn(dir: string): Promise<string[]> {
  return (await filesOf(dir)).filter((name) => name.endsWith('.sql')).map((name) => name.slice(0, -4));
}

async function listQueries(dir: string): Promise<void> {
  const rows: string[][] = [];
  for (const name of (await queriesIn(dir)).sort()) {
    rows.push([name, openingComment(await readFile(join(dir, `${name}.sql`), 'utf8'))]);
  }
  const width = Math.max(...rows.map(([name = '']) => name.length));
  for (const [name = '', answer = ''] of rows) {
    await print(`${wrapped(`${name.padEnd(width)}  ${answer}`, ' '.repeat(width + 2))}\n`);
  }
}

async function fileOf(dir: string, nameOrFile: string): Promise<string> {
  const named = join(dir, `${nameOrFile}.sql`);
  if (/^[\w-]+$/.test(nameOrFile) && existsSync(named)) return named;
  if (existsSync(nameOrFile)) return nameOrFile;
  throw new UsageError(
    `no query and no file "${nameOrFile}"; the queries are ${(await queriesIn(dir)).sort().join(', ')}`,
  );
}

const PRINTERS: Readonly<Record<QueryOptions['format'], (result: QueryResult) => Promise<void>>> = {
  async table({ columns, rows }) {
    const shown: string[][] = [];
    let all = true;
    for await (const chunk of rows) {
      shown.push(...chunk.map((row) => row.map((value) => value ?? 'NULL')));
      all = shown.length <= TABLE_ROWS;
      if (!all) break;
    }
    const header = columns.map(({ name, type }) => ({ name, right: type === 'number' }));
    const { isTTY, columns: width } = process.stdout;
    await print(`${fittedTable(header, shown.slice(0, TABLE_ROWS), isTTY ? width : undefined)}\n`);
    await print(
      all
        ? `(${counted(shown.length, 'row')})\n`
        : `(the first ${counted(TABLE_ROWS, 'row')}; --format csv gives all)\n`,
    );
  },

  /** RFC 4180; NULL is an empty field, the empty string a quoted one. */
  async csv({ columns, rows }) {
    const field = (value: string | null) =>
      value === null
        ? ''
        : value === '' || /[",\r\n]/.test(value)
          ? `"${value.replaceAll('"', '""')}"`
          : value;
    const line = (values: readonly (string | null)[]) => `${values.map(field).join(',')}\n`;
    await print(line(columns.map((column) => column.name)));
    for await (const chunk of rows) await print(chunk.map(line).join(''));
  },

  /** An array with an object a row. */
  async json({ columns, rows }) {
    const names = columns.map((column) => column.name);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) {
      throw new UsageError(`two columns are called ${twice}, and an object has one; give them names with AS`);
    }
    const value = (text: string | null, i: number) => {
      const type = columns[i]?.type;
      const bare = text === null || (type === 'number' && /^-?\d/.test(text)) || type === 'boolean';
      return bare ? String(text) : type === 'other' ? (text as string) : JSON.stringify(text);
    };
    const object = (row: readonly (string | null)[]) =>
      `{${row.map((text, i) => `${JSON.stringify(columns[i]?.name)}:${value(text, i)}`).join(',')}}`;
    let separator = '[\n';
    for await (const chunk of rows) {
      if (chunk.length === 0) continue;
      await print(separator + chunk.map(object).join(',\n'));
      separator = ',\n';
    }
    await print(separator === '[\n' ? '[]\n' : '\n]\n');
  },
};

/** Waits for a slow reader, so that a large result stays out of memory. */
const print = (text: string) =>
  new Promise<void>((done) => {
    if (process.stdout.write(text)) done();
    else process.stdout.once('drain', done);
  });
