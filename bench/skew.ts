import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { renamed, sourceFiles, wholeLines } from './copies';

const EMAIL = /("(?:email|user)"\s*:\s*")([^"]*)/;
const SERIAL = /("serialNumber"\s*:\s*")([^"]*)/;
const INSTANT = /("(?:timestamp|sensorReadingTime)"\s*:\s*)(\d+)/;
/** Longer than one copy's readings last, so that those of two copies share no instant. */
const APART_MS = 3_600_011;

/** The owner of half of all readings: the first customer who agreed, as JSON lines of customers tell. */
export function ownerOf(customers: string): { readonly email: string; readonly serialNumber: string } {
  for (const line of customers.split('\n')) {
    const [email, serialNumber] = [EMAIL.exec(line)?.[2], SERIAL.exec(line)?.[2]];
    if (email && serialNumber && /"shareWithResearchAsOfDate"\s*:\s*[1-9]/.test(line))
      return { email, serialNumber };
  }
  throw new Error('no customer agreed: the data has nothing to make skewed');
}

/** A reading of anybody as one of the owner, later by a step a copy. */
export const handedTo = (line: string, owner: ReturnType<typeof ownerOf>, copy: number): string =>
  line
    .replace(EMAIL, `$1${owner.email}`)
    .replace(SERIAL, `$1${owner.serialNumber}`)
    .replace(INSTANT, (_, before, instant) => `${before}${Number(instant) + copy * APART_MS}`);

/**
 * The folder `<under>/skewed-<count>`: the copies of the data, but in half of them all readings are those of one
 * customer with one serial number. Kept for the next time; remove it where the data has changed.
 */
export async function skewedOf(data: string, count: number, under: string): Promise<string> {
  const dir = join(under, `skewed-${count}`);
  if (await readFile(join(dir, 'done.txt')).catch(() => undefined)) return dir;
  const files = await sourceFiles(data);
  const customers = files.filter((file) => file.startsWith('customer'));
  const texts = await Promise.all(customers.map((file) => readFile(join(data, file), 'utf8')));
  const owner = ownerOf(texts.join('\n'));
  const unfinished = `${dir}.tmp`;
  for (const old of [dir, unfinished]) await rm(old, { recursive: true, force: true });
  for (const file of files) {
    await mkdir(dirname(join(unfinished, file)), { recursive: true });
    const isSkewed = (copy: number) => !customers.includes(file) && copy % 2 === 0;
    for (let copy = 0; copy < count; copy++) {
      const to = join(unfinished, file.replace(/\.json$/, `-copy-${copy}.json`));
      await pipeline(
        Readable.from(wholeLines(join(data, file))),
        async function* (portions: AsyncIterable<string>) {
          for await (const lines of portions) {
            yield isSkewed(copy)
              ? lines
                  .split('\n')
                  .map((line) => handedTo(line, owner, copy))
                  .join('\n')
              : renamed(lines, copy);
          }
        },
        createWriteStream(to),
      );
    }
  }
  await writeFile(join(unfinished, 'done.txt'), '');
  await rename(unfinished, dir);
  return dir;
}
