import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Job } from '../model';
import { LakeError } from './engine';

/** The file of a job's SQL. */
export const sqlFile = (dir: string, job: Job) => join(dir, `${job.name}.sql`);

/** A job's SQL as it is written. Throws a LakeError where its file is missing. */
export async function readSql(dir: string, job: Job): Promise<string> {
  try {
    return await readFile(sqlFile(dir, job), 'utf8');
  } catch {
    throw new LakeError(`${sqlFile(dir, job)} is missing: it is the SQL of the job ${job.name}`);
  }
}

/** The files of a folder of the lakehouse; one that has no query yet needs no folder for them. */
export async function filesOf(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
