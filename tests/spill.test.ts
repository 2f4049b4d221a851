// What a query spills stands in the lake, however the query ends, and the next command removes it.
import { existsSync, mkdirSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { lake as pipeline } from '../pipeline';
import { writeSample } from '../samples/stedi';
import { ended, engineOf, lake, namesBelow, shell, spawnLake, temporaryDir } from './support/lake';
import { writeOtherSources } from './support/other-sources';

const dir = temporaryDir('spill');
const root = join(dir, 'lake');
const temporary = join(dir, 'tmp');
const spilled = () => (existsSync(join(root, 'tmp')) ? namesBelow(join(root, 'tmp')) : []);

/** Loaded before the command: DuckDB with so little memory that a query of a second spills. */
const LITTLE_MEMORY = `
const { DuckDBInstance } = require(${JSON.stringify(require.resolve('@duckdb/node-api'))});
const { create } = DuckDBInstance;
DuckDBInstance.create = (path, options) =>
  create.call(DuckDBInstance, path, { ...options, memory_limit: '80MB', threads: '1' });
`;
const preload = join(dir, 'memory.js');
const env = { NODE_OPTIONS: `--require ${preload}`, TMPDIR: temporary };
const SORTED =
  'SELECT * FROM (SELECT r.range, md5(r.range::VARCHAR) AS m FROM range(0, 8000000) r) ORDER BY m';
const query = ['query', '-e', SORTED, '--format', 'csv', '--lake', root];

beforeAll(async () => {
  mkdirSync(temporary);
  writeFileSync(preload, LITTLE_MEMORY);
  const data = join(dir, 'data');
  await writeSample(data, { customers: 2, seed: 1, dirty: 0 });
  await writeOtherSources(data, pipeline.sources);
  expect((await engineOf(root).run(pipeline, { data })).failures).toEqual([]);
});

afterEach(async () => {
  expect(spilled().some((name) => name.includes('duckdb_temp_storage'))).toBe(true);
  expect(namesBelow(temporary)).toEqual([]);
  expect((await lake(['query', '-e', 'SELECT 1 AS one', '--lake', root])).status).toBe(0);
  expect(existsSync(join(root, 'tmp'))).toBe(false);
});

function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    // It was closed meanwhile.
    return '';
  }
}

test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('a query that %s ends', async (signal) => {
  const child = spawnLake(query, env);
  const end = ended(child);
  while (!spilled().some((name) => name.includes('duckdb_temp_storage')) && child.exitCode === null)
    await pause(20);
  // What it has open, wherever that is: /tmp may be named by no variable.
  const files = `/proc/${child.pid}/fd`;
  const open = existsSync(files) ? readdirSync(files).map((fd) => targetOf(join(files, fd))) : [];
  expect(open.filter((path) => path.includes('duckdb_temp') && !path.startsWith(root))).toEqual([]);
  child.kill(signal);
  await end;
});

test('a query of which somebody reads one row', async () => {
  const { stdout } = await shell(`lake ${query.map((word) => `'${word}'`).join(' ')} | head -1`, env);
  expect(stdout).toBe('range,m\n');
});
