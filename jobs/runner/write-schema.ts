// Writes the schemas of what the runner is told to where it reads them; a test says when that has to be done.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jsonSchemas } from '../../model/manifest';

for (const [name, schema] of Object.entries(jsonSchemas())) {
  writeFileSync(
    join(__dirname, 'lakehouse_runner', `${name}_schema.json`),
    `${JSON.stringify(schema, undefined, 2)}\n`,
  );
}
