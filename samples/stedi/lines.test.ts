import fc from 'fast-check';
import { accelerometerLanding, customerLanding, stepTrainerLanding } from '../../pipeline/landing';
import { readingTests } from '../../tests/support/reading';
import { SampleError } from '../error';
import { ENTITIES, FAULT_KINDS, FAULTS, type SampleLine, type SampleOptions, sampleLines } from '.';

const TABLES = {
  customer: customerLanding,
  accelerometer: accelerometerLanding,
  step_trainer: stepTrainerLanding,
};

const options = fc.record({
  seed: fc.integer({ min: 0, max: 0xffff_ffff }),
  customers: fc.integer({ min: 1, max: 60 }),
  // No fc.double: nearly all that it draws from are too small to make a line faulty.
  dirty: fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100),
});

type Json = Record<string, string | number | undefined>;

/** What a good line says of the columns, by the names that these have. */
function accepted({ entity, text }: SampleLine): Json {
  const said = Object.entries(JSON.parse(text.toString().trim().replace(/,$/, '')) as Json);
  const record: Json = {};
  for (const [name, { aliases }] of Object.entries(TABLES[entity].columns)) {
    const keys = [name, ...aliases].map((key) => key.toLowerCase());
    const [, value] = said.find(([key]) => keys.includes(key.toLowerCase())) ?? [];
    if (value !== undefined && value !== null) record[name] = value;
  }
  return record;
}

const { read } = readingTests();

const clean = (customers: number, seed: number) => [...sampleLines({ customers, seed, dirty: 0 })];

describe('sampleLines', () => {
  test('gives good lines that are accepted and faulty ones that are refused for the stated reason', async () => {
    await fc.assert(
      fc.asyncProperty(options, async (o: SampleOptions) => {
        const lines = [...sampleLines(o)];
        for (const entity of ENTITIES) {
          const own = lines.filter((line) => line.entity === entity);
          // A broken line may be one with a broken line after it, so they stand apart.
          const apart = own.map(({ text }) => Buffer.concat([Buffer.from(text), Buffer.from('\n{}\n')]));
          const { landed, refused } = await read(TABLES[entity], { 'all.json': Buffer.concat(apart) });
          const reasons = refused.flatMap(({ line, reason }) => (Number(line) % 2 ? [[line, reason]] : []));
          const faults = own.flatMap(({ fault }, i) => (fault ? [[2 * i + 1, fault]] : []));
          expect(reasons).toEqual(faults);
          expect(landed.accepted).toBe(own.length - faults.length);
        }
      }),
      { numRuns: 15 },
    );
  });

  test('gives the same lines for the same options, and others for another seed', () => {
    fc.assert(
      fc.property(options, fc.integer({ min: 1, max: 1000 }), (o, step) => {
        const lines = [...sampleLines(o)];
        expect([...sampleLines(o)]).toEqual(lines);
        expect([...sampleLines({ ...o, seed: (o.seed + step) % 2 ** 32 })]).not.toEqual(lines);
      }),
      { numRuns: 15 },
    );
  });

  test('begins a larger sample with the lines of a smaller one', () => {
    const few = clean(40, 3);
    expect(clean(80, 3).slice(0, few.length)).toEqual(few);
  });

  test('spreads the asked share of faulty lines, to the line, and changes no other', () => {
    fc.assert(
      fc.property(options, (o) => {
        const good = clean(o.customers, o.seed);
        const lines = [...sampleLines(o)];
        expect(lines.filter((l, i) => l.fault === undefined && l.text !== good[i]?.text)).toEqual([]);
        for (const entity of ENTITIES) {
          const own = lines.filter((l) => l.entity === entity);
          const faulty = own.filter((l) => l.fault !== undefined).length;
          expect(Math.abs(faulty - own.length * o.dirty)).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 20 },
    );
  });

  test('has its faulty lines at other places for another seed', () => {
    const firstFault = (seed: number) =>
      [...sampleLines({ customers: 100, seed, dirty: 0.01 })]
        .filter((l) => l.entity === 'accelerometer')
        .findIndex((l) => l.fault !== undefined);
    expect(new Set([1, 2, 3, 4, 5].map(firstFault)).size).toBeGreaterThan(1);
  });

  test('ends faulty lines with a comma too where a file has one after every object', () => {
    const second = [...sampleLines({ customers: 1000, seed: 1, dirty: 1 })].filter((l) =>
      /-0002/.test(l.file),
    );
    expect(second.some((l) => typeof l.text !== 'string')).toBe(true);
    for (const { text } of second) expect(Buffer.from(text).at(-1)).toBe(','.charCodeAt(0));
  });

  test('shows every reason in a sample of usual size', () => {
    const seen = new Set([...sampleLines({ customers: 1000, seed: 1, dirty: 0.02 })].map((l) => l.fault));
    const reasons = new Set(FAULT_KINDS.map((kind) => FAULTS[kind].reason));
    for (const reason of reasons) expect(seen).toContain(reason);
  });

  test.each([
    [{ customers: 0, seed: 1, dirty: 0 }, /customers is 0/],
    [{ customers: 1.5, seed: 1, dirty: 0 }, /customers is 1.5/],
    [{ customers: 1, seed: -1, dirty: 0 }, /seed is -1/],
    [{ customers: 1, seed: 2 ** 32, dirty: 0 }, /seed is 4294967296/],
    [{ customers: 1, seed: 1, dirty: 1.01 }, /dirty is 1.01/],
    [{ customers: Number.NaN, seed: 1, dirty: Number.NaN }, /customers is NaN.*dirty is NaN/],
  ])('refuses %j', (o, message) => {
    expect(() => sampleLines(o).next()).toThrow(SampleError);
    expect(() => sampleLines(o).next()).toThrow(message);
  });

  test('is lazy: a million customers cost nothing until they are asked for', () => {
    const lines = sampleLines({ customers: 1_000_000, seed: 1, dirty: 0.01 });
    expect(lines.next().value).toMatchObject({ entity: 'customer', file: 'customer-0001.json' });
  });
});

function groupBy<T, K>(items: readonly T[], key: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

const groups = <T>(items: readonly T[], key: (item: T) => unknown): T[][] => [
  ...groupBy(items, key).values(),
];

describe('the people of a sample', () => {
  const lines = clean(1000, 1);
  const rowsOf = (entity: SampleLine['entity']) => lines.filter((l) => l.entity === entity).map(accepted);
  const customers = rowsOf('customer');
  const movements = rowsOf('accelerometer');
  const steps = rowsOf('step_trainer');
  const emails = new Set(customers.map((c) => c.email));
  const agrees = (c: Json) => Number(c.shareWithResearchAsOfDate ?? 0) > 0;

  test('agree, say no by a missing key, or by a 0', () => {
    for (const key of [
      'shareWithResearchAsOfDate',
      'shareWithPublicAsOfDate',
      'shareWithFriendsAsOfDate',
    ] as const) {
      const values = customers.map((c) => c[key]);
      const share = values.filter((v) => Number(v ?? 0) > 0).length / values.length;
      expect(share).toBeGreaterThan(0.4);
      expect(share).toBeLessThan(0.6);
      expect(values).toContain(0);
      expect(values).toContain(undefined);
    }
  });

  test('leave several records now and then, and some withdraw', () => {
    expect(emails.size).toBe(1000);
    const several = groups(customers, (c) => c.email).filter((g) => g.length > 1);
    expect(several.length).toBeGreaterThan(50);
    for (const records of several) {
      const times = records.map((r) => Number(r.lastUpdateDate));
      expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b));
    }
    expect(several.filter((g) => agrees(g[0] as Json) && !agrees(g.at(-1) as Json)).length).toBeGreaterThan(
      5,
    );
  });

  test('never agree before they register', () => {
    for (const c of customers.filter(agrees)) {
      expect(c.shareWithResearchAsOfDate).toBeGreaterThanOrEqual(Number(c.registrationDate));
      expect(c.lastUpdateDate).toBeGreaterThanOrEqual(Number(c.shareWithResearchAsOfDate));
    }
  });

  test('mostly have one of 30 serial numbers', () => {
    const byDevice = groups(customers, (c) => c.serialNumber).map((g) => new Set(g.map((c) => c.email)).size);
    const shared = byDevice.filter((people) => people > 1);
    expect(shared).toHaveLength(30);
    const share = shared.reduce((a, b) => a + b) / emails.size;
    expect(share).toBeGreaterThan(0.5);
    expect(share).toBeLessThan(0.75);
  });

  test('move in about half of the cases, on several days, before and after they agree', () => {
    const movers = new Set(movements.map((m) => m.user));
    for (const user of movers) expect(emails).toContain(user);
    expect(movers.size / emails.size).toBeGreaterThan(0.4);
    expect(movers.size / emails.size).toBeLessThan(0.6);
    expect(new Set(movements.map((m) => new Date(Number(m.timestamp)).toISOString().slice(0, 10))).size).toBe(
      7,
    );
    const since = new Map(
      customers.filter(agrees).map((c) => [c.email, Number(c.shareWithResearchAsOfDate)] as const),
    );
    const after = movements.flatMap((m) => {
      const consent = since.get(m.user);
      return consent === undefined ? [] : [Number(m.timestamp) >= consent];
    });
    expect(after.filter((a) => a).length).toBeGreaterThan(1000);
    expect(after.filter((a) => !a).length).toBeGreaterThan(100);
  });

  test('have steps with one to three movements of the same instant, and either alone', () => {
    const moved = groupBy(movements, (m) => Number(m.timestamp));
    const stepped = new Set(steps.map((s) => Number(s.sensorReadingTime)));
    const counts = groups(movements, (m) => `${m.user} ${m.timestamp}`).map((g) => g.length);
    for (const n of [1, 2, 3])
      expect(counts.filter((c) => c === n).length / counts.length).toBeGreaterThan(0.25);
    const alone = [...moved.keys()].filter((t) => !stepped.has(t)).length / moved.size;
    expect(alone).toBeGreaterThan(0.03);
    expect(alone).toBeLessThan(0.2);
    const unmoved = [...stepped].filter((t) => !moved.has(t)).length / stepped.size;
    expect(unmoved).toBeGreaterThan(0.03);
    expect(unmoved).toBeLessThan(0.2);
  });

  test('are fictional: reserved mail domain and telephone numbers', () => {
    for (const c of customers) {
      expect(c.email).toMatch(/^[a-z]+\.[a-z]+\.\d+@example\.com$/);
      expect(c.phone).toMatch(/^20255501\d\d$/);
    }
  });

  test.each([1, 2, 3])('pair from the first on, and clash with the second, seed %i', (seed) => {
    const first = clean(2, seed);
    const of = (entity: SampleLine['entity']) => first.filter((l) => l.entity === entity).map(accepted);
    const [owner, other] = of('customer') as [Json, Json];
    expect([owner, other].map(agrees)).toEqual([true, true]);
    expect(other.serialNumber).toBe(owner.serialNumber);
    const stepped = of('step_trainer')
      .filter((s) => s.serialNumber === owner.serialNumber)
      .map((s) => s.sensorReadingTime);
    const paired = (c: Json) =>
      of('accelerometer').filter((m) => m.user === c.email && stepped.includes(m.timestamp));
    expect(paired(owner).length).toBeGreaterThan(10);
    expect(paired(other).length).toBeGreaterThan(0);
  });

  test('who share a serial number move at the same instant now and then', () => {
    const owners = groupBy(customers.filter(agrees), (c) => c.email as string);
    const claimants = new Map<string, Set<unknown>>();
    for (const m of movements) {
      const device = owners.get(m.user as string)?.[0]?.serialNumber;
      if (device === undefined) continue;
      const key = `${device} ${m.timestamp}`;
      claimants.set(key, (claimants.get(key) ?? new Set()).add(m.user));
    }
    const paired = steps.map((s) => claimants.get(`${s.serialNumber} ${s.sensorReadingTime}`)?.size ?? 0);
    expect(paired.filter((n) => n === 1).length).toBeGreaterThan(1000);
    expect(paired.filter((n) => n > 1).length).toBeGreaterThan(10);
  });
});
