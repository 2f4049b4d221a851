import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keptFolder, renamed, rewritten, sourceFiles } from './copies';

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
 * customer with one serial number.
 */
export async function skewedOf(data: string, count: number, under: string): Promise<string> {
  const customers = (await sourceFiles(data)).filter((file) => file.startsWith('customer'));
  const texts = await Promise.all(customers.map((file) => readFile(join(data, file), 'utf8')));
  const owner = ownerOf(texts.join('\n'));
  return keptFolder(join(under, `skewed-${count}`), data, async (file, unfinished) => {
    const isSkewed = (copy: number) => !customers.includes(file) && copy % 2 === 0;
    for (let copy = 0; copy < count; copy++) {
      const to = join(unfinished, file.replace(/\.json$/, `-copy-${copy}.json`));
      await rewritten(join(data, file), to, (lines) =>
        isSkewed(copy)
          ? lines
              .split('\n')
              .map((line) => handedTo(line, owner, copy))
              .join('\n')
          : renamed(lines, copy),
      );
    }
  });
}
