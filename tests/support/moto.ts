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
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { venvTool } from '../../engines/python';
import { placeOf } from '../../model/places';
import { callsOf } from './aws-calls';
import { type AwsRequest, type AwsResponse, awsEnvironment } from './aws-server';
import { type Emitted, emitted } from './emitted';

interface ClientSettings {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly forcePathStyle: boolean;
}

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
  client<T>(make: new (settings: ClientSettings) => T): T {
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

  /** Its answer to a request that came to a stand-in. */
  async answer({ headers, body }: AwsRequest): Promise<AwsResponse> {
    const sent = ['authorization', 'content-type', 'x-amz-target'].map((name) => [
      name,
      String(headers[name]),
    ]);
    const answer = await fetch(this.url, {
      method: 'POST',
      headers: Object.fromEntries(sent),
      body: String(body),
    });
    return { status: answer.status, body: await answer.text() };
  }

  /** The bodies of a bucket by key. */
  async contentOf(Bucket: string): Promise<ReadonlyMap<string, Buffer>> {
    const s3 = this.client(S3Client);
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
    const read = async (Key: string) => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      return [Key, Buffer.from((await Body?.transformToByteArray()) ?? [])] as const;
    };
    return new Map(await Promise.all(Contents.map(({ Key = '' }) => read(Key))));
  }

  stop(): Promise<void> {
    const ended = new Promise<void>((done) => this.process.once('exit', () => done()));
    this.process.kill();
    return ended;
  }
}

/** The tables of a stack as Glue shows them, and the objects that Glue makes for them. */
export async function catalogOf(stack: string) {
  const { resources } = await emitted(stack, {});
  const tables = resources.filter(({ type }) => type === 'aws:glue/catalogTable:CatalogTable');
  return {
    tables: tables.map(tableInput),
    objects: tables.flatMap((table) => icebergOf(table) ?? []).map(metadataOf),
  };
}

type Make = new (input: never) => object;
/** What moto is asked to make, of all that AWS is. */
const MADE: Readonly<Record<string, readonly [client: new (s: ClientSettings) => unknown, command: Make]>> = {
  CreateBucket: [S3Client, CreateBucketCommand],
  PutBucketVersioning: [S3Client, PutBucketVersioningCommand],
  CreateDatabase: [GlueClient, CreateDatabaseCommand],
  CreateTable: [GlueClient, CreateTableCommand],
  CreateJob: [GlueClient, CreateJobCommand],
  CreateWorkflow: [GlueClient, CreateWorkflowCommand],
  CreateWorkGroup: [AthenaClient, CreateWorkGroupCommand],
};

/** Makes of the program's resources what `lake` speaks to: buckets, the catalog, jobs, the workflow and workgroups. */
export async function deployOnMoto(moto: Moto, stack: string): Promise<void> {
  const { resources } = await emitted(stack, {});
  for (const resource of resources) {
    const iceberg = icebergOf(resource);
    if (iceberg) await moto.client(S3Client).send(new PutObjectCommand(metadataOf(iceberg)));
    for (const { operation, params } of callsOf([resource])) {
      const [client, Command] = MADE[operation] ?? [];
      if (!client || !Command) continue;
      const { OpenTableFormatInput, Name, ...shown } = params;
      const asked = iceberg ? { ...shown, TableInput: tableInput(resource) } : params;
      await (moto.client(client) as { send(command: object): Promise<unknown> }).send(
        new Command(asked as never),
      );
    }
  }
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

const icebergOf = ({ inputs }: Emitted): IcebergInput | undefined =>
  (inputs.openTableFormatInput as { icebergInput: { icebergTableInput: IcebergInput } } | undefined)
    ?.icebergInput.icebergTableInput;

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
function tableInput(table: Emitted): TableInput {
  const iceberg = icebergOf(table);
  if (iceberg === undefined) return callsOf([table])[0]?.params.TableInput as TableInput;
  const { location, schema, properties } = iceberg;
  return {
    Name: table.inputs.name as string,
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
