import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EXTENSIONS, type Job, type Language } from '../model';
import { LakeError } from './engine';

/** As people call it. */
export const LANGUAGES: Readonly<Record<Language, string>> = { sql: 'SQL', python: 'Python' };

/** The file of a job's code. */
export const codeFile = (dir: string, { name, language }: Pick<Job, 'name' | 'language'>) =>
  join(dir, `${name}${EXTENSIONS[language]}`);

/** A job's code as it is written. Throws a LakeError where its file is missing. */
export async function readCode(dir: string, job: Job): Promise<string> {
  try {
    return await readFile(codeFile(dir, job), 'utf8');
  } catch {
    throw new LakeError(
      `${codeFile(dir, job)} is missing: it is the ${LANGUAGES[job.language]} of the job ${job.name}`,
    );
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
