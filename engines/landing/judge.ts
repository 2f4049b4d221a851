import { readingOf, type SourceTable } from '../../model';
import { openDatabase } from '../database';
import { landingDir } from './files';
import { type Judged, SourceReader, verdictOn } from './reader';

/** Reads the files of a source by its contract, as a run does, and keeps nothing but the account of it. */
export async function judge(table: SourceTable, data: string, files: readonly string[]): Promise<Judged> {
  const db = await openDatabase();
  try {
    await db.run('SET VARIABLE _kept = false');
    const landed = await new SourceReader(db, table, landingDir(data, table)).read(files);
    return { ...landed, failure: await verdictOn(db, readingOf(table), landed) };
  } finally {
    db.closeSync();
  }
}
