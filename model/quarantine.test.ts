import { int, lakehouse, quarantineOf, text } from '.';

const words = lakehouse(['raw']);
const source = words.source({
  name: 'reading_raw',
  zone: 'raw',
  entity: 'reading',
  description: 'A reading.',
  columns: { x: int('X.') },
  maxQuarantinedShare: 0.2,
});

test('the refused lines of a source are a source of its zone, by where they stood and what they said', () => {
  expect(quarantineOf(source)).toStrictEqual({
    name: 'reading_raw_quarantine',
    zone: 'raw',
    format: 'json',
    entity: 'reading',
    description: 'Lines of reading_raw that were refused.',
    columns: {
      file: text('The file, from the folder of the source.'),
      line: int('Number of the line, from 1.'),
      reason: text('Why it was refused, in one word or two.'),
      detail: text('Why it was refused, with keys and types and without values.', { nullable: true }),
      // Whatever the source wrote, a name or an address too.
      raw: text('The line as it came.', { pii: 'direct' }),
    },
    expectations: [],
    maxQuarantinedShare: 1,
  });
});
