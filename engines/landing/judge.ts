import type { SourceTable } from '../../model';
import { openDatabase } from '../database';
import { landingDir } from './files';
import { type Landed, SourceReader } from './reader';

/** Reads the files of a source by its contract, as a run does, and keeps nothing but the account of it. */
export async function judge(table: SourceTable, data: string, files: readonly string[]): Promise<Landed> {
  const db = await openDatabase();
  try {
    await db.run('SET VARIABLE _kept = false');
    return await new SourceReader(db, table, landingDir(data, table)).read(files);
  } finally {
    db.closeSync();
  }
}
