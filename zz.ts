import { forgottenOf, text } from './model';
import { openDatabase, rowsOf } from './engines/duckdb/database';
import { readyList } from './engines/duckdb/forgotten';
import { Suppression } from './engines/suppression';
(async () => {
  const db = await openDatabase();
  const c = { columns: { customerName: text('A', { pii: 'direct' }), email: text('e', { identifies: 'person' }), serialNumber: text('s', { identifies: 'device' }) } };
  const list = new Suppression(Buffer.alloc(32)).with({ person: ['a@b'], device: ['d1'], hint: ['Anna Schmidt'] }, '2026-01-01T00:00:00Z');
  await readyList(db, list);
  await db.run(`CREATE TEMP TABLE _refused AS SELECT 1 AS id, '{"email":"a@b","x":1' AS raw`);
  const sql = forgottenOf(c).refused;
  console.log(sql.length);
  for (let i = 0; i < 2; i++) { const t = performance.now(); await rowsOf(db, sql); console.log((performance.now() - t) | 0); }
  const t = performance.now(); await db.prepare(sql); console.log('prepare', (performance.now() - t) | 0);
  await db.run('PRAGMA enable_profiling=json'); await db.run("PRAGMA profiling_output='/tmp/prof.json'"); await db.run("PRAGMA profiling_mode='detailed'");
  await rowsOf(db, sql);
  db.closeSync();
})();
