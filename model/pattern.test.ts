import fc from 'fast-check';
import { openDatabase, rowsOf } from '../engines/database';
import { sequencesOf } from './pattern';
import { quoteString } from './sql';

const times = fc.oneof(fc.constantFrom('', '?', '*', '+', '{2}', '{1,3}'));
const one = fc
  .tuple(fc.constantFrom('a', 'Z', '-', '/', '\\.', '\\$', '[a-c]', '[A-C0-2_.]', '[\\]a\\-]'), times)
  .map((parts) => parts.join(''));
const { pattern } = fc.letrec<{ pattern: string; part: string }>((tie) => ({
  pattern: fc
    .array(fc.array(tie('part'), { maxLength: 4 }), { minLength: 1, maxLength: 3 })
    .map((all) => all.map((parts) => parts.join('')).join('|')),
  part: fc.oneof(
    { maxDepth: 2 },
    one,
    fc.tuple(tie('pattern'), fc.constantFrom('', '?', '*', '+')).map(([inner, sign]) => `(${inner})${sign}`),
  ),
}));

describe('the pattern of a text', () => {
  it('means the same to DuckDB as to JavaScript, of which it takes any that is within the rules', async () => {
    const db = await openDatabase();
    const texts = fc.array(fc.string({ unit: fc.constantFrom(...'aZ-/.$bC0_]1'), maxLength: 8 }), {
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(pattern, texts, async (given, some) => {
        expect(sequencesOf(given).length).toBeGreaterThan(0);
        const whole = new RegExp(`^(?:${given})$`);
        const list = [...some, ''];
        const [row] = await rowsOf<{ found: string }>(
          db,
          `SELECT list_transform([${list.map(quoteString)}], lambda t: regexp_full_match(t, ${quoteString(given)}))::VARCHAR AS found`,
        );
        expect(JSON.parse(row?.found ?? '')).toEqual(list.map((text) => whole.test(text)));
      }),
      { numRuns: 200 },
    );
    db.closeSync();
  });

  it.each([
    ['[A-Z', 'at 1 should be a character'],
    ['ab"', 'at 3 should be a character'],
    ['a.c', 'at 2 should be a character'],
    ['[^a]', 'at 1 should be a character'],
    ['[az-a]', 'at 7 a class ranges from'],
    ['a**', 'at 3 should be a character'],
    ['(?i)a', 'at 2 should be a character'],
    ['^a$', 'at 1 should be a character'],
    ['\\d', 'at 1 should be a character'],
    ['a{2,1}', 'at 7 should come how often'],
    ['a{2,}', 'at 2 should be a character'],
    ['(ab', 'at 4 a group should end'],
    ['ab)', 'at 3 a group should begin'],
  ])('%s is none', (given, why) => {
    expect(() => sequencesOf(given)).toThrow(`its pattern is "${given}"; ${why}`);
  });
});
