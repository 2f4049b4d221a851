// A real Trino in tests: Athena's engine version 3 is one. It runs in a Java process without a server, with tables in
// memory; tests/trino/TrinoLines.java says how one talks to it.
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { QueryColumn } from '../../engines/engine';
import { quoteName, quoteString } from '../../engines/sql';
import type { Column, ColumnType } from '../../model';
import { ROOT } from './lake';
import type { TextRows } from './rows';

const PROGRAM = join(ROOT, 'tests', 'trino', 'TrinoLines.java');
const POM = join(ROOT, 'tests', 'trino', 'pom.xml');
const JARS = join(ROOT, '.tools', 'trino');
/** A copy of the POM whose jars are there. */
const STAMP = join(JARS, 'pom.xml');
const OLDEST_JAVA = 17;

/** Why Trino can't run here; nothing where it can. Fetches its jars, 90 MB, where they are missing. */
function setUp(): string | undefined {
  // Of the `java` that will run: a machine may have several, and not all of them can compile.
  const jdk = spawnSync('java', ['--describe-module', 'jdk.compiler'], { encoding: 'utf8' });
  const version = Number(/^jdk\.compiler@(\d+)/.exec(jdk.stdout ?? '')?.[1] ?? 0);
  if (version < OLDEST_JAVA) {
    return `there is no JDK ${OLDEST_JAVA} or newer on PATH; on Debian and Ubuntu: sudo apt install default-jdk-headless`;
  }
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === readFileSync(POM, 'utf8')) return undefined;

  process.stderr.write('setting up Trino in .tools/trino …\n');
  const unfinished = `${JARS}.${process.pid}`;
  try {
    const { status, stdout, error } = spawnSync(
      'mvn',
      ['-B', '-q', '-f', POM, 'dependency:copy-dependencies', `-DoutputDirectory=${unfinished}`],
      { encoding: 'utf8', timeout: 600_000 },
    );
    if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') {
      return 'there is no Maven on PATH, which fetches Trino; on Debian and Ubuntu: sudo apt install maven';
    }
    if (status !== 0) {
      const [, why = error?.message ?? 'mvn does not say why'] =
        /\[ERROR\] (\S.*?)(?: ->|$)/m.exec(stdout) ?? [];
      return `Maven cannot fetch Trino: ${why}`;
    }
    copyFileSync(POM, join(unfinished, 'pom.xml'));
    rmSync(JARS, { recursive: true, force: true });
    renameSync(unfinished, JARS);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return undefined;
}

function isHere(): boolean {
  const reason = setUp();
  if (reason === undefined) return true;
  if (process.env.CI === 'true') throw new Error(reason);
  process.stderr.write(`tests on Trino are skipped: ${reason}\n`);
  return false;
}

/** `describe` for tests that need Trino; without it they are skipped, and in CI they fail. */
export const withTrino = isHere() ? describe : describe.skip;

export interface TrinoResult {
  readonly columns: readonly QueryColumn[];
  readonly rows: TextRows;
}

/** What TrinoLines.java answers. */
interface Answer {
  readonly columns: readonly string[];
  readonly types: readonly string[];
  readonly rows: TextRows;
  readonly error: string | null;
}

/** How Athena sees a stored column: of a source as text or number, of an Iceberg table with microseconds. */
const STORED: Readonly<Record<Exclude<ColumnType, 'decimal'>, string>> = {
  text: 'VARCHAR',
  int: 'BIGINT',
  double: 'DOUBLE',
  boolean: 'BOOLEAN',
  json: 'VARCHAR',
  isoInstant: 'VARCHAR',
  epochMillis: 'BIGINT',
  isoDate: 'VARCHAR',
  timestamp: 'TIMESTAMP(6)',
  date: 'DATE',
  pseudonym: 'VARCHAR',
};

/** What of a column says of which type it is. */
export type Typed = Pick<Column, 'type' | 'precision' | 'scale'>;

const storedType = ({ type, precision, scale }: Typed) =>
  type === 'decimal' ? `DECIMAL(${precision}, ${scale})` : STORED[type];

export class Trino {
  private readonly java: ChildProcessWithoutNullStreams;
  private readonly waiting: { resolve: (line: string) => void; reject: (reason: Error) => void }[] = [];
  private said = '';
  private ended: Error | undefined;

  /** The first answer takes some 5 s. */
  constructor() {
    // Its statements are many and small: compiling them well takes longer than running them does.
    const flags = ['-Xmx1g', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
    this.java = spawn('java', [...flags, '-cp', join(JARS, '*'), PROGRAM]);
    this.java.stderr.on('data', (chunk: Buffer) => {
      this.said = (this.said + chunk).slice(-2000);
    });
    createInterface(this.java.stdout).on('line', (line) => this.waiting.shift()?.resolve(line));
    // Of a process that ended, which is told below.
    this.java.stdin.on('error', () => undefined);
    this.java.once('close', (status) => {
      this.ended = new Error(`Trino's process ended with status ${status}:\n${this.said}`);
      for (const { reject } of this.waiting.splice(0)) reject(this.ended);
    });
  }

  /** The rows of one statement, with names of tables looked up in a schema, which is made where it is missing. */
  async ask(schema: string, sql: string): Promise<TrinoResult> {
    const line = await new Promise<string>((resolve, reject) => {
      if (this.ended) return reject(this.ended);
      this.waiting.push({ resolve, reject });
      this.java.stdin.write(`${JSON.stringify({ schema, sql })}\n`);
    });
    const { columns, types, rows, error }: Answer = JSON.parse(line);
    if (error !== null) throw new Error(`Trino says: ${error}`);
    return {
      columns: columns.map((name, i) => ({ name, type: kindOf(types[i] as string) })),
      rows: rows.map((row) =>
        row.map((value, i) => (value === null ? null : asText(value, types[i] as string))),
      ),
    };
  }

  /** Makes a table of rows of text, each column of the type in which a table stores it. */
  async load(schema: string, table: string, columns: Readonly<Record<string, Typed>>, rows: TextRows) {
    const list = Object.entries(columns).map(
      ([name, column], i) => `CAST(r[${i + 1}] AS ${storedType(column)}) AS ${quoteName(name)}`,
    );
    // One literal, however many rows: 5,000 rows of VALUES take Trino 6 s, and so 0.3 s.
    const values = `CAST(JSON ${quoteString(JSON.stringify(rows))} AS ARRAY(ARRAY(VARCHAR)))`;
    await this.ask(
      schema,
      `CREATE TABLE ${quoteName(table)} AS SELECT ${list.join(', ')} FROM UNNEST(${values}) AS t (r)`,
    );
  }

  async stop() {
    if (this.ended) return;
    const closed = new Promise((resolve) => this.java.once('close', resolve));
    this.java.kill();
    await closed;
  }
}

const FRACTIONS = /^(?:real|double|decimal)\b/;

function kindOf(type: string): QueryColumn['type'] {
  if (/^(?:tinyint|smallint|integer|bigint)$/.test(type) || FRACTIONS.test(type)) return 'number';
  if (/^timestamp\(\d+\)$/.test(type)) return 'instant';
  if (/^(?:varchar|char)\b/.test(type)) return 'text';
  return type === 'date' || type === 'boolean' ? type : 'other';
}

/** Trino's text of a value as DuckDB's engine would write it: 2.50 as 2.5, and instants to the millisecond. */
function asText(value: string, type: string): string {
  if (FRACTIONS.test(type)) return String(Number(value));
  if (kindOf(type) !== 'instant') return value;
  const [second = '', fraction = ''] = value.split('.');
  // What stands beyond the milliseconds stays: it is a difference.
  return `${second}.${fraction.padEnd(3, '0').replace(/(?<=^\d{3,})0+$/, '')}`;
}
