import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';

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
  const byHead = await alikeInEach(bySize, (file) => hashOf(file, HEAD_BYTES));
  const same = await alikeInEach(byHead, (file) => hashOf(file));
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

async function hashOf(file: string, bytes = Number.POSITIVE_INFINITY): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { end: bytes - 1, highWaterMark: 1 << 20 }))
    hash.update(chunk);
  return hash.digest('hex');
}
