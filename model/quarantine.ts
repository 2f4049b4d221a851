import { int, text } from './column';
import type { SourceTable, Table } from './table';

/** The columns of every quarantine. */
export const QUARANTINE = {
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
  raw: text('The record as it came, at most 65,536 characters.', { pii: 'direct' }),
};

/** The lines of a source that were refused: where each stood, why it was refused, and what it said. */
export const quarantineOf = <Name extends string, Zone extends string>(
  source: SourceTable<Name, Zone>,
): SourceTable<`${Name}_quarantine`, Zone, typeof QUARANTINE> => ({
  name: `${source.name}_quarantine`,
  zone: source.zone,
  format: 'json',
  entity: source.entity,
  description: `Lines of ${source.name} that were refused.`,
  columns: QUARANTINE,
  expectations: [],
  maxQuarantinedShare: 1,
});

/** Whether anything of a table goes to quarantine: lines of a source, or rows that an expectation moves out. */
export const hasQuarantine = (table: Table): boolean =>
  table.format !== 'iceberg' || table.expectations.some(({ severity }) => severity === 'quarantine');
