import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Entity } from '../samples/stedi';

/** How many e-mails and serial numbers so many records share. */
export interface Names {
  readonly emails: number;
  readonly serialNumbers: number;
}

const BEGAN = Date.UTC(2022, 5, 18);

/**
 * The i-th record of each entity. Every e-mail comes with every serial number. Half of an e-mail's records are one
 * registration, each withdrawing or renewing what the one before it said; the others are registrations of their own.
 */
export function recordOf(entity: Entity, i: number, { emails, serialNumbers }: Names): object {
  const email = `p${i % emails}@example.com`;
  const serialNumber = `device-${Math.floor(i / Math.min(emails, 5)) % serialNumbers}`;
  const at = BEGAN + i * 1000;
  switch (entity) {
    case 'customer':
      return {
        customerName: 'Ada Example',
        email,
        phone: '5550100',
        birthDay: '1990-01-01',
        serialNumber,
        registrationDate: i % 4 < 2 ? BEGAN : at,
        lastUpdateDate: at,
        shareWithResearchAsOfDate: i % 2 === 0 ? 0 : at,
        shareWithPublicAsOfDate: 0,
        shareWithFriendsAsOfDate: 0,
      };
    case 'accelerometer':
      return { user: email, timestamp: at, x: 1.5, y: -0.5, z: 0.25 };
    case 'step_trainer':
      return { sensorReadingTime: at, serialNumber, distanceFromObject: i % 300 };
  }
}

/** The folder of so many records of each entity with such names. Made once. */
export async function namesUnder(under: string, records: number, names: Names): Promise<string> {
  const dir = join(under, `names-${records}-${names.emails}-${names.serialNumbers}`);
  if (await stat(dir).catch(() => undefined)) return dir;
  const unfinished = `${dir}.tmp`;
  await rm(unfinished, { recursive: true, force: true });
  for (const entity of ['customer', 'accelerometer', 'step_trainer'] as const) {
    const file = join(unfinished, entity, 'landing', `${entity}.json`);
    await mkdir(dirname(file), { recursive: true });
    const lines = function* () {
      for (let i = 0; i < records; i++) yield `${JSON.stringify(recordOf(entity, i, names))}\n`;
    };
    await pipeline(Readable.from(lines()), createWriteStream(file));
  }
  await rename(unfinished, dir);
  return dir;
}
