import { double, epochMillis, int, isoDate, references, text, unique } from '../model';
import { stedi } from './zones';

// Seconds instead of milliseconds would read as January 1970, microseconds as the year 50000.
const INSTANT = { min: Date.UTC(2000, 0, 1), max: Date.UTC(2100, 0, 1) };
// A consent of 0 is how the website writes "withdrawn".
const CONSENT = { min: 0, max: INSTANT.max };
// Consumer accelerometers measure up to 16 g.
const ACCELERATION = { min: -16, max: 16 };

export const customerLanding = stedi.source({
  name: 'customer_landing',
  zone: 'landing',
  entity: 'customer',
  description: 'One registration of a customer on the website, as written there.',
  columns: {
    customerName: text('First and last name.', { pii: 'direct' }),
    email: text('E-mail address, by which the app knows the customer.', {
      pii: 'direct',
      identifies: 'person',
      normalize: 'email',
    }),
    phone: text('Telephone number.', { pii: 'direct' }),
    birthDay: isoDate('Day of birth.', { pii: 'quasi' }),
    serialNumber: text(
      'Serial number of the step trainer. The fulfilment defect gave 30 of them to everyone.',
      {
        pii: 'quasi',
        identifies: 'device',
      },
    ),
    registrationDate: epochMillis('When the customer registered.', INSTANT),
    lastUpdateDate: epochMillis('When the record was last changed.', INSTANT),
    shareWithResearchAsOfDate: epochMillis(
      'Since when the data may serve research; absent or 0: it may not.',
      {
        ...CONSENT,
        nullable: true,
      },
    ),
    shareWithPublicAsOfDate: epochMillis('Since when the data may be public; absent or 0: it may not.', {
      ...CONSENT,
      nullable: true,
    }),
    shareWithFriendsAsOfDate: epochMillis('Since when friends may see the data; absent or 0: they may not.', {
      ...CONSENT,
      nullable: true,
    }),
  },
  expectations: [
    unique(['email'], { severity: 'warn', description: 'A customer registered once.' }),
    unique(['serialNumber'], {
      severity: 'warn',
      description: 'A serial number belongs to one record; the fulfilment defect breaks this.',
    }),
  ],
});

export const accelerometerLanding = stedi.source({
  name: 'accelerometer_landing',
  zone: 'landing',
  entity: 'accelerometer',
  description: 'One reading of the phone’s accelerometer, as the mobile app sent it.',
  columns: {
    user: text('E-mail address of the customer who wore the phone.', {
      pii: 'direct',
      identifies: 'person',
      normalize: 'email',
    }),
    timestamp: epochMillis('When the app measured.', {
      ...INSTANT,
      aliases: ['timeStamp'],
      identifies: 'moment',
    }),
    x: double('Acceleration along x, in g.', ACCELERATION),
    y: double('Acceleration along y, in g.', ACCELERATION),
    z: double('Acceleration along z, in g.', ACCELERATION),
  },
  expectations: [
    references(
      customerLanding,
      { user: 'email' },
      { severity: 'warn', description: 'Every reading is of a customer who registered.' },
    ),
  ],
});

export const stepTrainerLanding = stedi.source({
  name: 'step_trainer_landing',
  zone: 'landing',
  entity: 'step_trainer',
  description: 'One distance reading of a step trainer, as the device sent it.',
  columns: {
    sensorReadingTime: epochMillis('When the device measured.', { ...INSTANT, identifies: 'moment' }),
    serialNumber: text('Serial number of the device, unique here as the device itself writes it.', {
      pii: 'quasi',
      identifies: 'device',
    }),
    distanceFromObject: int('Distance to the nearest object, in centimetres.', { min: 0, max: 10_000 }),
  },
});

export const landing = stedi.zone('landing', {
  description: 'Files as the sources write them.',
  tables: [customerLanding, accelerometerLanding, stepTrainerLanding],
  jobs: [],
});
