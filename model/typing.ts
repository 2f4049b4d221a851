/**
 * What the compiler must and must not take, as `npm run typecheck` proves: a line after `@ts-expect-error` that
 * compiles is itself an error. Nothing here runs, and nothing imports it.
 */

import { runQuery } from '../engines/named-query';
import { machineLearningCurated } from '../pipeline/curated';
import { accelerometerTrusted, customersCurated, customerTrusted } from '../pipeline/customers';
import { type accelerometerLanding, customerLanding } from '../pipeline/landing';
import { type readingsPerCustomerDay, trainingOverview } from '../pipeline/queries';
import { stepTrainerTrusted } from '../pipeline/trusted';
import { stedi } from '../pipeline/zones';
import {
  type Column,
  day,
  double,
  epochMillis,
  expectation,
  type InputRow,
  int,
  isoDate,
  keepsUpWith,
  lakehouse,
  namedQuery,
  position,
  pseudonym,
  type Row,
  references,
  refined,
  text,
  timestamp,
  unique,
} from '.';

/** Whether two types are the same in every way, optional and readonly members too. */
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>() => undefined;

// --- Rows follow from the contracts ---

holds<
  Equal<
    Row<typeof customerTrusted>,
    {
      customerName: string;
      email: string;
      phone: string;
      birthDay: string;
      serialNumber: string;
      registrationDate: Date;
      lastUpdateDate: Date;
      shareWithResearchAsOfDate: Date;
      shareWithPublicAsOfDate: Date | null;
      shareWithFriendsAsOfDate: Date | null;
    }
  >
>();
holds<
  Equal<
    Row<typeof machineLearningCurated>,
    {
      sensorReadingTime: Date;
      subject: string;
      device: string;
      distanceFromObject: number;
      x: number;
      y: number;
      z: number;
    }
  >
>();
// A source's row is as it writes it; a job's SQL gets its instants and dates converted.
holds<
  Equal<
    Row<typeof accelerometerLanding>,
    { user: string; timestamp: number; x: number; y: number; z: number }
  >
>();
holds<
  Equal<
    InputRow<typeof accelerometerLanding>,
    { user: string; timestamp: Date; x: number; y: number; z: number }
  >
>();
holds<Equal<InputRow<typeof customerLanding>['shareWithResearchAsOfDate'], Date | null>>();
holds<Equal<Row<typeof customerLanding>['shareWithResearchAsOfDate'], number | null>>();
holds<Equal<InputRow<typeof customerLanding>['birthDay'], string>>();
// @ts-expect-error: Equal tells a nullable column from one that is not; a proof that always holds would prove nothing.
holds<Equal<Row<typeof customerTrusted>['shareWithPublicAsOfDate'], Date>>();

// --- Columns ---

const nullable = refined({ at: epochMillis('At.', { nullable: true }), on: isoDate('On.') });
holds<Equal<(typeof nullable)['at'], Column<'timestamp', true>>>();
holds<Equal<(typeof nullable)['on']['type'], 'date'>>();
// @ts-expect-error: a text has no range.
text('Name.', { min: 1 });
// @ts-expect-error: a pseudonym is not personal: that is what it is for.
pseudonym('Who.', { pii: 'direct' });
text('E-mail.', { pii: 'direct', identifies: 'person' });
// @ts-expect-error: a text names a person or a device.
text('E-mail.', { pii: 'direct', identifies: 'house' });
int('Number.', { pii: 'direct', identifies: 'device' });
epochMillis('When it was measured.', { identifies: 'moment' });
// @ts-expect-error: an instant names nobody.
epochMillis('When it was measured.', { identifies: 'person' });
// @ts-expect-error: nor does a pseudonym, which is what stands for one that does.
pseudonym('Who.', { identifies: 'person' });
// @ts-expect-error: there are two classes of personal data.
text('Name.', { pii: 'secret' });
// @ts-expect-error: a column says what it holds.
int();

const items = stedi.source({
  name: 'items',
  zone: 'landing',
  entity: 'order',
  each: 'items',
  description: 'I.',
  columns: { nth: position('N.'), sku: text('S.', { from: 'items.sku', nullable: true }) },
});
holds<Equal<InputRow<typeof items>, { nth: number; sku: string | null }>>();
// @ts-expect-error: an element stands somewhere.
position('N.', { nullable: true });
stedi.table({
  name: 'bad',
  zone: 'trusted',
  description: 'B.',
  columns: refined(items.columns),
  // @ts-expect-error: a table that a job makes has its rows from it.
  each: 'items',
});

// --- Tables ---

const columns = { id: int('I.'), at: timestamp('A.'), x: double('X.') };

stedi.table({
  name: 'good',
  zone: 'trusted',
  description: 'G.',
  columns,
  keys: [['id', 'at']],
  partitionBy: [day('at')],
  expectations: [
    unique(['id'], { description: 'D.' }),
    references(customerTrusted, { id: 'email' }, { description: 'D.' }),
    keepsUpWith('at', accelerometerTrusted, 'timestamp', 1),
  ],
});
stedi.table({
  name: 'bad',
  // @ts-expect-error: no zone of this name.
  zone: 'archive',
  description: 'B.',
  columns,
});
stedi.table({
  name: 'bad',
  zone: 'trusted',
  description: 'B.',
  columns,
  // @ts-expect-error: a key of a column that the table has not.
  keys: [['id', 'when']],
});
stedi.table({
  name: 'bad',
  zone: 'trusted',
  description: 'B.',
  columns,
  // @ts-expect-error: a partition by a column that the table has not.
  partitionBy: [day('when')],
});
stedi.table({
  name: 'bad',
  zone: 'trusted',
  description: 'B.',
  columns,
  // @ts-expect-error: a day of what is no instant.
  partitionBy: [day('x')],
});
stedi.table({
  name: 'bad',
  zone: 'trusted',
  description: 'B.',
  columns,
  // @ts-expect-error: an expectation of a column that the table has not.
  expectations: [unique(['when'], { description: 'D.' })],
});
const own = expectation({
  name: 'e',
  severity: 'warn',
  description: 'D.',
  columns: ['when'],
  sql: (table) => `SELECT * FROM ${table} t`,
});
stedi.table({
  name: 'bad',
  zone: 'trusted',
  description: 'B.',
  columns,
  // @ts-expect-error: the same, of one's own expectation.
  expectations: [own],
});
stedi.table({
  name: 'bad',
  zone: 'trusted',
  description: 'B.',
  columns,
  // @ts-expect-error: a folder of files is a source's.
  entity: 'bad',
});
stedi.table({
  name: 'bad',
  zone: 'trusted',
  description: 'B.',
  columns,
  // @ts-expect-error: so is a share of refused lines.
  maxQuarantinedShare: 0.1,
});
stedi.source({
  name: 'bad',
  zone: 'landing',
  entity: 'bad',
  description: 'B.',
  columns,
  // @ts-expect-error: files lie as the source wrote them.
  partitionBy: [day('at')],
});
// @ts-expect-error: the other table has no such column.
references(customerTrusted, { user: 'mail' }, { description: 'D.' });
// @ts-expect-error: nor has it this one.
keepsUpWith('at', accelerometerTrusted, 'sensorReadingTime', 1);
// @ts-expect-error: an expectation fails, quarantines or warns.
unique(['id'], { severity: 'error', description: 'D.' });

// --- Jobs ---

stedi.job({
  output: machineLearningCurated,
  inputs: [stepTrainerTrusted, accelerometerTrusted, customersCurated],
  description: 'Reads other zones.',
  drivenBy: { serialNumber: 'device' },
});
stedi.job({ output: customersCurated, inputs: [customerTrusted], description: 'Reads its own zone.' });
stedi.job({ output: stepTrainerTrusted, inputs: [customersCurated], description: 'Reads a later zone.' });
const elsewhere = lakehouse(['other']).table({ name: 'x', zone: 'other', description: 'X.', columns });
stedi.job({
  output: customersCurated,
  // @ts-expect-error: a table of another lakehouse's zone.
  inputs: [elsewhere],
  description: 'B.',
});
stedi.job({
  output: customersCurated,
  // @ts-expect-error: a table's name is no table.
  inputs: ['customer_trusted'],
  description: 'B.',
});
stedi.job({
  output: customersCurated,
  // @ts-expect-error: a job reads something.
  inputs: [],
  description: 'B.',
});
stedi.job({
  // @ts-expect-error: nothing writes to a source.
  output: customerLanding,
  inputs: [customerTrusted],
  description: 'B.',
});
stedi.job({
  output: machineLearningCurated,
  inputs: [stepTrainerTrusted, accelerometerTrusted],
  description: 'B.',
  // @ts-expect-error: the driving input, the first, has no such column; the second has.
  drivenBy: { user: 'subject' },
});
stedi.job({
  output: machineLearningCurated,
  inputs: [stepTrainerTrusted],
  description: 'B.',
  // @ts-expect-error: the output has no such column.
  drivenBy: { serialNumber: 'serialNumber' },
});

stedi.job({
  output: machineLearningCurated,
  inputs: [stepTrainerTrusted, accelerometerTrusted],
  description: 'Is made by instant and by day.',
  increments: [
    {
      key: 'sensorReadingTime',
      by: {
        step_trainer_trusted: 'sensorReadingTime',
        accelerometer_trusted: {
          of: 'step_trainer_trusted',
          on: { timestamp: 'sensorReadingTime' },
          key: day('sensorReadingTime'),
        },
      },
    },
  ],
});
stedi.job({
  output: machineLearningCurated,
  inputs: [stepTrainerTrusted],
  description: 'B.',
  // @ts-expect-error: the output has no such column.
  increments: [{ key: 'serialNumber', by: { step_trainer_trusted: 'serialNumber' } }],
});
stedi.job({
  output: machineLearningCurated,
  inputs: [stepTrainerTrusted],
  description: 'B.',
  // @ts-expect-error: no input of this name.
  increments: [{ key: 'device', by: { customers_curated: 'serialNumber' } }],
});
stedi.job({
  output: machineLearningCurated,
  inputs: [stepTrainerTrusted],
  description: 'B.',
  // @ts-expect-error: the input has no such column.
  increments: [{ key: 'device', by: { step_trainer_trusted: 'email' } }],
});

// --- Queries ---

type Engine = Parameters<typeof runQuery>[0];
const overview = (engine: Engine) => runQuery(engine, trainingOverview);
type Overview = Awaited<ReturnType<typeof overview>>[number];
holds<
  Equal<
    Overview,
    {
      records: number;
      subjects: number;
      devices: number;
      instants: number;
      first_reading: Date | null;
      last_reading: Date | null;
    }
  >
>();
holds<Equal<Row<typeof readingsPerCustomerDay>['reading_day'], string>>();
holds<Equal<Row<typeof readingsPerCustomerDay>['last_reading'], Date>>();
holds<Equal<(typeof trainingOverview)['name'], 'training_overview'>>();
// @ts-expect-error: of no rows there is no first reading.
holds<Equal<Overview['first_reading'], Date>>();
// @ts-expect-error: a column that the query does not give.
(row: Overview) => row.subject;
// @ts-expect-error: a query's instant is a timestamp; epoch milliseconds are a source's.
namedQuery('bad', { at: epochMillis('At.') });
// @ts-expect-error: a query by its name alone has no columns to type rows by.
(engine: Engine) => runQuery(engine, 'training_overview');

// --- Zones ---

stedi.zone('curated', {
  description: 'B.',
  // @ts-expect-error: a table of another zone.
  tables: [customerTrusted],
  jobs: [],
});
stedi.zone('curated', {
  description: 'B.',
  tables: [machineLearningCurated],
  // @ts-expect-error: a job whose output is of another zone.
  jobs: [stedi.job({ output: stepTrainerTrusted, inputs: [customersCurated], description: 'B.' })],
});
// @ts-expect-error: no zone of this name.
stedi.zone('archive', { description: 'B.', tables: [], jobs: [] });
