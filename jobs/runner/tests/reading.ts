// Compiles contracts for the tests of the runner: columns as JSON on stdin, their reading on stdout; of null, the SQL of people.
import { readFileSync } from 'node:fs';
import type { SourceTable } from '../../../model';
import { readingOf } from '../../../model/landing';
import { PEOPLE } from '../../../model/manifest';

const asked = JSON.parse(readFileSync(0, 'utf8'));
const reading = ({ share, ...table }: Pick<SourceTable, 'columns' | 'format'> & { share: number }) =>
  readingOf({ name: 'readings', ...table, maxQuarantinedShare: share } as SourceTable);
process.stdout.write(JSON.stringify(asked === null ? PEOPLE : reading(asked)));
