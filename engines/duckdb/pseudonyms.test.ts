import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { openDatabase, rowsOf } from '../database';
import { quoteString } from '../sql';
import { pseudonymOf, readyPseudonyms } from './pseudonyms';

test('a pseudonym is the HMAC-SHA-256 of the UTF-8 value', async () => {
  const db = await openDatabase();
  const value = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0') && text.isWellFormed());
  const key = fc.uint8Array({ minLength: 32, maxLength: 64 });
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(value, { minLength: 1 }), key, async (values, bytes) => {
      // Every value twice: a table of pseudonyms with a value twice would double rows when it is joined.
      const rows = [...values, ...values].map((text) => `(${quoteString(text)})`);
      await readyPseudonyms(
        db,
        `SELECT * FROM (VALUES ${rows.join(', ')}, (NULL)) v(value)`,
        Buffer.from(bytes),
      );
      const found = await rowsOf<{ value: string; pseudonym: string }>(db, 'SELECT * FROM _pseudonyms');
      expect(found).toHaveLength(values.length);
      const hmac = (text: string) => createHmac('sha256', bytes).update(text, 'utf8').digest('hex');
      for (const row of found) expect(row.pseudonym).toBe(hmac(row.value));

      // What was not foreseen is hashed where it stands.
      const { expression, join } = pseudonymOf('v.value', 'p');
      const [unforeseen] = await rowsOf<{ pseudonym: string; none: null }>(
        db,
        `SELECT ${expression} AS pseudonym, _pseudonym(NULL) AS none FROM (VALUES ('not among them, ☃')) v(value) ${join}`,
      );
      expect(unforeseen).toEqual({ pseudonym: hmac('not among them, ☃'), none: null });
    }),
  );
  db.closeSync();
});
