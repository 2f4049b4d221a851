import { mkdir, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { date, day, int, keySql, lakehouse, text, timestamp } from '../../model';
import { temporaryDir } from '../../tests/support/lake';
import { soak } from '../../tests/support/soak';
import { parquetIn, rowsOf, withDatabase } from '../database';
import { quoteString } from '../sql';
import { list } from '../store';
import { filesOfRows, listKeys, rowsWith } from './keys';

const root = temporaryDir('keys');
const table = lakehouse(['made']).table({
  name: 't',
  zone: 'made',
  description: 'T.',
  columns: {
    a: text('A.', { nullable: true }),
    b: int('B.'),
    seen: timestamp('C.'),
    born: date('D.'),
  },
});
const KEYS = ['a', 'b', day('seen'), 'born'] as const;

const row = fc
  .record({
    a: fc.option(fc.constantFrom('', 'a', 'b', ' ', 'NULL'), { freq: 4 }),
    b: fc.integer({ min: -2, max: 3 }),
    hour: fc.nat(60),
  })
  .map(
    ({ a, b, hour }) =>
      `(${a === null ? 'NULL::VARCHAR' : `'${a}'`}, ${b}, TIMESTAMP '2026-01-01' + INTERVAL '${hour}' HOUR, DATE '2026-01-01' + ${b})`,
  );
const among = (rows: readonly string[]) => `(VALUES ${rows.join(', ')}) t(a, b, seen, born)`;

test('every file that holds a value is read, and no other of which a list says what it holds', async () => {
  let dirs = 0;
  await withDatabase((db) =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(row, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 }),
        fc.array(row, { minLength: 1, maxLength: 2 }),
        fc.constantFrom(...KEYS),
        fc.constantFrom('are all there', 'are not all there', 'are not all readable'),
        async (files, sought, key, lists) => {
          const dir = join(root, String(dirs++));
          await mkdir(dir);
          for (const [i, rows] of files.entries())
            await db.run(
              `COPY (FROM ${among(rows)}) TO ${quoteString(join(dir, `part-${i}.parquet`))} (FORMAT parquet)`,
            );
          await listKeys(db, table, KEYS, await filesOfRows(dir));
          for (const name of (await list(dir)).filter((one) => one.startsWith('part-0.parquet.'))) {
            if (lists === 'are not all there') await rm(join(dir, name));
            if (lists === 'are not all readable') await truncate(join(dir, name), 9);
          }
          const values = `SELECT ${keySql('t', key)} AS key FROM ${among(sought)}`;
          const filesIn = (rows: string, where: string) =>
            rowsOf(db, `SELECT DISTINCT file FROM ${rows} t WHERE ${where} ORDER BY file`);
          const named = ", filename='file'";
          const isSought = `EXISTS (FROM (${values}) v WHERE v.key IS NOT DISTINCT FROM ${keySql('t', key)})`;
          const rows = await rowsWith(db, dir, key, values, named);
          const holding = await filesIn(parquetIn(dir, named), isSought);
          expect(await filesIn(rows, isSought)).toEqual(holding);
          if (lists === 'are all there') expect(await filesIn(rows, 'true')).toEqual(holding);
        },
      ),
      { numRuns: soak(40) },
    ),
  );
});
