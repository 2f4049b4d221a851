import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { lake } from '../pipeline';

const EMAIL = /("(?:email|user)"\s*:\s*"[^"@]*)@/g;
const SERIAL = /("serialNumber"\s*:\s*")[^"]{4}/g;

/**
 * Makes JSON lines belong to another population: `+17` before the @ of every e-mail, `0011` as the first four
 * digits of every serial number, for copy 17. Copy 0 stays as it is; all else keeps the source's own spelling.
 */
export function renamed(lines: string, copy: number): string {
  if (copy === 0) return lines;
  const prefix = copy.toString(16).padStart(4, '0');
  return lines.replace(EMAIL, `$1+${copy}@`).replace(SERIAL, (_, before) => `${before}${prefix}`);
}

/** Portions of a file of JSON lines that end where a line ends, each about 64 KiB. */
export async function* wholeLines(file: string): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of createReadStream(file, 'utf8') as AsyncIterable<string>) {
    const text = rest + chunk;
    const end = text.lastIndexOf('\n') + 1;
    rest = text.slice(end);
    if (end > 0) yield text.slice(0, end);
  }
  if (rest) yield rest;
}

/** The source's JSON files, relative to it: `customer/landing/a.json`. Throws where an entity has none. */
export async function sourceFiles(data: string): Promise<string[]> {
  const found = await Promise.all(
    lake.sources.map(async ({ entity }) => {
      const folder = join(entity, 'landing');
      const names = (await readdir(join(data, folder)).catch(() => [])).filter((n) => n.endsWith('.json'));
      if (names.length === 0) {
        throw new Error(`no *.json in ${join(data, folder)}: the data needs ${folder}/*.json`);
      }
      return names.map((name) => join(folder, name));
    }),
  );
  return found.flat().sort();
}

/** What a data set was made from: it is made anew where this differs. */
export async function fingerprint(data: string, files: readonly string[]): Promise<string> {
  const lines = await Promise.all(
    files.map(async (file) => {
      const { size, mtimeMs } = await stat(join(data, file));
      return `${file} ${size} ${mtimeMs}`;
    }),
  );
  return `${[resolve(data), ...lines].join('\n')}\n`;
}

/**
 * The folder `dir`, made file by file from the data: `make` writes what becomes of one file into an unfinished folder.
 * Kept for the next time, and made anew where the data has changed.
 */
export async function keptFolder(
  dir: string,
  data: string,
  make: (file: string, unfinished: string) => Promise<void>,
): Promise<string> {
  const files = await sourceFiles(data);
  const source = await fingerprint(data, files);
  if ((await readFile(join(dir, 'source.txt'), 'utf8').catch(() => '')) === source) return dir;

  const unfinished = `${dir}.tmp`;
  for (const old of [dir, unfinished]) await rm(old, { recursive: true, force: true });
  for (const file of files) {
    await mkdir(dirname(join(unfinished, file)), { recursive: true });
    await make(file, unfinished);
  }
  await writeFile(join(unfinished, 'source.txt'), source);
  await rename(unfinished, dir);
  return dir;
}

/** Writes a file of JSON lines anew, portion by portion. */
export const rewritten = (from: string, to: string, change: (lines: string) => string): Promise<void> =>
  pipeline(
    Readable.from(wholeLines(from)),
    async function* (portions: AsyncIterable<string>) {
      for await (const lines of portions) yield change(lines);
    },
    createWriteStream(to),
  );

/**
 * The folder `<under>/copies-<count>` with so many copies of the data, in as many files: every copy a
 * population of its own, consistent over the three entities.
 */
export const copiesOf = (data: string, count: number, under: string): Promise<string> =>
  keptFolder(join(under, `copies-${count}`), data, async (file, unfinished) => {
    for (let copy = 0; copy < count; copy++) {
      const to = join(unfinished, file.replace(/\.json$/, `-copy-${copy}.json`));
      await rewritten(join(data, file), to, (lines) => renamed(lines, copy));
    }
  });

/** Reads every landing file of the folder once, so that no measured run waits for the disk. Gives their bytes. */
export async function warm(dir: string): Promise<number> {
  let bytes = 0;
  for (const { entity } of lake.sources) {
    const landing = join(dir, entity, 'landing');
    for (const name of await readdir(landing)) {
      for await (const chunk of createReadStream(join(landing, name), { highWaterMark: 1 << 20 })) {
        bytes += (chunk as Buffer).length;
      }
    }
  }
  return bytes;
}
