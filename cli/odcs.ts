import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { LakeError } from '../engines/engine';
import type { Project } from '../engines/project';
import { contractSource, odcsOf } from '../standards/odcs';
import { counted } from './text';

/** `lake export odcs`: a file for each table in a folder. */
export async function exportOdcs({ definition }: Project, out: string): Promise<void> {
  const { name, pipeline } = definition;
  await mkdir(out, { recursive: true });
  for (const table of pipeline.tables.values()) {
    const job = pipeline.jobs.find(({ output }) => output === table);
    const files =
      table.format !== 'iceberg'
        ? `${table.entity}/landing/*`
        : `.lake/versions/*/${table.name}/**/*.parquet`;
    const contract = odcsOf(name, table, job, files);
    await writeFile(
      join(out, `${table.name}.odcs.yaml`),
      stringify(contract, { lineWidth: 110, aliasDuplicateObjects: false }),
    );
  }
  process.stdout.write(`${counted(pipeline.tables.size, 'contract')} in ${out}\n`);
}

/** `lake import odcs`: prints the tables of a contract. Throws a LakeError for a file that is none. */
export async function importOdcs(file: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  try {
    process.stdout.write(contractSource(parse(text)));
  } catch (error) {
    throw new LakeError(`${file}: ${(error as Error).message.split('\n')[0]}`);
  }
}
