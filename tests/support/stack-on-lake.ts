// AWS as far as `lake … --stack` speaks to it, over HTTP: S3, and a Glue and an Athena that are the local engine on what
// has landed, so that their answers are real data. S3 and the catalog may be moto's.
import { rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { lake as pipeline } from '../../pipeline';
import { AthenaStandin, asAthena } from '../standin/athena';
import { GlueStandIn } from '../standin/glue';
import { S3StandIn } from '../standin/s3';
import { type AwsRequest, type AwsResponse, AwsServer, awsEnvironment, json } from './aws-server';
import { engineOf } from './lake';
import { catalogOf, deployOnMoto, type Moto } from './moto';
import { outputsOf } from './stack';

export class StackOnLake {
  readonly outputs;
  /** With moto: what jobs leave, until it is handed over. */
  readonly s3;
  readonly glue;
  private readonly server = new AwsServer((request) => this.handle(request));
  private readonly athena = new AthenaStandin(({ sql }) => this.answer(sql));
  private readonly lake: string;

  private constructor(
    private readonly stack: string,
    private readonly dir: string,
    private readonly moto?: Moto,
  ) {
    this.outputs = outputsOf(pipeline, `stedi-lakehouse-${stack}`);
    this.s3 = new S3StandIn(Object.values(this.outputs.buckets));
    this.glue = new GlueStandIn(pipeline, this.outputs, this.s3);
    this.lake = join(dir, 'lake');
    // All that goes on ends between two looks.
    this.glue.perRequest = 1_000_000;
    this.glue.pageSize = 100;
  }

  /** Returns it with the environment by which the SDK finds it. */
  static async start(stack: string, dir: string, moto?: Moto) {
    const made = new StackOnLake(stack, dir, moto);
    const env = {
      ...awsEnvironment(await made.server.start()),
      AWS_ENDPOINT_URL_ATHENA: await made.athena.server.start(),
      ...(moto && { AWS_ENDPOINT_URL_S3: moto.url }),
    };
    return { aws: made, env };
  }

  async stop() {
    await Promise.all([this.server.stop(), this.athena.server.stop()]);
  }

  /** Makes the tables, as a deployment does. */
  async deploy() {
    if (this.moto) return deployOnMoto(this.moto, this.stack);
    const { tables, objects } = await catalogOf(this.stack);
    this.glue.tables = tables;
    for (const { Bucket, Key, Body } of objects) this.s3.put(Bucket, Key, Body);
  }

  /** Takes all away. */
  async clear() {
    rmSync(this.lake, { recursive: true, force: true });
    for (const bucket of this.s3.buckets.values()) bucket.clear();
    await this.moto?.tell('reset', {});
  }

  private async handle(request: AwsRequest): Promise<AwsResponse> {
    if (this.moto && request.operation === 'GetTables') return this.moto.answer(request);
    const answer = await this.answerOfJobs(request);
    if (this.moto) await this.handOver(this.moto.client(S3Client));
    return answer;
  }

  /** Puts what jobs have left where the commands look. */
  private async handOver(moto: S3Client) {
    for (const [Bucket, objects] of this.s3.buckets) {
      for (const [Key, { body: Body }] of objects) {
        await moto.send(new PutObjectCommand({ Bucket, Key, Body }));
        objects.delete(Key);
      }
    }
  }

  private async answerOfJobs(request: AwsRequest): Promise<AwsResponse> {
    const { operation, body } = request;
    if (operation === 'StartWorkflowRun') await this.run();
    if (operation === 'StartJobRun') {
      const { JobName, Arguments } = JSON.parse(body.toString());
      if (JobName === this.outputs.forget) {
        await this.forget(Arguments['--request']);
        return json({ JobRunId: this.glue.forgetStarted() });
      }
    }
    return this.glue.handle(request);
  }

  /** As the workflow does. */
  async run() {
    const data = join(this.dir, 'landed');
    rmSync(data, { recursive: true, force: true });
    for (const [key, body] of await this.landed()) {
      await mkdir(dirname(join(data, key)), { recursive: true });
      await writeFile(join(data, key), body);
    }
    const { failures, summary } = await engineOf(this.lake).run(pipeline, { data }, () => {});
    if (failures.length > 0) throw new Error(failures.join('\n'));
    this.glue.made = new Map(summary.tables.map((each) => [each.table, each]));
  }

  private landed = () => (this.moto ?? this.s3).contentOf(this.outputs.buckets.landing);

  private async forget(uri: string) {
    const { landing, artifacts } = this.outputs.buckets;
    const key = uri.replace(`s3://${landing}/`, '');
    const { subject, id } = JSON.parse(String((await this.landed()).get(key)));
    const { remade, ...receipt } = await engineOf(this.lake).forget(pipeline, {
      subject,
      dryRun: false,
      tell: () => {},
    });
    this.s3.buckets.get(landing)?.delete(key);
    await this.moto?.client(S3Client).send(new DeleteObjectCommand({ Bucket: landing, Key: key }));
    let removed = 0;
    for (const [name, body] of await this.landed()) {
      const isGzip = name.endsWith('.gz');
      const lines = String(isGzip ? gunzipSync(body) : body).split('\n');
      const left = lines.filter((line) => !line.includes(subject));
      removed += lines.length - left.length;
      this.s3.put(landing, name, isGzip ? gzipSync(left.join('\n')) : left.join('\n'));
    }
    const told = {
      ...receipt,
      id,
      places: [...receipt.places, { table: 'customer_landing', engine: 'glue', kind: 'files', removed }],
      remade: remade.map((table) => ({ ...table, engine: 'glue' })),
    };
    this.s3.put(artifacts, `receipts/${id}.json`, JSON.stringify(told));
    this.s3.put(artifacts, 'suppressed/list.json', '[]');
  }

  /** A table is empty before the first run. */
  private async answer(sql: string) {
    const engine = engineOf(this.lake);
    const tables = await engine.tables();
    return tables.length === 0
      ? { columns: [{ name: 'nothing', type: 'varchar' }] }
      : { ...(await asAthena(engine, sql)), looks: [{ state: 'SUCCEEDED', scannedBytes: 1 }] as const };
  }
}
