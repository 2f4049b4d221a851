// Who agreed, on data of the shapes in which customers really register.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import type { RunRequest } from '../engines/engine';
import { lake as pipeline } from '../pipeline';
import { answer, engineOf, JOBS, ROOT, temporaryDir, writeLanding } from './support/lake';

const dir = temporaryDir('consent');
const NOW = Date.UTC(2023, 4, 1);

interface Registered {
  readonly email: string;
  readonly serialNumber: string;
  readonly registrationDate: number;
  readonly lastUpdateDate: number;
  readonly shareWithResearchAsOfDate?: number | null;
}

const record = (parts: Registered) => ({
  customerName: 'Ada Example',
  phone: '5550100',
  birthDay: '1990-02-28',
  ...parts,
});

let lakes = 0;

/** Runs customer_trusted on records; gives the lake. */
async function trust(records: readonly Registered[] | Buffer, request: Partial<RunRequest> = {}) {
  const name = `lake-${++lakes}`;
  const data = join(dir, `data-${name}`);
  await writeLanding(
    data,
    'customer',
    Buffer.isBuffer(records) ? [records] : records.map((each) => JSON.stringify(record(each))),
  );
  const engine = engineOf(join(dir, name), JOBS);
  const { failures, summary } = await engine.run(pipeline, { data, only: ['customer_trusted'], ...request });
  expect(failures).toEqual([]);
  return { engine, rows: summary.tables.at(-1)?.written, seconds: summary.tables.at(-1)?.seconds ?? 0 };
}

/**
 * As the original data of the course: 999 records of 609 e-mails with 30 serial numbers, each record a registration of
 * its own. Of those who registered twice, 103 agreed in the first one only.
 */
function courseLike(): Registered[] {
  const registration = (person: number, nth: number, agrees: boolean): Registered => {
    const at = NOW - (609 - person) * 60_000 + nth * 1000;
    return {
      email: `person.${person}@example.com`,
      serialNumber: `device-${(person + nth) % 30}`,
      registrationDate: at,
      lastUpdateDate: at,
      ...(agrees && { shareWithResearchAsOfDate: at }),
    };
  };
  const twice = [
    ...Array<[boolean, boolean]>(103).fill([true, false]),
    ...Array<[boolean, boolean]>(100).fill([false, true]),
    ...Array<[boolean, boolean]>(90).fill([true, true]),
    ...Array<[boolean, boolean]>(97).fill([false, false]),
  ];
  const once = [...Array<[boolean]>(114).fill([true]), ...Array<[boolean]>(105).fill([false])];
  return [...twice, ...once].flatMap((answers, person) =>
    answers.map((agrees, nth) => registration(person, nth, agrees)),
  );
}

test('of data like the original of the course, every registration that agrees is kept', async () => {
  const records = courseLike();
  const distinct = (key: keyof Registered) => new Set(records.map((each) => each[key])).size;
  expect([records.length, distinct('email'), distinct('serialNumber')]).toEqual([999, 609, 30]);
  const { rows, engine } = await trust(records);
  expect(rows).toBe(497);
  // By e-mail alone, the second registration would take away the first one's consent.
  const byEmail = await answer(
    engine,
    `SELECT COUNT(*) FROM customer_trusted c WHERE NOT EXISTS (SELECT 1 FROM customer_landing w
     WHERE w.email = c.email AND w.lastUpdateDate >= epoch_ms(c.lastUpdateDate) AND w.shareWithResearchAsOfDate IS NULL)`,
  );
  expect(byEmail).toEqual([['394']]);
});

const shared = resolve(ROOT, '..', 'shared', 'cases', 'two-registrations.customer.json');
(existsSync(shared) ? test : test.skip)('a second registration takes nothing from the first', async () => {
  const { rows, engine } = await trust(await readFile(shared));
  expect(rows).toBe(1);
  expect(await answer(engine, 'SELECT serialNumber FROM customer_trusted')).toEqual([['sn-1']]);
});

const spelled = resolve(ROOT, '..', 'shared', 'cases', 'withdrawn-in-other-spelling.customer.json');
(existsSync(spelled) ? test : test.skip)('a withdrawal counts however the e-mail is spelled', async () => {
  expect((await trust(await readFile(spelled))).rows).toBe(0);
});

test.each([
  ['its case', 'ada@example.com', 'ADA@Example.COM'],
  ['white space of Unicode', 'ada@example.com', '\u2003\tada@example.com\u00a0\u0085'],
  ['marks that are composed or not', 'zoë@example.com', 'ZOE\u0308@example.com'],
  ['Greek at the end of a word', 'ΟΔΟΣ@example.com', 'οδοσ@example.com'],
])('an e-mail is the same whatever %s', async (_what, email, other) => {
  const agreed = {
    ...{ email, serialNumber: 'device-1', registrationDate: NOW, lastUpdateDate: NOW },
    shareWithResearchAsOfDate: NOW,
  };
  const { engine, rows } = await trust([{ ...agreed, email: other }]);
  expect(rows).toBe(1);
  // Landing keeps what was written.
  expect(await answer(engine, 'SELECT email FROM customer_landing')).toEqual([[other]]);
  const [[form]] = (await answer(engine, 'SELECT email FROM customer_trusted')) as [[string]];
  expect(await answer((await trust([agreed])).engine, 'SELECT email FROM customer_trusted')).toEqual([
    [form],
  ]);
  const withdrawn = { ...agreed, email: other, lastUpdateDate: NOW + 1, shareWithResearchAsOfDate: 0 };
  expect((await trust([agreed, withdrawn])).rows).toBe(0);
});

test('a consent counts from its date on, by one time of the whole run', async () => {
  const at = { registrationDate: NOW, lastUpdateDate: NOW };
  const records = [0, 1, 2].map((hours) => ({
    ...at,
    email: `${hours}@example.com`,
    serialNumber: `device-${hours}`,
    shareWithResearchAsOfDate: NOW + hours * 3_600_000,
  }));
  const kept = async (time: Date) => (await trust(records, { time })).rows;
  expect(await kept(new Date(NOW - 1))).toBe(0);
  expect(await kept(new Date(NOW))).toBe(1);
  expect(await kept(new Date(NOW + 3_599_999))).toBe(1);
  expect(await kept(new Date(NOW + 3_600_000))).toBe(2);
  expect((await trust(records)).rows).toBe(3);
  const nextYear = [{ ...(records[0] as Registered), shareWithResearchAsOfDate: Date.now() + 3.2e10 }];
  expect((await trust(nextYear)).rows).toBe(0);
});

/** The rule in words of its own: a record is kept where it agrees, and no record of its registration takes that back. */
function keptOf(records: readonly Registered[], now: number): Registered[] {
  const agrees = ({ shareWithResearchAsOfDate: since }: Registered) => !!since && since <= now;
  return records.filter(
    (own) =>
      agrees(own) &&
      !records.some(
        (other) =>
          other.email === own.email &&
          other.registrationDate === own.registrationDate &&
          other.lastUpdateDate >= own.lastUpdateDate &&
          !agrees(other),
      ),
  );
}

test('whatever is registered, the rows are those of the rule', async () => {
  // Few values, so that they meet.
  const instant = fc.integer({ min: NOW - 2, max: NOW + 2 });
  const records = fc.array(
    fc.record({
      email: fc.constantFrom('a@example.com', 'b@example.com'),
      serialNumber: fc.constantFrom('s-1', 's-2'),
      registrationDate: fc.constantFrom(NOW - 10, NOW - 9),
      lastUpdateDate: instant,
      shareWithResearchAsOfDate: fc.oneof(
        { weight: 3, arbitrary: instant },
        { weight: 1, arbitrary: fc.constantFrom(0, null) },
      ),
    }),
    { minLength: 1, maxLength: 8 },
  );
  const textOf = (each: Registered) =>
    [each.email, each.serialNumber, each.registrationDate, each.lastUpdateDate].join(' ');
  await fc.assert(
    fc.asyncProperty(records, async (all) => {
      const { engine } = await trust(all, { time: new Date(NOW) });
      const rows = await answer(
        engine,
        `SELECT email, serialNumber, epoch_ms(registrationDate), epoch_ms(lastUpdateDate) FROM customer_trusted`,
      );
      expect(rows.map((row) => row.join(' ')).toSorted()).toEqual(keptOf(all, NOW).map(textOf).toSorted());
    }),
    { seed: 20_230_501, numRuns: 60 },
  );
});

test('80,000 records of one e-mail take about the time of as many e-mails', async () => {
  const records = (emails: number) =>
    Array.from({ length: 80_000 }, (_, i) => ({
      email: `${i % emails}@example.com`,
      serialNumber: `device-${i % emails}`,
      registrationDate: NOW - 80_000_000,
      lastUpdateDate: NOW - 80_000_000 + i,
      shareWithResearchAsOfDate: i % 2 === 0 ? 0 : NOW - 80_000_000,
    }));
  const distinct = await trust(records(80_000));
  const one = await trust(records(1));
  expect([distinct.rows, one.rows]).toEqual([40_000, 1]);
  // By pairs it took 48 s.
  expect(one.seconds).toBeLessThan(1 + 3 * distinct.seconds);
});
