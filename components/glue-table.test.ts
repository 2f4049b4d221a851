import type { ResourceHook } from '@pulumi/pulumi';
import { DefinitionError } from '../model';
import { GlueTable, type GlueTableArgs } from './glue-table';
import { deployed, reading, readingRaw, site } from './testing';

const TABLE = 'aws:glue/catalogTable:CatalogTable';
const OPTIMIZER = 'aws:glue/catalogTableOptimizer:CatalogTableOptimizer';
const POLICY = 'aws:iam/rolePolicy:RolePolicy';
const COMPONENT = 'lakehouse:catalog:GlueTable';

const BUCKET = 'acme-test-clean-123456789012';
const args = { site, bucket: BUCKET, bucketName: BUCKET, protect: false, keep: false };

const sourceOf = (more: Partial<GlueTableArgs> = {}) =>
  deployed(() => new GlueTable('t', { ...args, ...more, table: readingRaw }));
const icebergOf = (more: Partial<GlueTableArgs> = {}) =>
  deployed(() => new GlueTable('t', { ...args, ...more, table: reading }));

const storage = {
  location: `s3://${BUCKET}/reading/landing/`,
  inputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
  outputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
  serDeInfo: {
    serializationLibrary: 'org.openx.data.jsonserde.JsonSerDe',
    parameters: { 'case.insensitive': 'TRUE', 'ignore.malformed.json': 'TRUE' },
  },
  columns: [
    { name: 'who', type: 'string', comment: 'Who.' },
    { name: 'readat', type: 'bigint', comment: 'When.' },
    { name: 'read_at', type: 'bigint', comment: 'Another spelling of readAt that was seen in the source.' },
    { name: 'value', type: 'double', comment: 'What.' },
  ],
};

const iceberg = {
  icebergInput: {
    metadataOperation: 'CREATE',
    version: '2',
    icebergTableInput: {
      location: `s3://${BUCKET}/reading`,
      schema: {
        type: 'struct',
        fields: [
          { id: 1, name: 'who', type: '"string"', required: false, doc: 'Who.' },
          { id: 2, name: 'readAt', type: '"timestamp"', required: false, doc: 'When.' },
          { id: 3, name: 'value', type: '"double"', required: false, doc: 'What.' },
        ],
      },
      partitionSpec: { fields: [{ fieldId: 1000, sourceId: 2, name: 'readAt_day', transform: 'day' }] },
      properties: { comment: 'A reading.', 'write.format.default': 'parquet' },
    },
  },
};

test('a source is an external table over its files, and nothing else', async () => {
  const { value, resources } = await sourceOf();
  expect(resources).toStrictEqual([
    {
      type: TABLE,
      name: 't-table',
      parent: 't',
      inputs: {
        name: 'reading_raw',
        databaseName: 'acme_test',
        description: 'A reading as it came.',
        tableType: 'EXTERNAL_TABLE',
        parameters: { EXTERNAL: 'TRUE', classification: 'json' },
        storageDescriptor: storage,
      },
      after: [],
      protect: false,
      retainOnDelete: false,
    },
    {
      type: COMPONENT,
      name: 't',
      inputs: {},
      after: [],
      outputs: { name: 'reading_raw', location: `s3://${BUCKET}/reading/landing/` },
    },
  ]);
  expect(value.contract).toBe(readingRaw);
  expect(value.name).toBe('reading_raw');
  expect(value.place).toEqual({ bucket: BUCKET, prefix: 'reading/landing/' });
  expect(value.arn).toBe('arn:aws-cn:glue:cn-north-1:123456789012:table/acme_test/reading_raw');
  expect(value.nodes.optimizers).toEqual([]);
  expect(Object.keys(value.nodes)).toEqual(['table', 'optimizers']);
});

test('a source may lie under another prefix and in a database that is being made', async () => {
  const { value, inputs } = await sourceOf({ prefix: 'quarantine/reading/', database: 'made' });
  expect(inputs(TABLE)).toMatchObject({
    databaseName: 'made',
    storageDescriptor: { ...storage, location: `s3://${BUCKET}/quarantine/reading/` },
  });
  expect(value.place.prefix).toBe('quarantine/reading/');
});

test('any other table is Iceberg, its schema in one place only', async () => {
  const { value, resources } = await icebergOf({ optimize: false });
  expect(resources).toStrictEqual([
    {
      type: TABLE,
      name: 't-table',
      parent: 't',
      inputs: { name: 'reading', databaseName: 'acme_test', openTableFormatInput: iceberg },
      after: [],
      protect: false,
      retainOnDelete: false,
      // Iceberg writes the comment there at every commit.
      ignoreChanges: ['description'],
      beforeUpdate: ['t-evolution'],
    },
    {
      type: COMPONENT,
      name: 't',
      inputs: {},
      after: [],
      outputs: { name: 'reading', location: `s3://${BUCKET}/reading/` },
    },
  ]);
  expect(value.place).toEqual({ bucket: BUCKET, prefix: 'reading/' });
  expect(value.arn).toBe('arn:aws-cn:glue:cn-north-1:123456789012:table/acme_test/reading');
  expect(value.nodes).toEqual({ table: value.nodes.table, optimizers: [] });
});

test('a table lies in the bucket that it is given, in the database that is being made', async () => {
  const { inputs } = await icebergOf({ database: 'made', bucket: 'ready' });
  expect(inputs(TABLE)).toMatchObject({
    databaseName: 'made',
    openTableFormatInput: { icebergInput: { icebergTableInput: { location: 's3://ready/reading' } } },
  });
});

describe('Glue cares for an Iceberg table', () => {
  const optimizer = (name: string, type: string, configuration: object) => ({
    type: OPTIMIZER,
    name,
    parent: 't',
    inputs: {
      catalogId: '123456789012',
      databaseName: 'acme_test',
      tableName: 'reading',
      type,
      configuration: { enabled: true, roleArn: 't-optimizer-role.arn', ...configuration },
    },
    after: ['t-optimizer-policy', 't-optimizer-role', 't-table'],
  });

  test('by three optimizers under one role', async () => {
    const { value, one, list } = await icebergOf();
    expect(list).toEqual([
      `${TABLE} t-table`,
      `${OPTIMIZER} t-compaction`,
      `${OPTIMIZER} t-orphan-file-deletion`,
      `${OPTIMIZER} t-retention`,
      'aws:iam/role:Role t-optimizer-role',
      `${POLICY} t-optimizer-policy`,
      'lakehouse:access:ServiceRole t-optimizer',
      `${COMPONENT} t`,
    ]);
    expect(one(OPTIMIZER, 't-compaction')).toStrictEqual(
      optimizer('t-compaction', 'compaction', {
        compactionConfiguration: {
          icebergConfiguration: { strategy: 'binpack', minInputFiles: 100, deleteFileThreshold: 1 },
        },
      }),
    );
    expect(one(OPTIMIZER, 't-retention')).toStrictEqual(
      optimizer('t-retention', 'retention', {
        retentionConfiguration: {
          icebergConfiguration: {
            snapshotRetentionPeriodInDays: 5,
            numberOfSnapshotsToRetain: 5,
            cleanExpiredFiles: true,
            runRateInHours: 24,
          },
        },
      }),
    );
    expect(one(OPTIMIZER, 't-orphan-file-deletion')).toStrictEqual(
      optimizer('t-orphan-file-deletion', 'orphan_file_deletion', {
        orphanFileDeletionConfiguration: {
          icebergConfiguration: { orphanFileRetentionPeriodInDays: 7, runRateInHours: 24 },
        },
      }),
    );
    expect(one('lakehouse:access:ServiceRole').parent).toBe('t');
    expect(Object.keys(value.nodes)).toEqual(['table', 'optimizers', 'role']);
    expect(value.nodes.optimizers).toHaveLength(3);
  });
});

describe('a transform', () => {
  test('changes a source but not its name', async () => {
    const { inputs } = await sourceOf({
      transform: {
        table: (given) => ({
          ...given,
          name: 'other',
          databaseName: 'other',
          tableType: 'VIRTUAL_VIEW',
          owner: 'me',
          description: 'Mine.',
        }),
      },
    });
    expect(inputs(TABLE)).toStrictEqual({
      name: 'reading_raw',
      databaseName: 'acme_test',
      description: 'Mine.',
      owner: 'me',
      tableType: 'EXTERNAL_TABLE',
      parameters: { EXTERNAL: 'TRUE', classification: 'json' },
      storageDescriptor: storage,
    });
  });

  test('cannot give an Iceberg table a second schema', async () => {
    const { inputs } = await icebergOf({
      transform: {
        table: {
          name: 'other',
          databaseName: 'other',
          openTableFormatInput: { icebergInput: { metadataOperation: 'CREATE', version: '3' } },
          storageDescriptor: { columns: [] },
          parameters: { table_type: 'ICEBERG' },
          tableType: 'EXTERNAL_TABLE',
          description: 'Mine.',
          owner: 'me',
        },
      },
    });
    expect(inputs(TABLE)).toStrictEqual({
      name: 'reading',
      databaseName: 'acme_test',
      openTableFormatInput: iceberg,
      owner: 'me',
    });
  });
});

describe('an update that files would not survive', () => {
  const update = async (newInputs: unknown, oldInputs: unknown = { openTableFormatInput: iceberg }) => {
    const { hooks } = await icebergOf();
    const [hook, ...others] = hooks;
    expect(others).toEqual([]);
    expect(hook?.name).toBe('t-evolution');
    expect(hook?.opts).toEqual({ onDryRun: true });
    return (hook as ResourceHook).callback({
      urn: 'urn',
      id: 'id',
      name: 't-table',
      type: TABLE,
      oldInputs,
      newInputs,
    } as Parameters<ResourceHook['callback']>[0]);
  };
  const withTable = (change: object) => ({
    openTableFormatInput: {
      icebergInput: {
        ...iceberg.icebergInput,
        icebergTableInput: { ...iceberg.icebergInput.icebergTableInput, ...change },
      },
    },
  });

  test('stops with every fault', async () => {
    const without = withTable({
      location: 's3://elsewhere/reading',
      schema: { type: 'struct', fields: iceberg.icebergInput.icebergTableInput.schema.fields.slice(0, 2) },
    });
    const told = await update(without).then(
      () => 'no fault',
      (error: unknown) => error,
    );
    expect(told).toBeInstanceOf(DefinitionError);
    expect((told as Error).message).toBe(`The definition has 2 faults:
  reading.columns.value: is column 3 of the deployed table and is gone from the contract; keep it, or make a table of another name
  reading: is at s3://${BUCKET}/reading and would be at s3://elsewhere/reading; its files would stay behind`);
  });

  test('is none where a column is appended, or where another part of the table changes', async () => {
    const { fields } = iceberg.icebergInput.icebergTableInput.schema;
    await update(
      withTable({ schema: { type: 'struct', fields: [...fields, { id: 4, name: 'more', type: '"long"' }] } }),
    );
    await update(withTable({ properties: { comment: 'Other.' } }));
    await update({ openTableFormatInput: iceberg }, undefined);
    await update({ openTableFormatInput: undefined });
  });
});
