import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { quoteString } from '../sql';
import { openDatabase, rowsOf } from './database';
import { makePseudonyms } from './pseudonyms';

test('a pseudonym is the HMAC-SHA-256 of the UTF-8 value', async () => {
  const db = await openDatabase();
  const value = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0') && text.isWellFormed());
  const key = fc.uint8Array({ minLength: 32, maxLength: 64 });
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(value, { minLength: 1 }), key, async (values, bytes) => {
      // Every value twice: a table of pseudonyms with a value twice would double rows when it is joined.
      const rows = [...values, ...values].map((text) => `(${quoteString(text)})`);
      await makePseudonyms(
        db,
        `SELECT * FROM (VALUES ${rows.join(', ')}, (NULL)) v(value)`,
        Buffer.from(bytes),
      );
      const found = await rowsOf<{ value: string; pseudonym: string }>(db, 'SELECT * FROM _pseudonyms');
      expect(found).toHaveLength(values.length);
      for (const row of found) {
        expect(row.pseudonym).toBe(createHmac('sha256', bytes).update(row.value, 'utf8').digest('hex'));
      }
    }),
  );
  db.closeSync();
});
