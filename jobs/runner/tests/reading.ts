// Compiles contracts for the tests of the runner: columns as JSON on stdin, their readings on stdout; of null, the SQL of people.
import { readFileSync } from 'node:fs';
import type { SourceTable } from '../../../model';
import { readingByRecord, readingOf } from '../../../model/landing';
import { PEOPLE } from '../../../model/manifest';

const asked = JSON.parse(readFileSync(0, 'utf8'));
const readings = ({
  share,
  ...contract
}: Pick<SourceTable, 'columns' | 'each' | 'format'> & { share: number }) => {
  const source = { name: 'readings', ...contract, maxQuarantinedShare: share } as SourceTable;
  return { reading: readingOf(source), records: readingByRecord(source) };
};
process.stdout.write(JSON.stringify(asked === null ? PEOPLE : readings(asked)));
