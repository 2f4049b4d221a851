import fc from 'fast-check';
import { parameter } from '../model';
import { openDatabase, rowsOf } from './database';
import { LakeError } from './engine';
import {
  codeOf,
  masked,
  openingComment,
  parametersOf,
  quoteName,
  quoteString,
  tokensOf,
  withParameters,
} from './sql';

const mode = parameter('mode', 'How.', ['on', 'off']);
const other = parameter('other_1', 'What.', ['x', 'y']);

// Pieces of SQL of which only the last kind holds a parameter.
const piece: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    "':mode'",
    "'it''s :mode'",
    '":mode"',
    '"a"":mode"',
    '-- :mode\n',
    "-- it's :mode\n",
    '/* :mode\n :mode */',
    "/* ' */",
    'a::mode',
    'a: mode',
    ':1',
    ' 10:30 ',
    'SELECT a\nFROM t',
  ),
  fc.constantFrom(':mode', ':other_1'),
);

test('pieces join to the SQL again, each with the line on which it begins', () => {
  const any = fc.string({ unit: fc.constantFrom(...'\'"-/*:\n\\ aB1_é😀$') });
  fc.assert(
    fc.property(
      fc.oneof(
        any,
        fc.array(piece).map((all) => all.join(' ')),
      ),
      (sql) => {
        let before = '';
        for (const { text, line } of tokensOf(sql)) {
          expect(line).toBe(before.split('\n').length);
          before += text;
        }
        expect(before).toBe(sql);
        expect(codeOf(sql)).toHaveLength(sql.length);
        expect(codeOf(sql).split('\n')).toHaveLength(sql.split('\n').length);
      },
    ),
  );
});

test('a quote written twice is part of its string or name', () => {
  expect(tokensOf(`'it''s'"a""b"`)).toEqual([
    { kind: 'string', text: "'it''s'", line: 1 },
    { kind: 'name', text: '"a""b"', line: 1 },
  ]);
});

test('the code of a SQL is what no quote and no comment holds', () => {
  expect(codeOf(`SELECT 'a;' -- b;\n  "c;", d /* e\n;*/ ; :mode`)).toBe(
    `SELECT           \n      , d     \n    ;      `,
  );
});

describe('parameters', () => {
  test('count outside strings, quoted names, comments and casts, and take their values there only', () => {
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const isUse = (text: string) => text === ':mode' || text === ':other_1';
        const sql = pieces.join(' ');
        const lineOf = (text: string) => pieces.slice(0, pieces.indexOf(text)).join(' ').split('\n').length;
        const used = [...new Set(pieces.filter(isUse))].map((text) => [text.slice(1), lineOf(text)]);
        expect([...parametersOf(sql)]).toEqual(used);
        const values = { mode: 'on', other_1: "x'y" };
        const expected = pieces.map((text) =>
          text === ':mode' ? "'on'" : text === ':other_1' ? "'x''y'" : text,
        );
        expect(withParameters(sql, [mode, other], values)).toBe(expected.join(' '));
      }),
    );
  });

  test('a name ends where a word does', () => {
    expect([...parametersOf('(:mode)=:modest,:mode_2||:Mode').keys()]).toEqual([
      'mode',
      'modest',
      'mode_2',
      'Mode',
    ]);
  });

  test('an undeclared one, and one without a value, are errors', () => {
    expect(() => withParameters('SELECT :mood', [mode, other], { mood: 'x' })).toThrow(
      new LakeError('the SQL uses :mood, which is not among the declared parameters (mode, other_1)'),
    );
    expect(() => withParameters('SELECT :mood', [], {})).toThrow(
      new LakeError('the SQL uses :mood, which is not among the declared parameters (none)'),
    );
    expect(() => withParameters('SELECT :mode', [mode], {})).toThrow(
      new LakeError('the SQL uses :mode, and this run gives it no value'),
    );
  });
});

describe('quoting', () => {
  test('brings any text through DuckDB as it is, as a string and as a name', async () => {
    const db = await openDatabase();
    try {
      // DuckDB's text has no NUL, and a lone surrogate is no Unicode.
      const text = fc
        .oneof(
          fc.string({ unit: 'grapheme' }),
          fc.string({ unit: fc.constantFrom("'", '"', '\\', '\n', '-', '$', ';', ':', 'a') }),
        )
        .filter((t) => !t.includes('\0'));
      await fc.assert(
        fc.asyncProperty(text, async (value) => {
          const [row] = await rowsOf<{ v: string }>(db, `SELECT ${quoteString(value)} AS v`);
          expect(row).toEqual({ v: value });
          const name = `n${value}`;
          const [named] = await rowsOf<object>(db, `SELECT 1 AS ${quoteName(name)}`);
          expect(Object.keys(named as object)).toEqual([name]);
        }),
      );
    } finally {
      db.closeSync();
    }
  });
});

describe('masking', () => {
  const plain = fc.string({ unit: fc.constantFrom(...'abc 019.:\n()') });
  const quote = fc.constantFrom("'", '"');
  // A value as engines quote it: as it is, with quotes of its own and all.
  const value = fc.string({ unit: fc.constantFrom(...'XYZ\'"\\\n ') });

  test('leaves nothing of any quoted value, and the words around', () => {
    fc.assert(
      fc.property(plain, fc.array(fc.tuple(quote, value, plain), { minLength: 1 }), (start, quoted) => {
        const text = start + quoted.map(([q, v, after]) => q + v + q + after).join('');
        expect(masked(text)).toBe(`${start}'…'${quoted.at(-1)?.[2]}`);
      }),
    );
  });

  test('leaves nothing of a value that is cut off', () => {
    expect(masked("Could not convert string 'anna@exam")).toBe("Could not convert string '…'");
  });

  test('leaves a text without quotes alone', () => {
    fc.assert(fc.property(plain, (text) => expect(masked(text)).toBe(text)));
  });

  test('hides what DuckDB quotes of the data', () => {
    expect(
      masked(`Could not convert string 'O'Neill' to INT32 when casting from column "phone" at row 3`),
    ).toBe("Could not convert string '…' at row 3");
  });
});

describe('openingComment', () => {
  test.each([
    ['-- What it answers.\n-- More.\nSELECT 1', 'What it answers.'],
    ['--What it answers. \r\nSELECT 1', 'What it answers.'],
    ['SELECT 1 -- not this', ''],
    ['\n-- not the first line\nSELECT 1', ''],
    ['--\n-- empty\nSELECT 1', ''],
    ['', ''],
  ])('%j begins with %j', (sql, comment) => {
    expect(openingComment(sql)).toBe(comment);
  });
});
