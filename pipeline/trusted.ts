import { day, keepsUpWith, references, refined, runTime } from '../model';
import { accelerometerTrusted, customersCurated, customerTrusted } from './customers';
import { accelerometerLanding, customerLanding, stepTrainerLanding } from './landing';
import { consent, stedi } from './zones';

export const stepTrainerTrusted = stedi.table({
  name: 'step_trainer_trusted',
  zone: 'trusted',
  description: 'Step-trainer readings of the devices of customers who agreed and have readings.',
  columns: refined(stepTrainerLanding.columns),
  partitionBy: [day('sensorReadingTime')],
  expectations: [
    references(
      customersCurated,
      { serialNumber: 'serialNumber' },
      { description: 'Every device belongs to a curated customer.' },
    ),
    keepsUpWith('sensorReadingTime', accelerometerTrusted, 'timestamp', 1),
  ],
});

export const trusted = stedi.zone('trusted', {
  description: 'What research may use, with the identifiers that link it.',
  tables: [customerTrusted, accelerometerTrusted, stepTrainerTrusted],
  jobs: [
    stedi.job({
      output: customerTrusted,
      inputs: [customerLanding],
      parameters: [runTime],
      increments: [
        {
          key: 'email',
          by: { customer_landing: 'email' },
          due: { customer_landing: 'shareWithResearchAsOfDate' },
        },
      ],
      description: 'Keeps the records of customers who agree, and whose registration did not withdraw that.',
    }),
    stedi.job({
      output: accelerometerTrusted,
      // What its readings are checked against, too.
      inputs: [accelerometerLanding, customerTrusted, customerLanding],
      parameters: [consent],
      increments: [{ key: 'user', by: { accelerometer_landing: 'user', customer_trusted: 'email' } }],
      description: 'Keeps the readings whose user is a customer who agreed.',
    }),
    stedi.job({
      output: stepTrainerTrusted,
      inputs: [stepTrainerLanding, customersCurated, accelerometerTrusted],
      parameters: [consent],
      increments: [
        {
          key: 'serialNumber',
          by: { step_trainer_landing: 'serialNumber', customers_curated: 'serialNumber' },
        },
        // Where everybody has the same devices, a further owner changes nothing.
        {
          key: 'sensorReadingTime',
          by: {
            step_trainer_landing: 'sensorReadingTime',
            customers_curated: {
              sees: `SELECT c.serialNumber, MIN(c.shareWithResearchAsOfDate) AS shareWithResearchAsOfDate
FROM customers_curated c GROUP BY c.serialNumber`,
              of: 'step_trainer_landing',
              on: { serialNumber: 'serialNumber' },
              key: 'sensorReadingTime',
            },
          },
        },
      ],
      description: 'Keeps the readings of the devices of curated customers.',
    }),
  ],
});
