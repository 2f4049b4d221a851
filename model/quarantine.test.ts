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
      line: int('Number of the line that it begins on, from 1; none for a file that is refused as a whole.', {
        nullable: true,
      }),
      record: int(
        'Which record it is, from 1: of its line where that has several, of the file where it has no line number.',
        { nullable: true },
      ),
      reason: text('Why it was refused, in one word or two.'),
      detail: text('Why it was refused, with keys and types and without values.', { nullable: true }),
      // Whatever the source wrote, a name or an address too.
      raw: text('The record as it came, at most 65,536 characters.', { pii: 'direct' }),
    },
    expectations: [],
    maxQuarantinedShare: 1,
  });
});
