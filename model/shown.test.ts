import { int, lakehouse, shownColumns, text } from '.';

const words = lakehouse(['all']);
const table = words.table({
  name: 'own',
  zone: 'all',
  description: 'O.',
  columns: { id: int('I.'), mail: text('M.', { pii: 'direct' }), place: text('P.') },
});
const other = words.table({
  name: 'other',
  zone: 'all',
  description: 'O.',
  columns: {
    id: int('I.'),
    // Personal here, and not in the table itself.
    place: text('P.', { pii: 'quasi' }),
    note: text('N.'),
    footnote: text('F.'),
    name: text('N.', { pii: 'direct' }),
  },
});
const e = (sql: string, counts: readonly string[] = []) => ({
  counts,
  sql: (of: string) => sql.replace('$', of),
});

test('columns of the table itself are shown where nobody says that they are personal', () => {
  expect(shownColumns(table, [], e('SELECT * FROM $'))).toEqual({ columns: ['id', 'place'], counts: [] });
  expect(shownColumns(table, [other], e('SELECT t.* FROM $ t, other o'))).toEqual({
    columns: ['id'],
    counts: [],
  });
});

test('columns of another table are shown where the query names them', () => {
  const { columns } = shownColumns(table, [other], e('SELECT o.NOTE, o.name FROM $ t, other o'));
  expect(columns).toEqual(['id', 'note']);
});

test('what counts is no personal column', () => {
  const { counts } = shownColumns(table, [other], e('SELECT 1 FROM $', ['rows', 'mail', 'name', 'toString']));
  expect(counts).toEqual(['rows', 'toString']);
});
