/**
 * Whose data may be used: the tables that both zones build on. They stand apart as trusted and curated read each other's:
 * customers_curated (curated) is made of trusted tables, and step_trainer_trusted (trusted) of it.
 */

import { day, expectation, references, refined, timestamp, unique } from '../model';
import { accelerometerLanding, customerLanding } from './landing';
import { stedi } from './zones';

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
      per: 'row',
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
  zone: 'curated',
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
