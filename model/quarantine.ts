import { int, text } from './column';
import type { SourceTable, Table } from './table';

/** The columns of every quarantine. */
export const QUARANTINE = {
  file: text('The file, from the folder of the source.'),
  line: int('Number of the line, from 1.'),
  reason: text('Why it was refused, in one word or two.'),
  detail: text('Why it was refused, with keys and types and without values.', { nullable: true }),
  raw: text('The line as it came.', { pii: 'direct' }),
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
  table.format === 'json' || table.expectations.some(({ severity }) => severity === 'quarantine');
