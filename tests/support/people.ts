import fc from 'fast-check';
import type { Entity } from '../../samples/stedi';
import { normalised } from './listed';

/** People of a generated lake: who they are, with which devices, and when they moved. */
export interface World {
  readonly people: readonly {
    readonly email: string;
    readonly spelled: readonly string[];
    readonly customerName: string;
    readonly phone: string;
    readonly devices: readonly string[];
    readonly agrees: boolean;
    /** Seconds after {@link START}. */
    readonly moved: readonly number[];
  }[];
  /** Of each device, in seconds too. */
  readonly steps: readonly { readonly device: string; readonly at: number }[];
}

const START = Date.UTC(2023, 4, 1);
// So few devices and instants that most worlds have steps on a shared one while somebody moved.
const DEVICES = ['Dev-Serial-0001', 'dev-serial-0002', 'DEV-serial-0003'];
const EMAILS = [
  'Ann.One@Example.com',
  'Bea.Two@example.com',
  'cy.three@example.com',
  'd\u00f6.four@example.com',
];
const spellings = (email: string) => [
  email,
  ` ${email.toUpperCase()}\t`,
  `\u00a0${email}`,
  email.normalize('NFD'),
];
const second = fc.integer({ min: 0, max: 3 });

/** Four people who share devices, names and telephone numbers at will. */
export const world: fc.Arbitrary<World> = fc.record({
  people: fc.tuple(
    ...EMAILS.map((email) =>
      fc.record({
        email: fc.constant(email),
        spelled: fc.array(fc.constantFrom(...spellings(email)), { minLength: 1, maxLength: 3 }),
        customerName: fc.constantFrom('Ann Smith', 'serialNumber', 'Bad', 'Cy Jones'),
        phone: fc.constantFrom('10', '+49 170 5550101', '5550102'),
        devices: fc.uniqueArray(fc.constantFrom(...DEVICES), { minLength: 1, maxLength: 2 }),
        agrees: fc.boolean(),
        moved: fc.array(second, { maxLength: 4 }),
      }),
    ),
  ),
  steps: fc.array(
    fc.record({ device: fc.constantFrom(...DEVICES, DEVICES[0]?.toUpperCase() as string), at: second }),
    { minLength: 6, maxLength: 16 },
  ),
});

/** The same world with keys of its own, so that it can stand beside others in one lake. */
export function apart({ people, steps }: World, mark: string): World {
  // Within, so that no key ends like that of another world.
  const marked = (text: string) => text.replace(/[^\s\u00a0]/, (first) => `${first}${mark}-`);
  return {
    people: people.map(({ email, spelled, customerName, phone, devices, ...one }) => ({
      ...one,
      email: marked(email),
      spelled: spelled.map(marked),
      customerName: marked(customerName),
      phone: marked(phone),
      devices: devices.map(marked),
    })),
    steps: steps.map(({ device, at }) => ({ device: marked(device), at })),
  };
}

const same = (a: string, b: string) => normalised(a) === normalised(b);

/** The landing lines of a world: all of them, or what is left if a person had never been. */
export function linesOf({ people, steps }: World, without?: string): Record<Entity, string[]> {
  const person = people.find(({ email }) => email === without);
  const others = people.filter((one) => one !== person);
  const isTheirs = (device: string, at: number) => {
    if (!person?.devices.some((own) => same(own, device))) return false;
    const isShared = others.some(({ devices }) => devices.some((one) => same(one, device)));
    return !isShared || person.moved.includes(at);
  };
  const at = (seconds: number) => START + seconds * 1000;
  return {
    customer: [
      // A source without a row is no run.
      customer('Nobody', 'nobody@example.com', '+1', 'none', true),
      ...others.flatMap((one) =>
        one.spelled.flatMap((email) =>
          one.devices.map((device) => customer(one.customerName, email, one.phone, device, one.agrees)),
        ),
      ),
    ],
    accelerometer: [
      JSON.stringify({ user: 'nobody@example.com', timestamp: START, x: 0, y: 0, z: 0 }),
      ...others.flatMap(({ spelled, moved }) =>
        moved.map((seconds, i) =>
          JSON.stringify({ user: spelled[i % spelled.length], timestamp: at(seconds), x: i, y: -1, z: 1 }),
        ),
      ),
    ],
    step_trainer: [
      JSON.stringify({ sensorReadingTime: START, serialNumber: 'none', distanceFromObject: 1 }),
      ...steps
        .map((step, i) => ({ ...step, i }))
        .filter((step) => !isTheirs(step.device, step.at))
        .map((step) =>
          JSON.stringify({
            sensorReadingTime: at(step.at),
            serialNumber: step.device,
            distanceFromObject: step.i,
          }),
        ),
    ],
  };
}

const customer = (
  customerName: string,
  email: string,
  phone: string,
  serialNumber: string,
  agrees: boolean,
) =>
  JSON.stringify({
    customerName,
    email,
    phone,
    birthDay: '1980-01-02',
    serialNumber,
    registrationDate: START,
    lastUpdateDate: START,
    ...(agrees && { shareWithResearchAsOfDate: START }),
  });
