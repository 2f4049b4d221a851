import { day, expectation, keepsUpWith, references, refined, timestamp, unique } from '../model';
import { accelerometerLanding, customerLanding, stepTrainerLanding } from './landing';
import { consent, stedi } from './zones';

const customerColumns = {
  ...refined(customerLanding.columns),
  shareWithResearchAsOfDate: timestamp('Since when the data may serve research.', {
    min: 1,
    max: Date.UTC(2100, 0, 1),
  }),
};

export const customerTrusted = stedi.table({
  name: 'customer_trusted',
  zone: 'trusted',
  description: 'Records of customers who agreed that research may use their data.',
  columns: customerColumns,
  expectations: [
    unique(['email'], { severity: 'warn', description: 'A customer has one record.' }),
    unique(['serialNumber'], { severity: 'warn', description: 'A serial number belongs to one record.' }),
    expectation({
      name: 'consent_not_before_registration',
      severity: 'warn',
      description: 'Nobody agrees before they register.',
      columns: ['registrationDate', 'shareWithResearchAsOfDate'],
      sql: (table) => `SELECT t.* FROM ${table} t WHERE t.shareWithResearchAsOfDate < t.registrationDate`,
    }),
  ],
});

export const accelerometerTrusted = stedi.table({
  name: 'accelerometer_trusted',
  zone: 'trusted',
  description: 'Accelerometer readings of customers who agreed.',
  columns: refined(accelerometerLanding.columns),
  partitionBy: [day('timestamp')],
  expectations: [
    references(
      customerTrusted,
      { user: 'email' },
      { description: 'Every reading belongs to a customer who agreed.' },
    ),
  ],
});

export const customersCurated = stedi.table({
  name: 'customers_curated',
  // Its name is the course's. It holds names and e-mails and feeds step_trainer_trusted, so its zone is trusted:
  // a job never reads a later zone, and curated holds no identifier.
  zone: 'trusted',
  description: 'Records of customers who agreed and have accelerometer readings.',
  columns: customerColumns,
  expectations: [
    references(
      customerTrusted,
      { email: 'email', serialNumber: 'serialNumber' },
      { description: 'Every record is one of a customer who agreed.' },
    ),
    references(
      accelerometerTrusted,
      { email: 'user' },
      { description: 'Every customer has an accelerometer reading.' },
    ),
    unique(['email'], { severity: 'warn', description: 'A customer has one record.' }),
    unique(['serialNumber'], { severity: 'warn', description: 'A serial number belongs to one record.' }),
  ],
});

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
  personalData: true,
  tables: [customerTrusted, accelerometerTrusted, customersCurated, stepTrainerTrusted],
  jobs: [
    stedi.job({
      output: customerTrusted,
      inputs: [customerLanding],
      description: 'Keeps the records of customers who agreed and did not withdraw later.',
    }),
    stedi.job({
      output: accelerometerTrusted,
      inputs: [accelerometerLanding, customerTrusted],
      parameters: [consent],
      description: 'Keeps the readings whose user is a customer who agreed.',
    }),
    stedi.job({
      output: customersCurated,
      inputs: [customerTrusted, accelerometerTrusted],
      description: 'Keeps the customers who have accelerometer readings.',
    }),
    stedi.job({
      output: stepTrainerTrusted,
      inputs: [stepTrainerLanding, customersCurated, accelerometerTrusted],
      parameters: [consent],
      description: 'Keeps the readings of the devices of curated customers.',
    }),
  ],
});
