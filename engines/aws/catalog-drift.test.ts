import { placeOf } from '../../model/places';
import { lake as pipeline } from '../../pipeline';
import { GlueStandIn } from '../../tests/standin/glue';
import { AwsServer, awsEnvironment, type Fault, jsonError } from '../../tests/support/aws-server';
import { catalogOf } from '../../tests/support/moto';
import { outputsOf } from '../../tests/support/stack';
import { CatalogDrift } from './catalog-drift';
import type { Stack } from './stack';

const outputs = outputsOf(pipeline);

interface GlueColumn {
  Name: string;
  Type: string;
  Comment?: string;
  Parameters?: Record<string, string>;
}
interface Deployed {
  Name: string;
  Description?: string;
  Parameters: Record<string, string>;
  PartitionKeys?: GlueColumn[];
  StorageDescriptor: {
    Location: string;
    Columns: GlueColumn[];
    InputFormat?: string;
    SerdeInfo?: { Parameters: Record<string, string> };
  };
}

let glue: GlueStandIn;
let server: AwsServer;
let made: Awaited<ReturnType<typeof catalogOf>>;
let tables: Deployed[];
let metadata: Map<string, Record<string, unknown>>;
beforeAll(async () => {
  made = await catalogOf('dev');
});
beforeEach(async () => {
  glue = new GlueStandIn(pipeline, outputs);
  server = new AwsServer(glue.handle);
  Object.assign(process.env, awsEnvironment(await server.start()));
  tables = structuredClone(made.tables) as Deployed[];
  metadata = new Map(made.objects.map(({ Key, Body }) => [Key, JSON.parse(Body)]));
  // What crawlers and Iceberg's writers add.
  for (const { Parameters, StorageDescriptor } of tables) {
    if (Parameters.table_type !== 'ICEBERG') Parameters.recordCount = '7';
    else
      StorageDescriptor.Columns.push({
        Name: 'was_once',
        Type: 'int',
        Parameters: { 'iceberg.field.current': 'false' },
      });
  }
  for (const { properties } of metadata.values()) Object.assign(properties as object, { owner: 'hadoop' });
});
afterEach(() => server.stop());

const stack = (): Stack => ({
  name: 'dev',
  outputs,
  client: {
    region: 'us-east-1',
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 1_000, socketTimeout: 2_000 },
  },
});

async function drift(): Promise<string[]> {
  glue.tables = tables;
  for (const { Bucket, Key } of made.objects)
    glue.s3.put(Bucket, Key, JSON.stringify(metadata.get(Key) ?? {}));
  return (await new CatalogDrift(stack()).of(pipeline)).map(({ path, message }) => `${path}: ${message}`);
}

const table = (name: string): Deployed => {
  const found = tables.find(({ Name }) => Name === name);
  if (!found) throw new Error(name);
  return found;
};
const column = (of: string, name: string): GlueColumn => {
  const found = table(of).StorageDescriptor.Columns.find((c) => c.Name === name.toLowerCase());
  if (!found) throw new Error(name);
  return found;
};
const metadataOf = (name: string): Record<string, unknown> =>
  metadata.get(placeOf(table(name).Parameters.metadata_location ?? '').prefix) ?? {};

test('a catalog that is as the contracts say has none, over several pages', async () => {
  expect(await drift()).toEqual([]);
  expect(server.requests.filter(({ operation }) => operation === 'GetTables')).toHaveLength(
    Math.ceil(glue.tables.length / glue.pageSize),
  );
});

/** What somebody does to the catalog, and what is said of it. */
const CHANGES: readonly (readonly [string, () => void, readonly string[]])[] = [
  [
    'a table that is gone',
    () => tables.splice(tables.indexOf(table('customers_curated')), 1),
    ['customers_curated: is in the contracts and not in the catalog'],
  ],
  [
    'a table more',
    () => tables.push({ ...table('customers_curated'), Name: 'mine' }),
    ['mine: is in the catalog, and no contract has it'],
  ],
  [
    'a type',
    () => {
      column('customer_landing', 'registrationdate').Type = 'string';
      column('customer_trusted', 'registrationDate').Type = 'bigint';
    },
    [
      'customer_landing.registrationdate: type is string, the contract says bigint',
      'customer_trusted.registrationDate: type is bigint, the contract says timestamp',
    ],
  ],
  [
    'a comment',
    () => {
      column('customer_trusted', 'email').Comment = 'x y';
      delete column('accelerometer_landing', 'x').Comment;
    },
    [
      'accelerometer_landing.x: comment is missing, the contract says "Acceleration along x, in g."',
      'customer_trusted.email: comment is "x y", the contract says "E-mail address, by which the app knows the customer."',
    ],
  ],
  [
    'a column less and one more',
    () => {
      column('customer_trusted', 'email').Name = 'mail';
    },
    [
      'customer_trusted.email: is in the contract and not in the catalog',
      'customer_trusted.mail: is in the catalog and not in the contract',
    ],
  ],
  [
    'the order of columns',
    () => table('accelerometer_trusted').StorageDescriptor.Columns.reverse(),
    [
      'accelerometer_trusted: its columns come as z, y, x, timestamp, user, in the contract as user, timestamp, x, y, z',
    ],
  ],
  [
    'a place',
    () => {
      table('customer_trusted').StorageDescriptor.Location = 's3://elsewhere/x';
    },
    [
      'customer_trusted: is at s3://elsewhere/x, the contract says s3://stedi-lakehouse-dev-trusted-123456789012/customer_trusted',
    ],
  ],
  [
    'comments of tables',
    () => {
      table('customer_landing').Description = 'other';
      (metadataOf('customer_trusted').properties as Record<string, string>).comment = 'other';
    },
    [
      'customer_landing: comment is other, the contract says "One registration of a customer on the website, as written there."',
      `customer_trusted: comment is other, the contract says "${pipeline.tables.get('customer_trusted')?.description}"`,
    ],
  ],
  [
    'how JSON is read',
    () => {
      const { SerdeInfo } = table('customer_landing').StorageDescriptor;
      if (!SerdeInfo) throw new Error('none');
      SerdeInfo.Parameters['ignore.malformed.json'] = 'FALSE';
      SerdeInfo.Parameters['mapping.a'] = 'b';
      table('accelerometer_landing').StorageDescriptor.InputFormat = 'x';
      table('step_trainer_landing').PartitionKeys = [{ Name: 'day', Type: 'string' }];
      table('step_trainer_landing').Parameters.classification = 'csv';
    },
    [
      'customer_landing: SerDe parameter ignore.malformed.json is FALSE, the contract says TRUE',
      'customer_landing: has the SerDe parameter mapping.a, b, which the contract does not',
      'accelerometer_landing: input format is x, the contract says org.apache.hadoop.mapred.TextInputFormat',
      'step_trainer_landing: parameter classification is csv, the contract says json',
      'step_trainer_landing: is partitioned by day, the contract by nothing',
    ],
  ],
  [
    'partitions of Iceberg',
    () => {
      metadataOf('accelerometer_trusted')['default-spec-id'] = 1;
      metadataOf('customer_trusted')['partition-specs'] = [
        { 'spec-id': 0, fields: [{ name: 'e', transform: 'identity', 'source-id': 2, 'field-id': 1000 }] },
      ];
    },
    [
      'customer_trusted: is partitioned by identity(email), the contract by nothing',
      'accelerometer_trusted: is partitioned by nothing, the contract by day(timestamp)',
    ],
  ],
  [
    'what is no Iceberg any more',
    () => {
      delete table('customer_trusted').Parameters.table_type;
      delete table('customers_curated').Parameters.metadata_location;
      metadataOf('accelerometer_trusted')['format-version'] = 3;
    },
    [
      'customer_trusted: is no Iceberg table, the contract says ICEBERG',
      "accelerometer_trusted: is of Iceberg's format 3, the contract says 2",
      'customers_curated: has no metadata_location, so that no engine can read it',
    ],
  ],
];

test.each(CHANGES)('%s is told', async (_, change, said) => {
  change();
  expect((await drift()).toSorted()).toEqual(said.toSorted());
});

test('no database is no drift', async () => {
  server.fault = ({ operation }) =>
    operation === 'GetTables' ? jsonError('EntityNotFoundException', 'Database not found') : undefined;
  await expect(drift()).rejects.toThrow('there is no database stedi_lakehouse_dev in us-east-1');
});

test.each<readonly [string, Fault]>([
  ['a 500', jsonError('InternalServiceException', 'x', 500)],
  ['a reset', 'reset'],
  ['a cut', 'cut'],
])('%s at any request changes no answer', async (_, fault) => {
  await drift();
  const requests = server.requests.length;
  for (let at = 0; at < requests; at++) {
    const first = server.requests.length;
    server.fault = ({ index }) => (index === first + at ? fault : undefined);
    expect([at, await drift()]).toEqual([at, []]);
  }
});
