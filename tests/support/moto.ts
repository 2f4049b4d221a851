// moto's server, which answers S3, Glue and Athena over HTTP as AWS would, and the program's resources on it.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { AthenaClient, CreateWorkGroupCommand } from '@aws-sdk/client-athena';
import {
  type Column,
  CreateDatabaseCommand,
  CreateJobCommand,
  CreateTableCommand,
  CreateWorkflowCommand,
  GlueClient,
  type TableInput,
} from '@aws-sdk/client-glue';
import {
  CreateBucketCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Lakehouse } from '../../components';
import { readSettings } from '../../components/settings';
import { archiveFile, type Deployment, deployed } from '../../components/testing';
import type { StackOutputs } from '../../engines/aws/outputs';
import { venvTool } from '../../engines/python';
import { placeOf } from '../../model/places';
import { lake } from '../../pipeline';
import { awsEnvironment } from './aws-server';

/** A server of moto in a process of its own. It holds nothing at first. */
export class Moto {
  private constructor(
    private readonly process: ChildProcess,
    readonly url: string,
  ) {}

  /** Throws where the server ends before it listens, with what it said. */
  static start(): Promise<Moto> {
    const child = spawn(venvTool('python'), ['-m', 'moto.server', '-H', '127.0.0.1', '-p', '0'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const said: string[] = [];
    return new Promise((done, fail) => {
      child.once('exit', (status) => fail(new Error(`moto ended with ${status}: ${said.join('\n')}`)));
      child.once('error', fail);
      createInterface({ input: child.stderr }).on('line', (line) => {
        const url = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
        if (url) done(new Moto(child, url));
        // A line a request comes later.
        else if (said.length < 20) said.push(line);
      });
    });
  }

  get environment() {
    return awsEnvironment(this.url);
  }

  /** Makes a client of the SDK that speaks to this server. */
  client<T>(
    make: new (settings: {
      endpoint: string;
      region: string;
      credentials: { accessKeyId: string; secretAccessKey: string };
      forcePathStyle: boolean;
    }) => T,
  ): T {
    return new make({
      endpoint: this.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'AKIASTANDIN', secretAccessKey: 'stand-in' },
      forcePathStyle: true,
    });
  }

  /** Asks moto for what no API of AWS has. */
  async tell(path: string, body: unknown): Promise<void> {
    const answer = await fetch(`${this.url}/moto-api/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`moto answers ${answer.status} to ${path}`);
  }

  stop(): Promise<void> {
    const ended = new Promise<void>((done) => this.process.once('exit', () => done()));
    this.process.kill();
    return ended;
  }
}

const CLOUD = { account: '123456789012', region: 'us-east-1', partition: 'aws' };

/** What Pulumi would be told to make for a stack of default settings. */
const program = (stack: string) =>
  deployed(
    () =>
      new Lakehouse('stedi', {
        pipeline: lake,
        settings: readSettings({ project: 'stedi-lakehouse', stack, region: CLOUD.region, values: {} }, lake),
        cloud: CLOUD,
        pseudonymKey: 'k'.repeat(64),
        runner: { script: 'print()', archive: archiveFile, module: 'duckdb==1.5.6' },
        code: Object.fromEntries(lake.jobs.map(({ name }) => [name, `SELECT '${name}'`])),
        queries: [],
      }),
  );

type Inputs = Readonly<Record<string, unknown>>;

/** The tables of a stack as Glue shows them, and the objects that Glue makes for them. */
export async function catalogOf(stack: string) {
  const tables = inputsOf(await program(stack), 'aws:glue/catalogTable:CatalogTable');
  return {
    tables: tables.map(tableInput),
    objects: tables.flatMap((t) => icebergOf(t) ?? []).map(metadataOf),
  };
}

/**
 * Makes of the program's resources what `lake` speaks to: buckets, the catalog, jobs, the workflow and workgroups, with
 * the names and the contents that Pulumi would be told. Returns the stack's outputs.
 */
export async function deployOnMoto(moto: Moto, stack: string): Promise<StackOutputs> {
  const made = await program(stack);
  const s3 = moto.client(S3Client);
  const glue = moto.client(GlueClient);
  const athena = moto.client(AthenaClient);
  for (const { bucket } of inputsOf(made, 'aws:s3/bucket:Bucket') as { bucket: string }[]) {
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    await s3.send(
      new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } }),
    );
  }
  for (const { name } of inputsOf(made, 'aws:glue/catalogDatabase:CatalogDatabase') as { name: string }[]) {
    await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: name } }));
  }
  for (const table of inputsOf(made, 'aws:glue/catalogTable:CatalogTable')) {
    const iceberg = icebergOf(table);
    if (iceberg) await s3.send(new PutObjectCommand(metadataOf(iceberg)));
    await glue.send(
      new CreateTableCommand({ DatabaseName: table.databaseName as string, TableInput: tableInput(table) }),
    );
  }
  for (const job of inputsOf(made, 'aws:glue/job:Job')) {
    await glue.send(
      new CreateJobCommand({
        Name: job.name as string,
        Role: 'arn:aws:iam::123456789012:role/stand-in',
        Command: { Name: 'glueetl', ScriptLocation: 's3://stand-in/main.py' },
        DefaultArguments: job.defaultArguments as Record<string, string>,
      }),
    );
  }
  for (const { name } of inputsOf(made, 'aws:glue/workflow:Workflow') as { name: string }[]) {
    await glue.send(new CreateWorkflowCommand({ Name: name }));
  }
  for (const { name } of inputsOf(made, 'aws:athena/workgroup:Workgroup') as { name: string }[]) {
    await athena.send(new CreateWorkGroupCommand({ Name: name }));
  }
  return outputsOf(made);
}

const inputsOf = (made: Deployment<Lakehouse>, type: string): Inputs[] =>
  made.resources.filter((resource) => resource.type === type).map(({ inputs }) => inputs);

function outputsOf({ value: { site, zones, nodes }, ...made }: Deployment<Lakehouse>): StackOutputs {
  const nameOf = (type: string, resource: string) => made.inputs(type, resource).name as string;
  const jobs = lake.jobs.map(({ name, output }) => [
    name,
    nameOf('aws:glue/job:Job', `stedi-${output.zone}-${name}-job`),
  ]);
  const buckets = Object.values(zones).map(({ definition, bucket }) => [definition.name, bucket.name]);
  return {
    name: site.name,
    region: site.region,
    account: site.account,
    database: site.database,
    buckets: { ...Object.fromEntries(buckets), artifacts: nodes.artifacts.name },
    workflow: made.one('aws:glue/workflow:Workflow').inputs.name as string,
    jobs: Object.fromEntries(jobs),
    forget: nameOf('aws:glue/job:Job', 'stedi-forget-job'),
    crawler: made.one('aws:glue/crawler:Crawler').inputs.name as string,
    workgroups: { all: nodes.workgroups.all.plannedName, analysts: nodes.workgroups.analysts.plannedName },
  };
}

interface IcebergInput {
  readonly location: string;
  readonly schema: {
    readonly fields: readonly { id: number; name: string; type: string; required: boolean; doc: string }[];
  };
  readonly partitionSpec?: {
    readonly fields: readonly { fieldId: number; sourceId: number; name: string; transform: string }[];
  };
  readonly properties: Readonly<Record<string, string>>;
}

const icebergOf = ({ openTableFormatInput: open }: Inputs): IcebergInput | undefined =>
  (open as { icebergInput: { icebergTableInput: IcebergInput } } | undefined)?.icebergInput.icebergTableInput;

const metadataUri = ({ location }: IcebergInput) => `${location}/metadata/00000.metadata.json`;

/** The metadata that Glue writes as it makes an Iceberg table, as far as anybody here reads it. */
function metadataOf(table: IcebergInput) {
  const { bucket: Bucket, prefix: Key } = placeOf(metadataUri(table));
  const fields = (table.partitionSpec?.fields ?? []).map(({ fieldId, sourceId, name, transform }) => ({
    'field-id': fieldId,
    'source-id': sourceId,
    name,
    transform,
  }));
  const metadata = {
    'format-version': 2,
    'default-spec-id': 0,
    'partition-specs': [{ 'spec-id': 0, fields }],
    properties: table.properties,
  };
  return { Bucket, Key, Body: JSON.stringify(metadata) };
}

/** A table as Glue's own API takes it. An Iceberg table as Glue shows it once it is made. */
function tableInput(inputs: Inputs): TableInput {
  const iceberg = icebergOf(inputs);
  if (iceberg === undefined) return capitalised(inputs) as TableInput;
  const { location, schema, properties } = iceberg;
  return {
    Name: inputs.name as string,
    TableType: 'EXTERNAL_TABLE',
    ...(properties.comment !== undefined && { Description: properties.comment }),
    Parameters: {
      table_type: 'ICEBERG',
      metadata_location: metadataUri(iceberg),
      ...properties,
    },
    StorageDescriptor: {
      Location: location,
      Columns: schema.fields.map(
        ({ id, name, type, required, doc }): Column => ({
          Name: name.toLowerCase(),
          Type: GLUE_TYPES[JSON.parse(type) as string] ?? (JSON.parse(type) as string),
          Comment: doc,
          Parameters: {
            'iceberg.field.id': String(id),
            'iceberg.field.optional': String(!required),
            'iceberg.field.current': 'true',
          },
        }),
      ),
    },
  };
}

/** Iceberg's types that Glue spells otherwise. */
const GLUE_TYPES: Readonly<Record<string, string>> = { long: 'bigint' };

/** Pulumi's inputs by the names of Glue's API, but for the parameters, whose keys are data. */
function capitalised(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => capitalised(each));
  if (typeof value !== 'object' || value === null || key === 'parameters') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      RENAMED[name] ?? name[0]?.toUpperCase() + name.slice(1),
      capitalised(each, name),
    ]),
  );
}

const RENAMED: Readonly<Record<string, string>> = { serDeInfo: 'SerdeInfo' };
