import {
  date,
  double,
  int,
  type NamedQuery,
  namedQuery,
  pseudonym,
  type Section,
  text,
  timestamp,
} from '../model';

const serialNumber = text('The device.', { pii: 'quasi' });
const email = text('The customer.', { pii: 'direct' });
const subject = pseudonym('Who moved.');
/** Of no rows there is none. */
const orNone = { nullable: true } as const;

export const ambiguousDevices = namedQuery('ambiguous_devices', {
  serialNumber,
  customers: int('Who share the device.'),
  ambiguous_readings: int('Step readings that pair with none.'),
  ambiguous_instants: int('Instants of these.'),
  first_reading: timestamp('The first of these.'),
  last_reading: timestamp('The last of these.'),
});

export const consentCheck = namedQuery('consent_check', {
  rule: text('What must hold, and in which table.'),
  violations: int('Rows in which it does not.'),
});

export const consentFlow = namedQuery('consent_flow', {
  stage: text('How far customers came.'),
  customers: int('Customers who came so far.'),
});

export const consentStatus = namedQuery('consent_status', {
  status: text('Agreed, withdrew, declined or never asked.'),
  customers: int('Customers of it.'),
  records: int('Their landing records.'),
});

export const counts = namedQuery('counts', {
  table_name: text('The table.'),
  records: int('Its rows.'),
});

export const customersPerSerialNumber = namedQuery('customers_per_serial_number', {
  serialNumber,
  customers: int('Customers with the number.'),
  records: int('Landing records with it.'),
});

export const customersWithoutReadings = namedQuery('customers_without_readings', {
  email,
  records: int('Trusted records of the customer.'),
  agreed_since: timestamp('Since when the customer agrees to research.'),
});

export const distanceByMovement = namedQuery('distance_by_movement', {
  from_g: int('Acceleration from this many g on, to one more.'),
  records: int('Training rows.'),
  least_distance: int('The least distance.'),
  mean_distance: double('The mean distance.'),
  greatest_distance: int('The greatest distance.'),
});

export const featureRanges = namedQuery('feature_ranges', {
  feature: text('The column of machine_learning_curated.'),
  least: double('Its least value.', orNone),
  mean: double('Its mean.', orNone),
  greatest: double('Its greatest value.', orNone),
  deviation: double('Its standard deviation.', orNone),
});

export const movementByMinute = namedQuery('movement_by_minute', {
  subject,
  minute_start: timestamp('The minute (UTC).'),
  records: int('Training rows.'),
  mean_distance: double('The mean distance.'),
  mean_acceleration: double('The mean acceleration in g.'),
});

export const pairingCompared = namedQuery('pairing_compared', {
  customer_pairs: int('Pairs by the rule customer.'),
  timestamp_pairs: int('Pairs by the rule timestamp.'),
  wrong_pairs: int('Of these, those of two customers.'),
  ambiguous_pairs: int('Of these, those of which that cannot be told.'),
});

export const quarantine = namedQuery('quarantine', {
  table_name: text('The source.'),
  reason: text('Why lines were refused.'),
  refused_lines: int('How many.'),
  files: int('In how many files.'),
});

export const readingsBeforeConsent = namedQuery('readings_before_consent', {
  table_name: text('The table.'),
  readings: int('Its readings.'),
  before_consent: int('Of these, those older than the consent.'),
});

export const readingsPerCustomerDay = namedQuery('readings_per_customer_day', {
  email,
  reading_day: date('The day (UTC).'),
  readings: int('Accelerometer readings.'),
  instants: int('Instants of these.'),
  first_reading: timestamp('The first of the day.'),
  last_reading: timestamp('The last of the day.'),
});

export const subjectBalance = namedQuery('subject_balance', {
  subject,
  records: int('Training rows.'),
  percent_of_records: double('Their share of all.'),
  devices: int('Devices in these.'),
});

export const trainingOverview = namedQuery('training_overview', {
  records: int('Training rows.'),
  subjects: int('People in these.'),
  devices: int('Devices in these.'),
  instants: int('Instants in these.'),
  first_reading: timestamp('The first of these.', orNone),
  last_reading: timestamp('The last of these.', orNone),
});

export const unpairedSteps = namedQuery('unpaired_steps', {
  sensorReadingTime: timestamp('When the step was read.'),
  serialNumber,
  distanceFromObject: int('The distance then.'),
  reason: text('Why it pairs with no movement.'),
});

/** All that are declared. */
export const queries: readonly NamedQuery[] = [
  ambiguousDevices,
  consentCheck,
  consentFlow,
  consentStatus,
  counts,
  customersPerSerialNumber,
  customersWithoutReadings,
  distanceByMovement,
  featureRanges,
  movementByMinute,
  pairingCompared,
  quarantine,
  readingsBeforeConsent,
  readingsPerCustomerDay,
  subjectBalance,
  trainingOverview,
  unpairedSteps,
];

/** What the page of the lakehouse shows of the data. */
export const sections: readonly Section[] = [
  {
    title: 'The flow of consent',
    description: 'From who registered to whose movements are in the training table.',
    query: consentFlow,
  },
  {
    title: 'The two pairing rules',
    description:
      "customer pairs a step with a movement of the device's customer, timestamp with any of its instant.",
    query: pairingCompared,
  },
  {
    title: 'Ambiguous devices',
    description:
      'Devices that several customers moved with at one instant. Their step readings pair with none.',
    query: ambiguousDevices,
  },
];
