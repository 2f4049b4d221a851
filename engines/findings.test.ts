import { date, double, int, isoDate, lakehouse, pseudonym, shownColumns, text, timestamp } from '../model';
import type { QueryColumn } from './engine';
import cases from './finding-cases.json';
import { failureOf, findingText, masker } from './findings';

const words = lakehouse(['all']);
const person = words.source({
  name: 'person',
  zone: 'all',
  entity: 'person',
  description: 'P.',
  columns: {
    email: text('E.', { pii: 'direct' }),
    born: isoDate('B.', { pii: 'quasi' }),
    note: text('N.'),
    steps: int('S.'),
  },
});
const measure = words.table({
  name: 'measure',
  zone: 'all',
  description: 'M.',
  columns: {
    subject: pseudonym('S.'),
    at: timestamp('A.'),
    on: date('O.'),
    x: double('X.'),
    // The same name is personal in the other table.
    born: text('A place.'),
  },
});
const MASK = '•••';

interface Told {
  readonly finding: Parameters<typeof findingText>[0];
  readonly tables: Parameters<typeof findingText>[1];
  readonly text: string;
  readonly failure: string | null;
}

const column = (name: string, type: QueryColumn['type'] = 'text') => ({ name, type });

describe('what is shown of a bad row', () => {
  const shown = shownColumns(person, [measure], {
    counts: ['records', 'email'],
    sql: (table) => `SELECT p.*, m.subject, m.At, m.x, COUNT(*) AS records FROM ${table} p, measure m`,
  });
  const mask = masker(shown);

  test.each([
    ['note', 'text', 'a text'],
    ['steps', 'number', '4'],
    ['subject', 'text', 'ab12'],
    ['x', 'number', '-1.5'],
    ['at', 'instant', '2023-05-01 10:00:00.001'],
  ] as const)('the value of %s, which every table declares as not personal', (name, type, value) => {
    expect(mask(column(name, type), value)).toBe(value);
  });

  test.each([
    ['email', 'text', 'anna@example.com'],
    ['email', 'number', '7'],
    ['born', 'text', '1970-02-03'],
  ] as const)('not that of %s, which a table declares as personal', (name, type, value) => {
    expect(mask(column(name, type), value)).toBe(MASK);
  });

  test('no value is no secret', () => {
    expect(mask(column('email'), null)).toBeNull();
  });

  test.each(['12', '-3', '0'])('whole numbers in columns that are said to count: %s', (value) => {
    expect(mask(column('records', 'number'), value)).toBe(value);
  });

  test.each([
    ['contact', 'text', 'anna@example.com'],
    // A telephone number is a text of digits.
    ['contact', 'text', '2025550100'],
    ['born_in_year', 'number', '1970'],
    ['records', 'text', '12'],
    ['records', 'number', '1.5'],
    ['average', 'number', '1.5'],
    ['newest', 'instant', '1970-01-01 00:00:00.000'],
    ['is_bad', 'boolean', 'true'],
    // The query names no such column, so this is none that the other table vouches for.
    ['on', 'date', '2023-05-01'],
    // Names of columns are compared as they are: nothing vouches for these.
    ['Email', 'text', 'anna@example.com'],
    ['constructor', 'text', 'anna@example.com'],
    ['toString', 'text', 'anna@example.com'],
  ] as const)('nothing else: %s (%s) = %s', (name, type, value) => {
    expect(mask(column(name, type), value)).toBe(MASK);
  });
});

test.each(cases as readonly Told[])('$text', ({ finding, tables, text: line, failure }) => {
  expect(findingText(finding, tables)).toBe(line);
  expect(failureOf(finding) ?? null).toBe(failure);
});
