import { chance, pick, type Random, uuid, whole } from '../random';
import type { Field } from './record';

// People registered in 2022 and moved in the first week of May 2023, fixed so that no run depends on today.
const REGISTERED_FROM = Date.UTC(2022, 0, 1);
const MOVED_FROM = Date.UTC(2023, 4, 1);
const DAYS_OF_MOVEMENT = 7;
const MINUTE = 60_000;
const DAY = 86_400_000;

/** The fulfilment defect: this many serial numbers went to most customers. */
export const SHARED_DEVICES = 30;
/** Every so many customers one owns a shared device for true, until all are given out. */
const OWNERS_APART = 3;

const FIRST_NAMES = [
  ...['Amara', 'Bruno', 'Céline', 'Dilnoza', 'Emeka', 'Freya', 'Gustavo', 'Hana', 'Ines', 'Jürgen', 'Kalani'],
  ...['Lucía', 'Mateus', 'Noor', 'Oona', 'Priya', 'Quentin', 'Rósa', 'Sione', 'Tariq', 'Ulrika', 'Zoë'],
] as unknown as readonly [string, ...string[]];
const LAST_NAMES = [
  ...['Abara', 'Beaumont', 'Castañeda', 'Dvořák', 'Eklund', 'Ferreira', 'Grünwald', 'Haddad', 'Ivanova'],
  ...['Juma', 'Kowalczyk', 'Lindqvist', 'Mbeki', 'Nakagawa', "O'Rourke", 'Petrov', 'Rahman', 'Tanaka'],
] as unknown as readonly [string, ...string[]];

/** Whether each record of one e-mail agrees to research, oldest first: late consent, withdrawal, change of mind. */
const HISTORIES = [
  [true, false],
  [false, true],
  [true, true],
  [true, false, true],
] as const;

/** A device whose serial number other customers were given too. */
export interface SharedDevice {
  readonly serialNumber: string;
  /** When its true owner moved. */
  readonly instants: readonly number[];
}

export interface Customer {
  readonly email: string;
  /** The customer's records on the website, oldest first. */
  readonly records: readonly (readonly Field[])[];
  /** What the device itself writes; the records of most customers say another one. */
  readonly device: string;
  /** When the customer moved, in epoch milliseconds; empty for those who never did. */
  readonly instants: readonly number[];
  /** Whether the device is one whose serial number others are given. */
  readonly shared: boolean;
}

interface Traits {
  readonly moves: boolean;
  readonly defective: boolean;
  /** Whether the customer moves at instants of the shared device's true owner too. */
  readonly coincides: boolean;
  readonly history: readonly boolean[];
}

// The smallest sample gives every zone a row too: a true owner, one who shares the number, one apart.
const OPENING: readonly Traits[] = [
  { moves: true, defective: false, coincides: false, history: [true] },
  { moves: true, defective: true, coincides: true, history: [true] },
  { moves: true, defective: false, coincides: false, history: [true] },
];

/**
 * The customer of an index, from 0. `devices` are the shared devices of the customers before: a parcel can only
 * repeat a number that is already out.
 */
export function customerOf(index: number, random: Random, devices: readonly SharedDevice[]): Customer {
  const shared = index % OWNERS_APART === 0 && index < SHARED_DEVICES * OWNERS_APART;
  const traits = OPENING[index] ?? traitsOf(random, shared);
  const first = pick(random, FIRST_NAMES);
  const last = pick(random, LAST_NAMES);
  const email = `${ascii(first)}.${ascii(last)}.${index + 1}@example.com`;
  const device = uuid(random);
  const given = traits.defective ? devices[whole(random, 0, devices.length - 1)] : undefined;
  const records = recordsOf(random, traits.history, {
    name: `${first} ${last}`,
    email,
    serialNumber: given?.serialNumber ?? device,
  });
  const instants = traits.moves ? sessionsOf(random) : [];
  if (traits.coincides && given !== undefined) instants.push(...coincidences(random, given.instants));
  return { email, records, device, instants, shared };
}

function traitsOf(random: Random, shared: boolean): Traits {
  return {
    moves: shared || chance(random, 0.5),
    defective: !shared && chance(random, 0.6),
    coincides: chance(random, 0.2),
    history: chance(random, 0.1) ? pick<readonly boolean[]>(random, HISTORIES) : [chance(random, 0.5)],
  };
}

const ascii = (name: string) =>
  name
    .normalize('NFD')
    .replace(/[^A-Za-z]/g, '')
    .toLowerCase();

interface Registration {
  readonly name: string;
  readonly email: string;
  readonly serialNumber: string;
}

function recordsOf(random: Random, history: readonly boolean[], { name, email, serialNumber }: Registration) {
  const registered = REGISTERED_FROM + whole(random, 0, 365 * DAY - 1);
  // One in four agrees only in the week of the readings, so that some of those are older than the consent.
  const agreed = chance(random, 0.25)
    ? MOVED_FROM + whole(random, 0, DAYS_OF_MOVEMENT * DAY)
    : registered + whole(random, 0, 60 * MINUTE);
  const birthDay = birthDayOf(random);
  let updated = registered;
  return history.map((agrees, i): readonly Field[] => {
    if (i > 0) updated += whole(random, 1, 30 * DAY);
    const since = Math.max(agreed, updated);
    if (agrees) updated = since;
    return [
      ['customerName', JSON.stringify(name)],
      ['email', JSON.stringify(email)],
      ['phone', `"20255501${String(whole(random, 0, 99)).padStart(2, '0')}"`],
      ['birthDay', `"${birthDay}"`],
      ['serialNumber', `"${serialNumber}"`],
      ['registrationDate', String(registered)],
      ['lastUpdateDate', String(updated)],
      ...consent(random, 'shareWithResearchAsOfDate', agrees, since),
      ...consent(random, 'shareWithPublicAsOfDate', chance(random, 0.5), since),
      ...consent(random, 'shareWithFriendsAsOfDate', chance(random, 0.5), since),
    ];
  });
}

/** Who does not agree has no such key, or a 0 there. */
function consent(random: Random, key: string, agrees: boolean, since: number): readonly Field[] {
  if (agrees) return [[key, String(since)]];
  return chance(random, 0.2) ? [[key, '0']] : [];
}

function birthDayOf(random: Random): string {
  // The website takes any year and writes none of its leading zeros.
  const year = chance(random, 0.01) ? whole(random, 100, 999) : whole(random, 1940, 2005);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${year}-${two(whole(random, 1, 12))}-${two(whole(random, 1, 28))}`;
}

/** One or two sessions on different days, each of 10 to 30 instants some seconds apart. */
function sessionsOf(random: Random): number[] {
  const instants: number[] = [];
  const day = whole(random, 0, DAYS_OF_MOVEMENT - 1);
  const days = chance(random, 0.4) ? [day, (day + whole(random, 1, 6)) % DAYS_OF_MOVEMENT] : [day];
  for (const d of days) {
    let instant = MOVED_FROM + d * DAY + whole(random, 6 * 60 * MINUTE, 21 * 60 * MINUTE);
    for (let left = whole(random, 10, 30); left > 0; left--) {
      instants.push(instant);
      instant += whole(random, 250, 5_000);
    }
  }
  return instants;
}

function coincidences(random: Random, instants: readonly number[]): readonly number[] {
  const from = whole(random, 0, instants.length - 1);
  return instants.slice(from, from + whole(random, 1, 5));
}
