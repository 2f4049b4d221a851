import { date, double, int, isoDate, lakehouse, pseudonym, text, timestamp } from '../model';
import { masker } from './mask';

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

describe('what is shown of a bad row', () => {
  const mask = masker([person, measure], {
    counts: ['records', 'email'],
    sql: (table) => `SELECT p.*, m.subject, m.At, m.x, COUNT(*) AS records FROM ${table} p, measure m`,
  });

  test.each([
    ['note', 'a text', 'a text'],
    ['steps', 4, '4'],
    ['subject', 'ab12', 'ab12'],
    ['x', -1.5, '-1.5'],
    ['at', new Date('2023-05-01T10:00:00.001Z'), '2023-05-01T10:00:00.001Z'],
  ])('the value of %s, which every table declares as not personal', (column, value, shown) => {
    expect(mask(column, value)).toBe(shown);
  });

  test.each([
    ['email', 'anna@example.com'],
    ['email', 7],
    ['born', '1970-02-03'],
  ])('not that of %s, which a table declares as personal', (column, value) => {
    expect(mask(column, value)).toBe(MASK);
  });

  test('no value is no secret', () => {
    expect([mask('email', null), mask('email', undefined)]).toEqual(['NULL', 'NULL']);
  });

  test('whole numbers in columns that are said to count', () => {
    expect([mask('records', 12), mask('records', -3n), mask('records', 0)]).toEqual(['12', '-3', '0']);
  });

  test.each([
    ['contact', 'anna@example.com'],
    // A telephone number is a text of digits.
    ['contact', '2025550100'],
    ['born_in_year', 1970],
    ['records', '12'],
    ['records', 1.5],
    ['average', 1.5],
    ['newest', new Date(0)],
    ['is_bad', true],
    // The query names no such column, so this is none that the other table vouches for.
    ['on', '2023-05-01'],
    // Names of columns are compared as they are: nothing vouches for these.
    ['Email', 'anna@example.com'],
    ['constructor', 'anna@example.com'],
    ['toString', 'anna@example.com'],
  ])('nothing else: %s = %s', (column, value) => {
    expect(mask(column, value)).toBe(MASK);
  });
});
