import { join } from 'node:path';
import { withDatabase } from './database';
import { readCode } from './job-code';
import { type Lineage, lineageOf } from './lineage';
import { loadProject } from './project';
import { ROOT } from './root';

/** `table.column how` of each column, and of what decides the rows. */
const told = ({ columns, rows }: Lineage) =>
  Object.fromEntries(
    [...Object.entries(columns), ['ROWS', rows] as const].map(([name, origins]) => [
      name,
      [...origins]
        .flatMap(([origin, hows]) => [...hows].map((how) => `${origin} ${how}`))
        .toSorted()
        .join(', '),
    ]),
  );

const lineagesOf = ({ jobs, definition }: ReturnType<typeof loadProject>) =>
  withDatabase(async (db) => {
    const all: Record<string, ReturnType<typeof told>> = {};
    for (const job of definition.pipeline.jobs)
      if (job.language === 'sql') all[job.name] = told(await lineageOf(db, job, await readCode(jobs, job)));
    return all;
  });

/** Of these jobs; a job that comes breaks nothing. */
async function expectLineages(dir: string, expected: Awaited<ReturnType<typeof lineagesOf>>) {
  const found = await lineagesOf(loadProject(dir));
  expect(Object.fromEntries(Object.keys(expected).map((job) => [job, found[job]]))).toEqual(expected);
}

const same = (table: string, ...columns: string[]) =>
  Object.fromEntries(columns.map((column) => [column, `${table}.${column} IDENTITY`]));

const CUSTOMER = [
  ...['customerName', 'email', 'phone', 'birthDay', 'serialNumber', 'registrationDate', 'lastUpdateDate'],
  ...['shareWithResearchAsOfDate', 'shareWithPublicAsOfDate', 'shareWithFriendsAsOfDate'],
];

test("columns of STEDI's jobs come from where a person reads that they come from", async () => {
  await expectLineages(ROOT, {
    customer_trusted: {
      ...same('customer_landing', ...CUSTOMER),
      ROWS: 'customer_landing.email GROUP_BY, customer_landing.email JOIN, customer_landing.lastUpdateDate FILTER, customer_landing.registrationDate GROUP_BY, customer_landing.registrationDate JOIN, customer_landing.shareWithResearchAsOfDate FILTER',
    },
    accelerometer_trusted: {
      ...same('accelerometer_landing', 'user', 'timestamp', 'x', 'y', 'z'),
      ROWS: 'accelerometer_landing.timestamp FILTER, accelerometer_landing.user JOIN, customer_trusted.email GROUP_BY, customer_trusted.email JOIN, customer_trusted.shareWithResearchAsOfDate FILTER',
    },
    customers_curated: {
      ...same('customer_trusted', ...CUSTOMER),
      ROWS: 'accelerometer_trusted.user FILTER, customer_trusted.email FILTER, customer_trusted.email JOIN',
    },
    step_trainer_trusted: {
      ...same('step_trainer_landing', 'sensorReadingTime', 'serialNumber', 'distanceFromObject'),
      ROWS: 'customers_curated.serialNumber GROUP_BY, customers_curated.serialNumber JOIN, customers_curated.shareWithResearchAsOfDate FILTER, step_trainer_landing.sensorReadingTime FILTER, step_trainer_landing.serialNumber JOIN',
    },
    machine_learning_curated: {
      ...same('step_trainer_trusted', 'sensorReadingTime', 'distanceFromObject'),
      ...same('accelerometer_trusted', 'x', 'y', 'z'),
      subject: 'accelerometer_trusted.user TRANSFORMATION',
      device: 'step_trainer_trusted.serialNumber TRANSFORMATION',
      ROWS: [
        'accelerometer_trusted.timestamp JOIN',
        'accelerometer_trusted.user FILTER',
        'accelerometer_trusted.user JOIN',
        'customers_curated.email GROUP_BY',
        'customers_curated.email JOIN',
        'customers_curated.serialNumber FILTER',
        'customers_curated.serialNumber GROUP_BY',
        'customers_curated.serialNumber JOIN',
        'step_trainer_trusted.sensorReadingTime FILTER',
        'step_trainer_trusted.sensorReadingTime GROUP_BY',
        'step_trainer_trusted.sensorReadingTime JOIN',
        'step_trainer_trusted.serialNumber GROUP_BY',
        'step_trainer_trusted.serialNumber JOIN',
      ].join(', '),
    },
  });
});

test("and so do those of the shop's", async () => {
  const newest = ['born', 'city', 'customerId', 'email', 'newsletter', 'registeredAt'];
  await expectLineages(join(ROOT, 'examples', 'shop'), {
    customer_trusted: {
      ...same('customer_landing', 'customerId', 'email', 'city', 'born', 'newsletter', 'registeredAt'),
      // By the place of a record among those of its customer.
      ROWS: newest.map((column) => `customer_landing.${column} FILTER`).join(', '),
    },
    order_trusted: {
      ...same('order_landing', 'orderId', 'customerId', 'orderedAt'),
      paid: 'payment_landing.amount AGGREGATION',
      isPaidByCard: 'payment_landing.method CONDITIONAL',
      ROWS: 'order_landing.customerId FILTER, order_landing.orderId FILTER, order_landing.orderId JOIN, order_landing.orderedAt FILTER, order_landing.status FILTER, payment_landing.orderId GROUP_BY, payment_landing.orderId JOIN',
    },
    product_trusted: {
      ...same('product_landing', 'sku', 'title', 'price', 'changedAt'),
      // By the place of a price among those of its product.
      ROWS: ['changedAt', 'price', 'sku', 'title'].map((name) => `product_landing.${name} FILTER`).join(', '),
    },
    order_item_trusted: {
      ...same('order_item_landing', 'orderId', 'line', 'sku', 'quantity', 'unitPrice'),
      // By the place of an item among those of its order's line.
      ROWS: 'order_item_landing.line FILTER, order_item_landing.orderId FILTER, order_item_landing.orderId JOIN, order_item_landing.quantity FILTER, order_item_landing.sku FILTER, order_item_landing.unitPrice FILTER, order_trusted.orderId FILTER',
    },
    customer_orders: {
      ...same('customer_trusted', 'customerId', 'city'),
      orders: 'order_trusted.orderId AGGREGATION',
      lifetimeValue: 'order_trusted.paid AGGREGATION',
      lastOrderedAt: 'order_trusted.orderedAt AGGREGATION',
      ROWS: 'customer_trusted.city GROUP_BY, customer_trusted.customerId GROUP_BY, customer_trusted.customerId JOIN, order_trusted.customerId JOIN',
    },
    daily_revenue: {
      day: 'order_trusted.orderedAt TRANSFORMATION',
      orders: '',
      revenue: 'order_trusted.paid AGGREGATION',
      meanOrder: 'order_trusted.paid AGGREGATION',
      ROWS: 'order_trusted.orderedAt GROUP_BY',
    },
  });
});

const { jobs } = loadProject(join(ROOT, 'examples', 'shop')).definition.pipeline;
const orders = jobs.find(({ name }) => name === 'customer_orders') as (typeof jobs)[number];

test.each([
  [
    'a window',
    'SUM(o.paid) OVER (PARTITION BY o.customerId)',
    'order_trusted.customerId WINDOW, order_trusted.paid TRANSFORMATION',
  ],
  [
    'a choice',
    'CASE WHEN o.isPaidByCard THEN o.paid END',
    'order_trusted.isPaidByCard CONDITIONAL, order_trusted.paid TRANSFORMATION',
  ],
  ['a sum of a product', '(SELECT SUM(p.paid * 2) FROM order_trusted p)', 'order_trusted.paid AGGREGATION'],
  [
    'a subquery of the row',
    '(SELECT MAX(c.city) FROM customer_trusted c WHERE c.customerId = o.customerId)',
    'customer_trusted.city AGGREGATION',
  ],
  ['a constant', "'x'", ''],
])('%s', async (_, sql, made) => {
  await withDatabase(async (db) => {
    const text = `SELECT ${sql} AS a FROM order_trusted o UNION ALL SELECT NULL AS a FROM order_trusted o WHERE o.orderId IN (SELECT q.orderId FROM order_trusted q ORDER BY q.orderedAt LIMIT 1)`;
    const { a, ROWS } = told(await lineageOf(db, orders, text));
    expect(a).toBe(made);
    expect(ROWS).toContain('order_trusted.orderId JOIN, order_trusted.orderedAt SORT');
  });
});
