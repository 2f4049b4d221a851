// What a review says of each kind of change of the shop: the example as it is, is the base of all.
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe as describeProject } from '../cli/describe';
import { reviewAgainst } from '../cli/review';
import { sampleOf } from '../cli/sample';
import { DuckDbEngine } from '../engines/duckdb/engine';
import { loadProject } from '../engines/project';
import { type Level, verdictOf } from '../review/finding';
import { parsePreview } from '../review/infrastructure';
import { markdownOf } from '../review/markdown';
import { findingsOf, type Review } from '../review/review';
import { plain } from '../review/text';
import { ROOT, temporaryDir } from './support/lake';

const SHOP = join(ROOT, 'examples', 'shop');
const dir = temporaryDir('review');

/** The shop as the base, in this process: `lake` of another one would say the same. */
const shop = loadProject(SHOP);
let described: ReturnType<typeof describeProject> | undefined;
const base = {
  async lake([command, ...args]: readonly string[]) {
    const option = (name: string) => args[args.indexOf(name) + 1] as string;
    const said = { describe, sample, run }[command as 'describe' | 'sample' | 'run'];
    return { status: 0, stdout: JSON.stringify(await said()), stderr: '' };
    function describe() {
      described ??= describeProject(shop);
      return described;
    }
    async function sample() {
      const drawn = join(dir, `sample-${option('--dirty')}`);
      if (!existsSync(drawn))
        await sampleOf(shop.definition).write({
          out: drawn,
          size: 1000,
          seed: 1,
          dirty: Number(option('--dirty')),
        });
      cpSync(drawn, option('--out'), { recursive: true });
    }
    async function run() {
      const engine = new DuckDbEngine({ lake: option('--lake'), jobs: shop.jobs });
      const only = args.slice(args.indexOf('--only') + 1);
      const request = { data: option('--data'), time: new Date(option('--time')), only };
      return (await engine.run(shop.definition.pipeline, request)).summary;
    }
  },
};

/** Texts of a file and what takes their places, all of a file, or that it goes. */
type Edits = Readonly<Record<string, readonly (readonly [string | RegExp, string])[] | string | undefined>>;

let made = 0;
async function reviewOfShopWith(edits: Edits): Promise<Review> {
  const place = join(dir, String(made++));
  const head = join(place, 'head');
  cpSync(SHOP, head, { recursive: true });
  for (const [file, change] of Object.entries(edits)) {
    const path = join(head, file);
    if (change === undefined) rmSync(path);
    else if (typeof change === 'string') writeFileSync(path, change);
    else {
      let text = readFileSync(path, 'utf8');
      for (const [from, to] of change) {
        const edited = text.replace(from, to);
        expect(edited).not.toBe(text);
        text = edited;
      }
      writeFileSync(path, text);
    }
  }
  return reviewAgainst(base, loadProject(head), place, { ref: 'main', previews: [] });
}

const said = (review: Review, most: Level[] = ['breaking', 'loss', 'access', 'look']) =>
  findingsOf(review)
    .filter(({ level }) => most.includes(level))
    .map(({ level, text }) => `${level}: ${plain(text)}`);

interface Change {
  readonly name: string;
  readonly edits: Edits;
  readonly verdict: ReturnType<typeof verdictOf>['verdict'];
  /** What has to be said, one finding each; every finding besides notes is one of them. */
  readonly says: readonly RegExp[];
}

const CHANGES: readonly Change[] = [
  { name: 'nothing at all', edits: {}, verdict: 'safe', says: [] },
  {
    name: 'a comment',
    edits: {
      'lakehouse.ts': [['const landing =', '// Files.\nconst landing =']],
      'jobs/daily_revenue.sql': [['-- Orders and', '-- All orders and']],
    },
    verdict: 'safe',
    says: [],
  },
  {
    name: 'a description',
    edits: { 'lakehouse.ts': [['What was paid for the orders of each day.', 'The revenue of each day.']] },
    verdict: 'safe',
    says: [],
  },
  {
    name: 'a column of a source added',
    edits: {
      'lakehouse.ts': [
        [
          "    status: text('How far",
          "    coupon: text('Coupon.', { nullable: true }),\n    status: text('How far",
        ],
      ],
    },
    verdict: 'safe',
    says: [],
  },
  {
    name: 'a required column of a source added',
    edits: {
      'lakehouse.ts': [
        ["    status: text('How far", "    coupon: text('Coupon.'),\n    status: text('How far"],
      ],
    },
    verdict: 'breaking',
    says: [/^breaking: order_landing\.columns\.coupon is new and required/],
  },
  {
    name: 'a column dropped',
    edits: {
      'lakehouse.ts': [['    lastOrderedAt: { ...order.orderedAt, nullable: true },\n', '']],
      'jobs/customer_orders.sql': [
        [' AS lifetimeValue,', ' AS lifetimeValue'],
        ['  MAX(o.orderedAt) AS lastOrderedAt\n', ''],
      ],
    },
    verdict: 'breaking',
    says: [
      /^breaking: queries\/best_customers\.sql:\d+ does not fit the contracts: /,
      /^look: the job customer_orders has other SQL$/,
      /^loss: customer_orders\.columns\.lastOrderedAt is column 5 .*; it was read by queries\/best_customers\.sql$/,
    ],
  },
  {
    name: 'a column retyped',
    edits: {
      'lakehouse.ts': [
        [
          "    orders: int('How many orders.', { min: 1 }),",
          "    orders: double('How many orders.', { min: 1 }),",
        ],
        ['  decimal,\n', '  decimal,\n  double,\n'],
      ],
      'jobs/daily_revenue.sql': [['COUNT(*) AS orders', 'CAST(COUNT(*) AS DOUBLE) AS orders']],
    },
    verdict: 'breaking',
    says: [
      /^breaking: daily_revenue\.columns\.orders is long in the deployed table and double in the contract/,
      /^look: the job daily_revenue has other SQL$/,
    ],
  },
  {
    name: 'a column reclassified',
    edits: {
      'lakehouse.ts': [
        [
          "paymentId: text('Number of the payment.')",
          "paymentId: text('Number of the payment.', { pii: 'quasi', identifies: 'person' })",
        ],
      ],
    },
    verdict: 'look here',
    says: [
      /^look: payment_landing\.columns\.paymentId: class of personal data was none, is quasi$/,
      /^look: payment_landing\.columns\.paymentId: whom it identifies was none, is person$/,
      /^look: a person's rows are found in payment_landing by paymentId; before, nobody had any$/,
      /^look: a person's rows are found in order_trusted made from order_landing, payment_landing, customer_landing; before, made from order_landing, customer_landing$/,
      /^look: analysts may no longer query payment_landing$/,
    ],
  },
  {
    name: 'a filter changed',
    edits: {
      'jobs/order_trusted.sql': [["o.status <> 'cancelled'", "o.status NOT IN ('cancelled', 'open')"]],
    },
    verdict: 'look here',
    says: [
      /^look: the job order_trusted has other SQL$/,
      /^look: order_trusted: \d+ → \d+ rows, \d+ removed \(by orderId\)$/,
      /^look: order_item_trusted: [\d,]+ → [\d,]+ rows, \d+ removed \(by orderId, line\)$/,
      /^look: customer_orders: [\d,]+ rows, \d+ changed \(by customerId\)$/,
      /^look: daily_revenue: \d+ rows, \d+ changed \(by day\)$/,
    ],
  },
  {
    name: 'a join that multiplies',
    edits: {
      'jobs/order_trusted.sql': [
        [
          'LEFT JOIN paid p ON p.orderId = o.orderId',
          'LEFT JOIN payment_landing x ON x.orderId = o.orderId\nLEFT JOIN paid p ON p.orderId = o.orderId',
        ],
      ],
    },
    verdict: 'breaking',
    says: [
      /^look: the job order_trusted has other SQL$/,
      /^look: order_trusted\.unique_orderId: 0 → \d+ bad rows$/,
      /^breaking: on a sample of 1,000 records the run fails: order_trusted: expectation unique_orderId failed with \d+ bad rows/,
    ],
  },
  {
    name: 'a join that multiplies what is summed up',
    edits: {
      'jobs/daily_revenue.sql': [
        [
          'FROM order_trusted o\n',
          'FROM order_trusted o\nJOIN (SELECT 1 AS n UNION ALL SELECT 2) x ON true\n',
        ],
      ],
    },
    verdict: 'look here',
    says: [
      /^look: the job daily_revenue has other SQL$/,
      /^look: daily_revenue: \d+ rows, \d+ changed \(by day\)$/,
    ],
  },
  {
    name: 'a new job',
    edits: {
      'lakehouse.ts': [
        [
          'const landing = shop.zone',
          "const cities = shop.table({\n  name: 'cities',\n  zone: 'curated',\n  description: 'How many customers a month.',\n  columns: { customers: int('How many.') },\n});\n\nconst landing = shop.zone",
        ],
        ['tables: [customerOrders, dailyRevenue,', 'tables: [customerOrders, dailyRevenue, cities,'],
        [
          '    shop.job({\n      output: dailyRevenue,',
          "    shop.job({ output: cities, inputs: [customerTrusted], description: 'Counts customers.' }),\n    shop.job({\n      output: dailyRevenue,",
        ],
      ],
      'jobs/cities.sql': '-- How many customers.\nSELECT COUNT(*) AS customers FROM customer_trusted\n',
    },
    verdict: 'look here',
    says: [
      /^look: the job cities is new; it reads customer_trusted$/,
      /^access: the job cities may now read customer_trusted$/,
      /^access: the job cities may now write cities$/,
      /^access: analysts may now query cities$/,
      /^look: dev: \d+\.\d\d USD → \d+\.\d\d USD a month$/,
    ],
  },
  {
    name: 'a right widened by a new input',
    edits: {
      'lakehouse.ts': [
        [
          'inputs: [customerTrusted, orderTrusted],',
          'inputs: [customerTrusted, orderTrusted, paymentLanding],',
        ],
      ],
    },
    verdict: 'look here',
    says: [
      /^look: the job customer_orders reads customer_trusted, order_trusted, payment_landing; before, customer_trusted, order_trusted$/,
      /^access: the job customer_orders may now read payment_landing$/,
      /^access: the job customer_orders may now write payment_landing_quarantine$/,
    ],
  },
  {
    name: 'a query',
    edits: { 'queries/quarantine.sql': [['COUNT(*) AS records', 'CAST(COUNT(*) AS DOUBLE) AS records']] },
    verdict: 'breaking',
    says: [
      /^breaking: the query quarantine gives records as DOUBLE; before, BIGINT$/,
      /^look: the query quarantine has other SQL$/,
    ],
  },
  {
    name: 'a worker size',
    edits: {
      'Pulumi.dev.yaml': [['  shop:zones:', '  shop:jobs: { workerType: G.2X }\n  shop:zones:']],
    },
    verdict: 'look here',
    says: [
      /^look: dev: workerType of customer_trusted, order_trusted, product_trusted, order_item_trusted, customer_orders, daily_revenue, customer_segments, forget was G\.1X, is G\.2X$/,
      /^look: dev: \d+\.\d\d USD → \d+\.\d\d USD a month$/,
    ],
  },
  {
    name: 'a column renamed',
    edits: {
      'lakehouse.ts': [['    meanOrder: decimal', '    averageOrder: decimal']],
      'jobs/daily_revenue.sql': [['AS meanOrder', 'AS averageOrder']],
    },
    verdict: 'breaking',
    says: [
      /^loss: daily_revenue\.columns\.meanOrder is column 4 of the deployed table and is gone from the contract/,
      /^look: the job daily_revenue has other SQL$/,
      /^access: analysts may now query averageOrder of daily_revenue$/,
      /^look: analysts may no longer query meanOrder of daily_revenue$/,
    ],
  },
  {
    name: 'a key changed',
    edits: { 'lakehouse.ts': [["keys: [['customerId']]", "keys: [['customerId', 'email']]"]] },
    verdict: 'look here',
    says: [
      /^look: customer_trusted: rows may share customerId now, which were a key$/,
      /^look: customer_trusted: a run fails where rows share customerId, email, a key now$/,
    ],
  },
  {
    name: 'a class of personal data loosened',
    edits: { 'lakehouse.ts': [["{ pii: 'quasi', from: 'address.city' }", "{ from: 'address.city' }"]] },
    verdict: 'look here',
    says: [
      /^access: (?:customer_landing|customer_trusted|customer_orders)\.columns\.city: class of personal data was quasi, is none$/,
    ],
  },
  {
    name: 'an expectation dropped, and one made to fail',
    edits: {
      'lakehouse.ts': [
        [/ {2}expectations: \[unique.*\n/, ''],
        ["severity: 'warn', description: 'Every payment", "severity: 'fail', description: 'Every payment"],
      ],
    },
    verdict: 'breaking',
    says: [
      /^look: customer_landing\.expectations\.unique_customerId is gone; it was a warn$/,
      /^look: payment_landing\.expectations\.references_order_landing was a warn and is a fail$/,
      /^breaking: on a sample of 1,000 records the run fails: payment_landing: expectation references_order_landing failed with \d+ bad rows/,
    ],
  },
  {
    name: 'another format of a source',
    edits: { 'lakehouse.ts': [["csv({ delimiter: ';' })", 'csv()']] },
    verdict: 'breaking',
    says: [
      /^breaking: payment_landing was .*"delimiter":";".* and is .*"delimiter":","/,
      /^breaking: on a sample of 1,000 records the run fails: payment_landing: 1 file cannot be read/,
      /^look: payment_landing: \d+ → \d+ refused for [A-Z_]+$/,
      /^look: payment_landing\.references_order_landing: \d+ → 0 bad rows$/,
    ],
  },
  {
    name: 'a job moved to Python',
    edits: {
      'lakehouse.ts': [['output: dailyRevenue,', "output: dailyRevenue,\n      language: 'python',"]],
      'jobs/daily_revenue.sql': undefined,
      'jobs/daily_revenue.py': 'def transform(inputs, parameters):\n    return inputs["order_trusted"]\n',
    },
    verdict: 'look here',
    says: [/^look: the job daily_revenue is in Python, and was in SQL$/],
  },
  {
    name: 'a job moved to SQL',
    edits: {
      'lakehouse.ts': [["      language: 'python',\n", '']],
      'jobs/customer_segments.py': undefined,
      'jobs/customer_segments.sql':
        "-- No thirds.\nSELECT customerId, 'none' AS segment, lifetimeValue FROM customer_orders\n",
    },
    verdict: 'look here',
    says: [/^look: the job customer_segments is in SQL, and was in Python$/],
  },
  {
    name: 'parts of a table by another rule',
    edits: { 'lakehouse.ts': [[/ {6}increments: \[\{ key: 'day'.*\n/, '']] },
    verdict: 'look here',
    says: [/^look: the job daily_revenue makes parts of its table by another rule/],
  },
  {
    name: 'a job in two languages',
    edits: { 'jobs/daily_revenue.py': '' },
    verdict: 'breaking',
    says: [
      /^breaking: jobs\/daily_revenue\.py does not fit the contracts: stands beside jobs\/daily_revenue\.sql, /,
      /^look: no rows were compared/,
    ],
  },
  {
    name: 'a table renamed',
    edits: {
      'lakehouse.ts': [["name: 'daily_revenue'", "name: 'revenue'"]],
      'jobs/revenue.sql': readFileSync(join(SHOP, 'jobs', 'daily_revenue.sql'), 'utf8'),
    },
    verdict: 'breaking',
    says: [
      /^loss: the table daily_revenue is gone: no query finds its rows, and its entry of the catalog goes$/,
      /^look: the job daily_revenue is gone$/,
      /^look: the job revenue is new; it reads order_trusted$/,
      /^access: (?:the job revenue may now (?:read order_trusted|write revenue)|analysts may now query revenue)$/,
      /^look: (?:the job daily_revenue|analysts) may no longer (?:read order_trusted|write daily_revenue|query daily_revenue)$/,
    ],
  },
  {
    name: 'a zone renamed',
    edits: { 'lakehouse.ts': [[/'landing'/g, "'raw'"]] },
    verdict: 'breaking',
    says: [
      /^loss: \w+_landing is in raw, and was in landing: its files are read there, and those that landed before no more$/,
      /^breaking: the stack dev cannot be deployed: .*\n {2}zones\.landing: is no setting of zones/,
    ],
  },
  {
    name: 'who governs the queries of analysts',
    edits: {
      'Pulumi.dev.yaml': [
        [
          '  shop:zones:',
          '  shop:permissions: lake-formation\n  shop:analysts: ["arn:aws:iam::111122223333:role/analyst"]\n  shop:zones:',
        ],
      ],
    },
    verdict: 'look here',
    says: [
      /^access: arn:aws:iam::111122223333:role\/analyst may now query (?:[\w, ]+ of )?\w+$/,
      /^look: analysts may no longer query \w+$/,
      /^look: dev: permissions was iam, is lake-formation$/,
      /^look: dev: analysts was \[\], is \["arn:aws:iam::111122223333:role\/analyst"\]$/,
    ],
  },
  {
    name: 'the project renamed',
    edits: { 'Pulumi.yaml': [['name: shop', 'name: store']], 'Pulumi.dev.yaml': [[/shop:/g, 'store:']] },
    verdict: 'breaking',
    says: [/^loss: dev: name was shop-dev, is store-dev$/, /^look: dev: tags\.project was shop, is store$/],
  },
];

test.each(CHANGES)('$name', async ({ edits, verdict, says }) => {
  const review = await reviewOfShopWith(edits);
  const found = said(review);
  for (const one of says) expect(found).toContainEqual(expect.stringMatching(one));
  // Nothing else is claimed.
  expect(found.filter((one) => !says.some((expected) => expected.test(one)))).toEqual([]);
  expect(verdictOf(findingsOf(review)).verdict).toBe(verdict);
  expect(markdownOf(review)).toMatchSnapshot();
});

test('docs/review.md shows the comment of a filter', async () => {
  const { edits = {} } = CHANGES.find(({ name }) => name === 'a filter changed') ?? {};
  const docs = readFileSync(join(ROOT, 'docs', 'review.md'), 'utf8');
  expect(docs).toContain(markdownOf(await reviewOfShopWith(edits)).trim());
});

test('a base that does not describe itself gets the infrastructure alone, and a line that says so', async () => {
  const old = {
    lake: async () => ({ status: 2, stdout: '', stderr: "error: unknown command 'describe'\n" }),
  };
  const previews = [parsePreview('dev', '{"steps":[]}')];
  const review = await reviewAgainst(old, shop, join(dir, 'old'), { ref: 'main', previews });
  expect(review.sections.map(({ title }) => title)).toEqual([
    'Infrastructure',
    'Contracts, data, access and cost',
  ]);
  expect(said(review)).toEqual(['look: the base cannot be compared: its version has no lake describe']);
});
