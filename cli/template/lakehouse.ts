import {
  date,
  day,
  double,
  epochMillis,
  int,
  type LakehouseDefinition,
  lakehouse,
  refined,
  text,
  unique,
} from 'typed-lakehouse';

// Zones, from what few may see to what many may.
const zones = lakehouse(['landing', 'trusted', 'curated']);

/** A source: files in `order/landing/` of the data folder. */
export const orderLanding = zones.source({
  name: 'order_landing',
  zone: 'landing',
  entity: 'order',
  description: 'One order, as the website wrote it.',
  columns: {
    orderId: text('Number of the order.'),
    customer: text('E-mail address of who ordered.', {
      pii: 'direct',
      identifies: 'person',
      normalize: 'email',
    }),
    orderedAt: epochMillis('When it was ordered.', { min: Date.UTC(2000, 0, 1) }),
    amount: double('What was paid, in euros; negative: paid back.', { min: -10_000, max: 10_000 }),
  },
  expectations: [unique(['orderId'], { severity: 'warn', description: 'An order is delivered once.' })],
});

const order = refined(orderLanding.columns);

export const orderTrusted = zones.table({
  name: 'order_trusted',
  zone: 'trusted',
  description: 'Orders that were paid, each once.',
  columns: order,
  keys: [['orderId']],
  partitionBy: [day('orderedAt')],
});

export const dailyRevenue = zones.table({
  name: 'daily_revenue',
  zone: 'curated',
  description: 'What was ordered on each day.',
  columns: {
    day: date('The day, in UTC.'),
    orders: int('How many orders.', { min: 1 }),
    revenue: double('What was paid for them, in euros.', { min: 0 }),
  },
  keys: [['day']],
});

export default {
  name: '__NAME__',
  description: 'The lakehouse of __NAME__',
  pipeline: zones.pipeline(
    zones.zone('landing', {
      description: 'Files as the sources write them.',
      tables: [orderLanding],
      jobs: [],
    }),
    zones.zone('trusted', {
      description: 'What is right, each thing once.',
      tables: [orderTrusted],
      jobs: [
        zones.job({
          output: orderTrusted,
          inputs: [orderLanding],
          description: 'Keeps orders that were paid, and each once.',
        }),
      ],
    }),
    zones.zone('curated', {
      description: 'What people look at.',
      tables: [dailyRevenue],
      jobs: [
        zones.job({
          output: dailyRevenue,
          inputs: [orderTrusted],
          description: 'Adds up the orders of each day.',
        }),
      ],
    }),
  ),
} satisfies LakehouseDefinition;
