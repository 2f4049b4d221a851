// Compiles contracts for the tests of the runner: columns as JSON on stdin, their reading on stdout.
import { readFileSync } from 'node:fs';
import type { SourceTable } from '../../../model';
import { readingOf } from '../../../model/reading';

const { columns, share } = JSON.parse(readFileSync(0, 'utf8'));
const table = { name: 'readings', columns, maxQuarantinedShare: share };
process.stdout.write(JSON.stringify(readingOf(table as SourceTable)));
