// Whatever few records there are, both engines make the same of them.
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { lake as pipeline } from '../../pipeline';
import { ENTITIES } from '../../samples/stedi';
import { expectAgreement } from '../support/engines-agree';
import { engineOf, temporaryDir } from '../support/lake';
import { writeOtherSources } from '../support/other-sources';
import { soak } from '../support/soak';
import { withSpark } from '../support/spark';
import { session } from './session';

const SEED = 20_230_501;
const RUNS = soak(1);
/** Inputs that a run takes at once, each with people and devices of its own: a run on Spark takes seconds, however little it reads. */
const WORLDS = 32;

const dir = temporaryDir('spark-property');

// Few values, so that they meet: e-mails with several records, devices of several customers, readings of one instant.
const instant = fc.constantFrom(
  ...['10:00:00.000', '10:00:00.001', '12:00:00.000', '23:59:59.999'].map((t) =>
    Date.parse(`2023-05-01T${t}Z`),
  ),
  Date.parse('2023-05-02T00:00:00.000Z'),
);
const email = fc.constantFrom('ada@example.com', 'Ada@example.com', 'bob@example.com', 'zoë@example.com');
const serialNumber = fc.constantFrom('s-1', 's-2', 'S-1');
const consent = fc.oneof(
  { weight: 4, arbitrary: instant },
  { weight: 1, arbitrary: fc.constantFrom(0, null) },
);
const acceleration = fc.constantFrom(-16, -0.1, 0, 1e-7, 0.1, 1 / 3, 16);

const customers = fc.array(
  fc.record(
    {
      customerName: fc.constantFrom('N', 'Ñ "n" \\'),
      email,
      phone: fc.constant('1'),
      birthDay: fc.constantFrom('1990-02-28', '2000-02-29', '967-01-31'),
      serialNumber,
      registrationDate: instant,
      lastUpdateDate: instant,
      shareWithResearchAsOfDate: consent,
      shareWithPublicAsOfDate: consent,
    },
    {
      noNullPrototype: true,
      requiredKeys: [
        'customerName',
        'email',
        'phone',
        'birthDay',
        'serialNumber',
        'registrationDate',
        'lastUpdateDate',
      ],
    },
  ),
  { minLength: 1, maxLength: 6 },
);
const readings = fc.array(
  fc.record({ user: email, timestamp: instant, x: acceleration, y: acceleration, z: acceleration }),
  { minLength: 1, maxLength: 12 },
);
const steps = fc.array(
  fc.record({ sensorReadingTime: instant, serialNumber, distanceFromObject: fc.integer({ min: 0, max: 3 }) }),
  { minLength: 1, maxLength: 12 },
);
const worlds = fc.array(fc.record({ customer: customers, accelerometer: readings, step_trainer: steps }), {
  minLength: WORLDS,
  maxLength: WORLDS,
});
const parameters = fc.record(
  Object.fromEntries(pipeline.parameters.map(({ name, values }) => [name, fc.constantFrom(...values)])),
);

/** A record of an input as a line, with the people and devices of that input. */
const lineOf = (record: Readonly<Record<string, unknown>>, input: number) =>
  `${JSON.stringify(record).replaceAll(/example\.com|s-[12]/gi, `$&.${input}`)}\n`;

withSpark('both engines agree', () => {
  let paired = 0;

  test(`on ${RUNS} times ${WORLDS} inputs, seed ${SEED}`, async () => {
    await fc.assert(
      fc.asyncProperty(worlds, parameters, async (inputs, given) => {
        const root = await mkdtemp(join(dir, 'run-'));
        const data = join(root, 'data');
        for (const entity of ENTITIES) {
          const folder = join(data, entity, 'landing');
          await mkdir(folder, { recursive: true });
          const lines = inputs.flatMap((input, i) => input[entity].map((record) => lineOf(record, i)));
          await writeFile(join(folder, 'part.json'), lines.join(''));
        }
        await writeOtherSources(data, pipeline.sources);
        const lake = join(root, 'lake');
        const engines = { duckdb: engineOf(lake), spark: session.engineOf(lake) };
        const { summary } = await expectAgreement(engines, pipeline, { data, parameters: given });
        paired += Number((summary.tables.at(-1)?.written ?? 0) > 0);
      }),
      { seed: SEED, numRuns: RUNS, endOnFailure: true },
    );
    // Else the inputs say little.
    expect(paired).toBeGreaterThan(RUNS / 5);
  });
});
