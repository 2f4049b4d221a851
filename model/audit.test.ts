import { auditOf, date, expectation, int, lakehouse, text, timestamp, unmatchedOf } from '.';

const words = lakehouse(['all']);
const people = words.table({
  name: 'people',
  zone: 'all',
  description: 'P.',
  columns: { who: text('W.'), born: date('B.') },
  keys: [['who']],
  expectations: [
    expectation({
      name: 'old',
      severity: 'quarantine',
      description: 'Is old.',
      columns: ['who', 'born'],
      sql: (table) => `SELECT t.who, t.born FROM ${table} t WHERE t.born > DATE '2000-01-01'`,
    }),
  ],
});

test('what moves rows is checked first, then all else of the contract', () => {
  expect(auditOf(people, []).map(({ name, severity }) => [name, severity])).toEqual([
    ['old', 'quarantine'],
    ['required_values', 'fail'],
    ['unique_who', 'fail'],
  ]);
});

test('a check is SQL that counts, shows and moves', () => {
  const bad = "SELECT t.who, t.born FROM people t WHERE t.born > DATE '2000-01-01'";
  const isBad = `EXISTS (SELECT 1 FROM (${bad}) b WHERE b.who IS NOT DISTINCT FROM t.who AND b.born IS NOT DISTINCT FROM t.born)`;
  expect(auditOf(people, [])[0]).toEqual({
    name: 'old',
    severity: 'quarantine',
    shown: { columns: ['who', 'born'], counts: [] },
    count: `SELECT 'old' AS name, COUNT(*) AS failed, CAST(NULL AS BIGINT) AS affected FROM (${bad})`,
    samples: `SELECT * FROM (${bad}) ORDER BY ALL NULLS LAST LIMIT 5`,
    moves: {
      gone: `SELECT t.* FROM people t WHERE ${isBad}`,
      kept: `SELECT t.* FROM people t WHERE NOT ${isBad}`,
    },
  });
});

test('driving rows that gave none are those whose keys no row of the output has', () => {
  const steps = words.table({
    name: 'steps',
    zone: 'all',
    description: 'S.',
    columns: { at: timestamp('A.'), device: text('D.'), n: int('N.') },
  });
  const job = words.job({ output: people, inputs: [steps], description: 'P.' });
  expect(unmatchedOf(job)).toBeUndefined();
  expect(unmatchedOf({ ...job, drivenBy: { at: 'born', device: 'who' } })).toEqual({
    keys: 'SELECT d.at AS born, d.device AS who FROM steps d',
    count:
      'SELECT COUNT(*) AS unmatched FROM _driving d LEFT JOIN people o ON o.born = d.born AND o.who = d.who WHERE o.born IS NULL',
  });
});
