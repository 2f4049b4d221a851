import {
  boolean,
  csv,
  date,
  day,
  decimal,
  int,
  isoDate,
  isoInstant,
  type LakehouseDefinition,
  lakehouse,
  namedQuery,
  position,
  references,
  refined,
  text,
  unique,
} from 'typed-lakehouse';

const shop = lakehouse(['landing', 'trusted', 'curated']);

const customerLanding = shop.source({
  name: 'customer_landing',
  zone: 'landing',
  entity: 'customer',
  description: 'One customer, as the website registered them.',
  columns: {
    customerId: int('Number of the customer.', { pii: 'quasi', identifies: 'person', min: 1 }),
    email: text('E-mail address.', { pii: 'direct', normalize: 'email' }),
    city: text('Where parcels go.', { pii: 'quasi', from: 'address.city' }),
    born: isoDate('Day of birth.', { pii: 'quasi', nullable: true }),
    newsletter: boolean('Whether they want one.'),
    registeredAt: isoInstant('When they registered.', { min: Date.UTC(2000, 0, 1) }),
  },
  expectations: [unique(['customerId'], { severity: 'warn', description: 'A customer is delivered once.' })],
});

const orderLanding = shop.source({
  name: 'order_landing',
  zone: 'landing',
  entity: 'order',
  description: 'One order, as the website wrote it.',
  columns: {
    orderId: text('Number of the order.'),
    customerId: int('Who ordered.', { pii: 'quasi', identifies: 'person', min: 1 }),
    status: text('How far it is.', { oneOf: ['open', 'paid', 'sent', 'cancelled'] }),
    orderedAt: isoInstant('When it was ordered.', { min: Date.UTC(2000, 0, 1) }),
  },
  expectations: [
    references(
      customerLanding,
      { customerId: 'customerId' },
      { severity: 'warn', description: 'Every order is of a customer who registered.' },
    ),
  ],
});

const orderItemLanding = shop.source({
  name: 'order_item_landing',
  zone: 'landing',
  entity: 'order',
  each: 'items',
  description: 'One item of an order, as the website wrote it.',
  columns: {
    orderId: text('Number of the order.'),
    customerId: int('Who ordered.', { pii: 'quasi', identifies: 'person', min: 1 }),
    line: position('Which item of the order it is.'),
    sku: text('What was ordered.', { from: 'items.sku' }),
    quantity: int('How many.', { from: 'items.quantity', min: 1 }),
    unitPrice: decimal(9, 2, 'What one costs, in euros.', { from: 'items.unitPrice', min: 0 }),
  },
});

const paymentLanding = shop.source({
  name: 'payment_landing',
  zone: 'landing',
  entity: 'payment',
  description: 'One payment for an order, as the bank reports it.',
  format: csv({ delimiter: ';' }),
  columns: {
    paymentId: text('Number of the payment.'),
    orderId: text('What was paid for.'),
    amount: decimal(9, 2, 'How much, in euros; negative: paid back.'),
    method: text('How.', { oneOf: ['card', 'transfer'] }),
    paidAt: isoInstant('When.', { min: Date.UTC(2000, 0, 1) }),
  },
  expectations: [
    references(
      orderLanding,
      { orderId: 'orderId' },
      { severity: 'warn', description: 'Every payment is for an order.' },
    ),
  ],
});

const productLanding = shop.source({
  name: 'product_landing',
  zone: 'landing',
  entity: 'product',
  description: 'One product at its price, as the warehouse exports it.',
  format: 'parquet',
  columns: {
    sku: text('Number of the product.', { pattern: '[a-z0-9]+(-[a-z0-9]+)*' }),
    title: text('What it is called.'),
    price: decimal(9, 2, 'What one costs, in euros.', { min: 0 }),
    changedAt: isoInstant('From when on.', { min: Date.UTC(2000, 0, 1) }),
  },
});

const customer = refined(customerLanding.columns);
const order = refined(orderLanding.columns);
const orderItem = refined(orderItemLanding.columns);

const customerTrusted = shop.table({
  name: 'customer_trusted',
  zone: 'trusted',
  description: 'Each customer once, as they last registered.',
  columns: customer,
  keys: [['customerId']],
});

const orderTrusted = shop.table({
  name: 'order_trusted',
  zone: 'trusted',
  description: 'Orders that were not cancelled, with what was paid for them.',
  columns: {
    orderId: order.orderId,
    customerId: order.customerId,
    orderedAt: order.orderedAt,
    paid: decimal(12, 2, 'What was paid, in euros.'),
    isPaidByCard: boolean('Whether a card paid any of it.'),
  },
  keys: [['orderId']],
  partitionBy: [day('orderedAt')],
});

const productTrusted = shop.table({
  name: 'product_trusted',
  zone: 'trusted',
  description: 'Each product once, at its newest price.',
  columns: refined(productLanding.columns),
  keys: [['sku']],
});

const orderItemTrusted = shop.table({
  name: 'order_item_trusted',
  zone: 'trusted',
  description: 'The items of orders that stand, each once.',
  columns: {
    orderId: orderItem.orderId,
    line: orderItem.line,
    sku: orderItem.sku,
    quantity: orderItem.quantity,
    unitPrice: orderItem.unitPrice,
  },
  keys: [['orderId', 'line']],
});

const customerOrders = shop.table({
  name: 'customer_orders',
  zone: 'curated',
  description: 'What each customer ordered and paid: their lifetime value.',
  columns: {
    customerId: customer.customerId,
    city: customer.city,
    orders: int('How many orders.', { min: 0 }),
    lifetimeValue: decimal(12, 2, 'What they paid in all, in euros.'),
    lastOrderedAt: { ...order.orderedAt, nullable: true },
  },
  keys: [['customerId']],
});

const customerSegments = shop.table({
  name: 'customer_segments',
  zone: 'curated',
  description: 'Which third of the buyers each customer is in.',
  columns: {
    customerId: customer.customerId,
    segment: text('Of those who bought something, by what they paid.', {
      oneOf: ['none', 'low', 'middle', 'top'],
    }),
    lifetimeValue: customerOrders.columns.lifetimeValue,
  },
  keys: [['customerId']],
});

const dailyRevenue = shop.table({
  name: 'daily_revenue',
  zone: 'curated',
  description: 'What was paid for the orders of each day.',
  columns: {
    day: date('The day, in UTC.'),
    orders: int('How many orders.', { min: 1 }),
    revenue: decimal(12, 2, 'What was paid for them, in euros.'),
    meanOrder: decimal(12, 2, 'What was paid for one, in euros and cents.'),
  },
  keys: [['day']],
});

const landing = shop.zone('landing', {
  description: 'Files as the sources write them.',
  tables: [customerLanding, orderLanding, orderItemLanding, paymentLanding, productLanding],
  jobs: [],
});

const trusted = shop.zone('trusted', {
  description: 'What is right, each thing once.',
  tables: [customerTrusted, orderTrusted, orderItemTrusted, productTrusted],
  jobs: [
    shop.job({
      output: customerTrusted,
      inputs: [customerLanding],
      increments: [{ key: 'customerId', by: { customer_landing: 'customerId' } }],
      description: 'Keeps the last registration of each customer.',
    }),
    shop.job({
      output: orderTrusted,
      // The customers are there for what is expected of orders: that each is of one of them.
      inputs: [orderLanding, paymentLanding, customerLanding],
      increments: [{ key: 'orderId', by: { order_landing: 'orderId', payment_landing: 'orderId' } }],
      description: 'Keeps orders that stand, and adds up their payments.',
    }),
    shop.job({
      output: productTrusted,
      inputs: [productLanding],
      increments: [{ key: 'sku', by: { product_landing: 'sku' } }],
      description: 'Keeps the newest price of each product.',
    }),
    shop.job({
      output: orderItemTrusted,
      inputs: [orderItemLanding, orderTrusted],
      increments: [{ key: 'orderId', by: { order_item_landing: 'orderId', order_trusted: 'orderId' } }],
      description: 'Keeps the items of orders that stand.',
    }),
  ],
});

const curated = shop.zone('curated', {
  description: 'What people look at.',
  tables: [customerOrders, dailyRevenue, customerSegments],
  jobs: [
    shop.job({
      output: customerOrders,
      inputs: [customerTrusted, orderTrusted],
      increments: [
        { key: 'customerId', by: { customer_trusted: 'customerId', order_trusted: 'customerId' } },
      ],
      description: 'Adds up the orders of each customer.',
    }),
    shop.job({
      output: dailyRevenue,
      inputs: [orderTrusted],
      increments: [{ key: 'day', by: { order_trusted: day('orderedAt') } }],
      description: 'Adds up the orders of each day.',
    }),
    shop.job({
      output: customerSegments,
      inputs: [customerOrders],
      language: 'python',
      description: 'Parts the buyers in three by what they paid.',
    }),
  ],
});

export const bestCustomers = namedQuery('best_customers', {
  customerId: int('The customer.', { pii: 'quasi' }),
  lifetimeValue: decimal(12, 2, 'What they paid in all.'),
  daysSinceOrder: int('Days from their last order to the newest of all.'),
});

export default {
  name: 'shop',
  description: 'A shop: customers, orders and payments',
  pipeline: shop.pipeline(landing, trusted, curated),
  queries: [bestCustomers],
} satisfies LakehouseDefinition;
