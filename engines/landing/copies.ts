import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs';

/** A file that is the same as another, byte for byte. */
export interface Copy {
  readonly file: string;
  readonly sameAs: string;
}

/**
 * Which of the files are the same as one before them. Cheap where none is: of files of a size the beginnings are read,
 * and of those that begin alike the rest. Empty files hold no records, and are no copies.
 */
export async function copiesAmong(files: readonly string[]): Promise<readonly Copy[]> {
  const bySize = alikeIn(files, files.map(sizeOf)).filter(([first]) => first && sizeOf(first) > 0);
  const byHead = await alikeInEach(bySize, async (file) => headOf(file));
  const same = await alikeInEach(byHead, hashOf);
  return same.flatMap(([sameAs = '', ...others]) => others.map((file) => ({ file, sameAs })));
}

const HEAD_BYTES = 4096;

const sizeOf = (file: string) => statSync(file).size;

/** Groups of several files with the same mark. */
function alikeIn<T>(files: readonly string[], marks: readonly T[]): readonly (readonly string[])[] {
  const groups = new Map<T | undefined, string[]>();
  for (const [i, file] of files.entries()) groups.set(marks[i], [...(groups.get(marks[i]) ?? []), file]);
  return [...groups.values()].filter(({ length }) => length > 1);
}

async function alikeInEach(
  groups: readonly (readonly string[])[],
  markOf: (file: string) => Promise<string>,
): Promise<readonly (readonly string[])[]> {
  const found: (readonly string[])[] = [];
  for (const group of groups) {
    const marks: string[] = [];
    // One after the other: there may be thousands.
    for (const file of group) marks.push(await markOf(file));
    found.push(...alikeIn(group, marks));
  }
  return found;
}

/** In one go, and not by a stream: of many copies with other names in them, thousands are of one size. */
function headOf(path: string): string {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(HEAD_BYTES);
    return bytes.toString('latin1', 0, readSync(file, bytes));
  } finally {
    closeSync(file);
  }
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}
