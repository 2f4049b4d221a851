// The `lake` command on a stack, as a process, against moto's server, which holds what the program would make.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Column, GetTableCommand, GlueClient, UpdateTableCommand } from '@aws-sdk/client-glue';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { lake, temporaryDir } from './support/lake';
import { deployOnMoto, Moto } from './support/moto';
import { hasDevelopmentTools } from './support/python';
import { outputsOf } from './support/stack';

const STACK = 'dev';
const dir = temporaryDir('moto');
const OUTPUTS = join(dir, 'outputs.json');
const DATA = join(dir, 'data');

(hasDevelopmentTools('tests on moto') ? describe : describe.skip)('lake on a stack', () => {
  let moto: Moto;
  const outputs = outputsOf();

  beforeAll(async () => {
    moto = await Moto.start();
    await deployOnMoto(moto, STACK);
    writeFileSync(OUTPUTS, JSON.stringify(outputs));
    const { status, stderr } = await lake(['sample', '--out', DATA, '--customers', '30', '--dirty', '0.01']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
  afterAll(() => moto?.stop());

  const onStack = (command: string, ...args: string[]) =>
    lake([command, ...args, '--stack', STACK, '--outputs', OUTPUTS], moto.environment);

  /** The objects of a bucket, by key. */
  async function objectsOf(bucket: string): Promise<Record<string, string>> {
    const bodies = [...(await moto.contentOf(bucket))];
    return Object.fromEntries(bodies.map(([key, body]) => [key, String(body)]));
  }

  test('ingest puts every file in place, skips what is there, and overwrites only when told', async () => {
    const landing = outputs.buckets.landing;
    const first = await onStack('ingest', DATA, '--json');
    expect(first.status).toBe(0);
    // The sample's files from Windows begin with a byte-order mark.
    expect(first.stderr).toContain('Athena reads one object a line, and misreads 3 files');
    const put = await objectsOf(landing);
    const entities = ['accelerometer', 'customer', 'step_trainer'];
    expect(Object.keys(put).map((key) => key.split('/')[0])).toEqual(expect.arrayContaining(entities));
    for (const [key, text] of Object.entries(put)) expect(text).toBe(readFileSync(join(DATA, key), 'utf8'));

    const again = await onStack('ingest', DATA);
    expect(again.status).toBe(0);
    expect(again.stdout).toMatch(/unchanged/);

    const [changed = ''] = Object.keys(put).filter((key) => key.startsWith('customer/'));
    const more = `${put[changed]}${put[changed]?.split('\n')[0]}\n`;
    writeFileSync(join(DATA, changed), more);
    const refused = await onStack('ingest', DATA);
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining(changed) });
    expect(await objectsOf(landing)).toEqual(put);
    expect(await onStack('ingest', DATA, '--replace')).toMatchObject({ status: 0 });
    expect(await objectsOf(landing)).toEqual({ ...put, [changed]: more });
  });

  test('ingest sends a large file in parts, and finds it in place', async () => {
    const data = join(dir, 'large');
    const key = 'accelerometer/landing/large.json';
    const content = Buffer.alloc((16 << 20) + 5, '{"x": 1}\n');
    mkdirSync(join(data, key, '..'), { recursive: true });
    writeFileSync(join(data, key), content);
    const run = async () => JSON.parse((await onStack('ingest', data, '--no-validate', '--json')).stdout);
    expect(await run()).toMatchObject({ files: 1, bytes: content.length });
    const landing = outputs.buckets.landing;
    const s3 = moto.client(S3Client);
    const { Body, ETag } = await s3.send(new GetObjectCommand({ Bucket: landing, Key: key }));
    expect(ETag).toMatch(/-2"$/);
    expect(content.equals(Buffer.from((await Body?.transformToByteArray()) ?? []))).toBe(true);
    expect(await run()).toMatchObject({ files: 0 });
  });

  test('query prints what Athena answers, NULL apart from the empty text', async () => {
    const column = (Name: string, Type: string) => ({
      CatalogName: 'hive',
      Name,
      Label: Name,
      Type,
      Precision: 0,
      Scale: 0,
      Nullable: 'UNKNOWN',
      CaseSensitive: true,
    });
    const cells = (...values: (string | undefined)[]) => ({
      Data: values.map((VarCharValue) => (VarCharValue === undefined ? {} : { VarCharValue })),
    });
    await moto.tell('static/athena/query-results', {
      account_id: '123456789012',
      region: 'us-east-1',
      results: [
        {
          rows: [cells('subject', 'readings'), cells('a', '9007199254740993'), cells('', undefined)],
          column_info: [column('subject', 'varchar'), column('readings', 'bigint')],
        },
      ],
    });
    const sql = 'SELECT subject, COUNT(*) AS readings FROM machine_learning_curated GROUP BY subject';
    const { status, stdout, stderr } = await onStack('query', '-e', sql, '--format', 'csv');
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: 'subject,readings\na,9007199254740993\n"",\n',
    });
    expect(stderr).toMatch(/^scanned .*, about USD .*; query id [\w-]+\n$/);
  });

  test('run starts single jobs in their order and follows them; the workflow is started, and started once', async () => {
    const jobs = ['customer_trusted', 'accelerometer_trusted'];
    const single = await onStack('run', '--only', ...jobs);
    expect(single.status).toBe(0);
    for (const job of jobs) expect(single.stdout).toContain(job);

    const started = await onStack('run', '--no-wait');
    expect(started).toMatchObject({ status: 0, stderr: '' });
    const [run = ''] = /wr_\w+/.exec(started.stdout) ?? [];
    expect(run).not.toBe('');
    const second = await onStack('run', '--no-wait');
    expect(second).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining(run) });

    const status = await onStack('status');
    expect(status).toMatchObject({ status: 0, stderr: '' });
    expect(status.stdout).toContain(`${run}, has been going on since`);
  });

  test('diff finds nothing in what the program makes, and every change of it', async () => {
    const clean = await onStack('diff');
    expect(clean).toMatchObject({ status: 0, stderr: '' });

    const glue = moto.client(GlueClient);
    const change = async (name: string, edit: (columns: Column[]) => Column[]) => {
      const { Table: table } = await glue.send(
        new GetTableCommand({ DatabaseName: outputs.database, Name: name }),
      );
      const storage = table?.StorageDescriptor;
      await glue.send(
        new UpdateTableCommand({
          DatabaseName: outputs.database,
          TableInput: {
            Name: name,
            Description: table?.Description,
            TableType: table?.TableType,
            Parameters: table?.Parameters,
            StorageDescriptor: { ...storage, Columns: edit(storage?.Columns ?? []) },
          },
        }),
      );
    };
    await change('customer_landing', ([, ...columns]) => columns);
    await change('step_trainer_trusted', (columns) =>
      columns.map((column) => (column.Name === 'distancefromobject' ? { ...column, Type: 'int' } : column)),
    );
    const { status, stdout } = await onStack('diff', '--json');
    expect(status).toBe(1);
    expect((JSON.parse(stdout) as { drift: { path: string }[] }).drift.map(({ path }) => path)).toEqual([
      'customer_landing.customername',
      'step_trainer_trusted.distanceFromObject',
    ]);
  });
});
