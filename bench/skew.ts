import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { copiesOf, fingerprint, sourceFiles, wholeLines } from './copies';

/** A customer, and what their readings are known by. */
export interface Owner {
  readonly email: string;
  readonly serialNumber: string;
}

const USER = /("user"\s*:\s*")([^"]*)/;
const SERIAL = /("serialNumber"\s*:\s*")([^"]*)/;
const INSTANT = /("(?:timestamp|timeStamp|sensorReadingTime)"\s*:\s*)(\d+)/;
/** Longer than the readings of one copy last, so that those of two copies share no instant. */
const APART_MS = 3_600_011;

/** A reading of one of `owners` as a reading of `to`, later by a step for each copy; any other line as it is. */
export function handedTo(line: string, to: Owner, owners: ReadonlyMap<string, string>, copy: number): string {
  const user = USER.exec(line)?.[2];
  const serial = SERIAL.exec(line)?.[2];
  if (line.includes('"email"') || !(owners.has(user ?? '') || [...owners.values()].includes(serial ?? ''))) {
    return line;
  }
  return line
    .replace(USER, `$1${to.email}`)
    .replace(SERIAL, `$1${to.serialNumber}`)
    .replace(INSTANT, (_, before, instant) => `${before}${Number(instant) + copy * APART_MS}`);
}
