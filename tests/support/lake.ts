import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDbEngine } from '../../engines/duckdb/engine';
import type { Engine } from '../../engines/engine';
import type { Project } from '../../engines/project';
import type { Pipeline } from '../../model';

export const ROOT = join(__dirname, '..', '..');
export const JOBS = join(ROOT, 'jobs');

/** A lakehouse's folder that has the jobs of another folder, and the queries of this one. */
export const projectOf = (pipeline: Pipeline, jobs = JOBS): Project => ({
  dir: ROOT,
  jobs,
  queries: join(ROOT, 'queries'),
  definition: { name: 'test', description: 'A lakehouse', pipeline },
});
const CLI = join(ROOT, 'cli', 'lake.js');

/** A folder for the tests of a file, removed after them. */
export function temporaryDir(name: string): string {
  const dir = mkdtempSync(join(tmpdir(), `${name}-test-`));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export const engineOf = (lake: string, jobs = JOBS) => new DuckDbEngine({ lake, jobs });

/** What a query gives, with its rows as text. */
export async function result(engine: Pick<Engine, 'query'>, sql: string) {
  const { columns, rows } = await engine.query(sql);
  const all: (string | null)[][] = [];
  for await (const chunk of rows) all.push(...chunk.map((row) => [...row]));
  return { columns, rows: all };
}

/** The rows of {@link result}. */
export const answer = async (engine: Engine, sql: string) => (await result(engine, sql)).rows;

/** Everything below a folder, by relative path. */
export const namesBelow = (dir: string): string[] =>
  (readdirSync(dir, { recursive: true }) as string[]).toSorted();

/** Writes the lines of a source as one landing file. */
export async function writeLanding(data: string, entity: string, lines: readonly (string | Buffer)[]) {
  const dir = join(data, entity, 'landing');
  await mkdir(dir, { recursive: true });
  const bytes = lines.flatMap((line) => [Buffer.from(line as string), Buffer.from('\n')]);
  await writeFile(join(dir, 'part-0.json'), Buffer.concat(bytes));
}

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Makes a folder that is this lakehouse too. */
export function lakehouseIn(dir: string): string {
  mkdirSync(dir);
  writeFileSync(join(dir, 'lakehouse.ts'), `export { default } from '${ROOT}/lakehouse';\n`);
  for (const part of ['jobs', 'queries']) symlinkSync(join(ROOT, part), join(dir, part));
  return dir;
}

type Environment = Readonly<Record<string, string>>;

function environment(more: Environment): NodeJS.ProcessEnv {
  const { NO_COLOR, FORCE_COLOR, CI, ...rest } = process.env;
  return { ...rest, TERM: 'xterm-256color', ...more };
}

/** `lake` as a process that goes on. */
export const spawnLake = (args: readonly string[], env: Environment = {}, cwd = ROOT): ChildProcess =>
  spawn(process.execPath, [CLI, ...args], { cwd, env: environment(env), stdio: ['ignore', 'pipe', 'pipe'] });

/** What a process prints and how it ends. */
export function ended(child: ChildProcess): Promise<Ran> {
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) =>
      resolve({ status, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
    );
  });
}

export const lake = (args: readonly string[], env?: Environment, cwd?: string) =>
  ended(spawnLake(args, env, cwd));

const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

/** A shell command line, where `lake` stands for the command. */
export const shell = (command: string, env: Environment = {}) =>
  ended(
    spawn('bash', ['-c', `lake() { ${quoted(process.execPath)} ${quoted(CLI)} "$@"; }\n${command}`], {
      cwd: ROOT,
      env: environment(env),
    }),
  );

/** Whether `script` of util-linux is here, which gives a process a terminal of its own. */
export const hasTerminal = spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0;
if (!hasTerminal)
  process.stderr.write('tests on a terminal are skipped: there is no `script` of util-linux\n');

/** `lake` on a terminal of 80 columns, as a process that goes on; `stdout` is all that the terminal is sent. */
export function spawnLakeOnTerminal(args: readonly string[], env: Environment = {}): ChildProcess {
  const command = [process.execPath, CLI, ...args].map(quoted).join(' ');
  return spawn('script', ['-qec', `stty cols 80 rows 50; ${command}`, '/dev/null'], {
    cwd: ROOT,
    env: environment(env),
    stdio: 'pipe',
  });
}

export const lakeOnTerminal = (args: readonly string[], env?: Environment) =>
  ended(spawnLakeOnTerminal(args, env));
