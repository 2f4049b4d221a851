import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { rowsOf } from '../engines/database';
import { DuckDbEngine } from '../engines/duckdb/engine';
import { lake } from '../pipeline';

/** Also of what is spilled. */
const IN_TABLES = `SELECT (memory_usage_bytes + temporary_storage_bytes)::BIGINT AS bytes
  FROM duckdb_memory() WHERE tag = 'IN_MEMORY_TABLE'`;

/** For tests/memory.test.ts, in a process of its own: lands 100 MB of bad lines below a folder, and says what was kept meanwhile. */
async function main(dir: string) {
  const { create } = DuckDBInstance;
  const databases: DuckDBConnection[] = [];
  DuckDBInstance.create = async (path, options) => {
    const instance = await create.call(DuckDBInstance, path, options);
    databases.push(await instance.connect());
    return instance;
  };
  const landing = join(dir, 'data', 'customer', 'landing');
  mkdirSync(landing, { recursive: true });
  for (let i = 0; i < 300_000; i += 1000)
    writeFileSync(
      join(landing, 'bad.json'),
      Array.from({ length: 1000 }, (_, j) => badLine(i + j)).join(''),
      {
        flag: 'a',
      },
    );
  const kept = { node: 0, duckdb: 0 };
  const timer = setInterval(async () => {
    // What is garbage by now is of no interest.
    gc?.();
    const { heapUsed, external } = process.memoryUsage();
    kept.node = Math.max(kept.node, heapUsed + external);
    for (const db of databases) {
      const [tables] = await rowsOf<{ bytes: number }>(db, IN_TABLES);
      kept.duckdb = Math.max(kept.duckdb, tables?.bytes ?? 0);
    }
  }, 200);
  const engine = new DuckDbEngine({ lake: join(dir, 'lake'), jobs: join(__dirname, '..', 'jobs') });
  const { summary } = await engine.run(lake, { data: join(dir, 'data'), only: ['customer_trusted'] });
  clearInterval(timer);
  const landed = summary.tables.find(({ table }) => table === 'customer_landing');
  process.stdout.write(JSON.stringify({ quarantined: landed?.quarantined, ...kept }));
}

/** Each kind in its turn, and each line unlike all others. The one that is cut off ends where the next record begins. */
const badLine = (i: number) =>
  [
    `{"customerName":"customer number ${i}","email":"${'e'.repeat(260)}${i}@example.com"}\n`,
    `customer number ${i};${'e'.repeat(260)}${i}@example.com\n`,
    `{"customerName":"customer number ${i}","email":"${'e'.repeat(260)}${i}\n`,
  ][i % 3] as string;

main(process.argv[2] as string);
