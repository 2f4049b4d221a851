import { relative } from 'node:path';
import type { SourceTable } from '../../model';
import { percent } from '../words';
import { landingDir } from './files';
import { type Refused, SourceReader } from './read-file';

/** What the lines of a source are worth, before anything is made of them. */
export interface Judgement {
  /** Lines that are not blank, of files that can be read. */
  readonly read: number;
  /** Refused lines, and files without any line. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Why a run would refuse the source; undefined where it would not. */
  readonly fault: string | undefined;
}

/** The first that was refused in a file, and how many there were. */
interface RefusedIn {
  readonly file: string;
  readonly first: Refused;
  count: number;
}

/**
 * Judges the files of a source by its contract, as a run does, in bounded memory: damaged files, or more refused lines
 * than the source's share, are its fault. Throws what the file system throws.
 */
export async function judge(table: SourceTable, data: string, files: readonly string[]): Promise<Judgement> {
  const source = new SourceReader(table);
  const landing = landingDir(data, table);
  const reasons: Record<string, number> = {};
  const refusedIn: RefusedIn[] = [];
  let accepted = 0;
  for (const path of files) {
    const plain = await source.plainLines(path);
    if (plain !== undefined) {
      accepted += plain;
      continue;
    }
    let found: RefusedIn | undefined;
    for await (const { count, refused } of source.read(path)) {
      accepted += count;
      for (const first of refused) {
        reasons[first.reason] = (reasons[first.reason] ?? 0) + 1;
        if (found) found.count++;
        else {
          found = { file: relative(landing, path), first: { ...first, raw: '' }, count: 1 };
          refusedIn.push(found);
        }
      }
    }
  }
  const { UNREADABLE_FILE: damaged = 0, EMPTY_FILE: empty = 0 } = reasons;
  const refused = Object.values(reasons).reduce((total, n) => total + n, 0) - damaged - empty;
  const read = accepted + refused;
  const faults: string[] = [];
  const tell = (which: (found: RefusedIn) => boolean) =>
    refusedIn.filter(which).map((found) => `  ${told(found)}`);
  if (damaged > 0) {
    faults.push(
      `${table.name}: ${damaged} file(s) cannot be read:`,
      ...tell(({ first }) => first.reason === 'UNREADABLE_FILE'),
    );
  }
  if (refused > table.maxQuarantinedShare * read) {
    const limit = `its limit is ${percent(table.maxQuarantinedShare)}`;
    faults.push(
      `${table.name}: ${refused} of ${read} lines would be in quarantine, ${percent(refused / read)}; ${limit}. The first of each file:`,
      ...tell(({ first }) => first.line > 0),
    );
  }
  return { read, reasons, fault: faults.length > 0 ? faults.join('\n') : undefined };
}

function told({ file, first, count }: RefusedIn): string {
  const line = first.line > 0 ? `, line ${first.line}` : '';
  const more = count > 1 ? ` (and ${count - 1} more)` : '';
  return `${file}${line}: ${first.reason}, ${first.detail}${more}`;
}
