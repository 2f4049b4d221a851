import { day, expectation, pseudonym, refined } from '../model';
import { accelerometerTrusted, customersCurated, customerTrusted } from './customers';
import { accelerometerLanding, stepTrainerLanding } from './landing';
import { stepTrainerTrusted } from './trusted';
import { pairing, stedi } from './zones';

const steps = refined(stepTrainerLanding.columns);
const movements = refined(accelerometerLanding.columns);

export const machineLearningCurated = stedi.table({
  name: 'machine_learning_curated',
  zone: 'curated',
  description: 'Each step reading with an accelerometer reading of the same instant, without identifiers.',
  columns: {
    sensorReadingTime: steps.sensorReadingTime,
    subject: pseudonym('Who moved: the keyed hash of the e-mail address.'),
    device: pseudonym('Which step trainer: the keyed hash of the serial number.'),
    distanceFromObject: steps.distanceFromObject,
    x: movements.x,
    y: movements.y,
    z: movements.z,
  },
  partitionBy: [day('sensorReadingTime')],
  expectations: [
    expectation({
      name: 'ambiguous_step_readings',
      severity: 'warn',
      description: 'No step reading fits the movements of several customers who share a serial number.',
      columns: ['sensorReadingTime'],
      counts: ['customers'],
      per: ['sensorReadingTime', 'device'],
      reads: [stepTrainerTrusted, accelerometerTrusted, customersCurated],
      sql: () =>
        `SELECT s.serialNumber, s.sensorReadingTime, COUNT(DISTINCT a.user) AS customers
FROM accelerometer_trusted a
JOIN (
  SELECT DISTINCT c.serialNumber, c.email
  FROM customers_curated c
  JOIN (
    SELECT d.serialNumber FROM customers_curated d GROUP BY d.serialNumber HAVING MIN(d.email) < MAX(d.email)
  ) h ON h.serialNumber = c.serialNumber
) o ON o.email = a.user
JOIN step_trainer_trusted s ON s.serialNumber = o.serialNumber AND s.sensorReadingTime = a.timestamp
GROUP BY s.serialNumber, s.sensorReadingTime
HAVING COUNT(DISTINCT a.user) > 1`,
    }),
  ],
});

export const curated = stedi.zone('curated', {
  description: 'What data scientists use, and the customers whose data it is made of.',
  tables: [customersCurated, machineLearningCurated],
  jobs: [
    stedi.job({
      output: customersCurated,
      inputs: [customerTrusted, accelerometerTrusted],
      increments: [{ key: 'email', by: { customer_trusted: 'email', accelerometer_trusted: 'user' } }],
      description: 'Keeps the customers who have accelerometer readings.',
    }),
    stedi.job({
      output: machineLearningCurated,
      inputs: [stepTrainerTrusted, accelerometerTrusted, customersCurated],
      parameters: [pairing],
      drivenBy: { sensorReadingTime: 'sensorReadingTime', serialNumber: 'device' },
      increments: [
        {
          key: 'device',
          when: { pairing: 'customer' },
          by: {
            step_trainer_trusted: 'serialNumber',
            customers_curated: 'serialNumber',
            accelerometer_trusted: { of: 'customers_curated', on: { user: 'email' }, key: 'serialNumber' },
          },
        },
        // Where everybody has the same devices, or any of them pairs.
        {
          key: 'sensorReadingTime',
          by: {
            step_trainer_trusted: 'sensorReadingTime',
            accelerometer_trusted: 'timestamp',
            customers_curated: { of: 'accelerometer_trusted', on: { email: 'user' }, key: 'timestamp' },
          },
        },
      ],
      description: 'Pairs each step reading with the movements of its customer at the same instant.',
    }),
  ],
});
