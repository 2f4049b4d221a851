// Writes the schema of a manifest to where the runner reads it; a test says when that has to be done.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { manifestJsonSchema } from '../../model/manifest';

writeFileSync(
  join(__dirname, 'lakehouse_runner', 'manifest_schema.json'),
  `${JSON.stringify(manifestJsonSchema(), undefined, 2)}\n`,
);
