// What a deployment has of a job, run as Glue runs it: the script alone in a folder, the package as the zip of the
// program, the arguments and the settings of Spark as the component makes them. Buckets are folders, Glue's catalog is
// one too, and what AWS has in Python is stood in for.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { assetOf } from '../../components/asset';
import { SecureBucket } from '../../components/bucket';
import { GlueJob } from '../../components/glue-job';
import { GlueTable } from '../../components/glue-table';
import { runnerArchive } from '../../components/runner-archive';
import { runnerModule } from '../../components/runner-module';
import {
  bucketArgs,
  cleanJob,
  type Deployment,
  deployed,
  jobSettings,
  openJob,
  reading,
  readingOpen,
  readingRaw,
  site,
} from '../../components/testing';
import { venvTool } from '../../engines/python';
import { RUNNER } from '../../engines/root';
import { CLASSES, ICEBERG_JAR } from '../../engines/spark/iceberg';
import { expectation } from '../../model';
import { erasureOf } from '../../model/manifest';
import { holding, textsBelow } from '../support/file-texts';
import { ended, type Ran, temporaryDir } from '../support/lake';
import { differences, NONE } from '../support/rows';
import { sparkEnvironment, withSpark } from '../support/spark';

jest.setTimeout(600_000);

const dir = temporaryDir('glue-entry');
const BUCKETS = join(dir, 's3');
const STANDINS = join(dir, 'standins');
const TOLD = join(dir, 'told.jsonl');
const SECRET = 'the key of pseudonyms';

/** The same text, where a URI of S3 is one of a folder. */
const local = (text: string) => text.replaceAll('s3://', `file:${BUCKETS}/`);

/** AWS's client for Python, which is on Glue only: it writes down what it is asked. */
const BOTO3 = `
import json, os

class Client:
    def __init__(self, service):
        self.service = service

    def tell(self, asked):
        with open(os.environ["TOLD"], "a") as told:
            told.write(json.dumps({self.service: asked}) + "\\n")

    def get_secret_value(self, **asked):
        self.tell(asked)
        return {"SecretString": ${JSON.stringify(SECRET)}}

    def put_metric_data(self, **asked):
        self.tell(asked)

client = Client
`;

/** Python runs it at its start. At its end the process of the script tells what only it knows. */
const WITNESS = `
import atexit, json, os, sys

def tell():
    if "awsglue.job" in sys.modules:
        runner = sys.modules["lakehouse_runner.run"].__file__
        with open(os.environ["TOLD"], "a") as told:
            told.write(json.dumps({"job": sys.modules["awsglue.job"].Job.told, "runner": runner}) + "\\n")

atexit.register(tell)
`;

/** Runs the statements of each line, and prints their rows as JSON. */
const SQL = `
import json, sys
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
for line in sys.stdin:
    print(json.dumps([[[str(v) for v in row] for row in spark.sql(s).collect()] for s in json.loads(line)]), flush=True)
`;

const JOB = 'aws:glue/job:Job';
const OBJECT = 'aws:s3/bucketObjectv2:BucketObjectv2';
const TABLE = 'aws:glue/catalogTable:CatalogTable';

const known = {
  ...reading,
  expectations: [
    expectation({
      name: 'not_negative',
      severity: 'fail',
      description: 'No value is below 0.',
      columns: ['value'],
      sql: (table) => `SELECT t.value FROM ${table} t WHERE t.value < 0`,
    }),
  ],
};

/** What the second job is: in Python, and as SQL it would be `SELECT r.who AS subject, r.value FROM reading r`. */
const PYTHON = `from lakehouse_runner.job import Inputs, Parameters
from pyspark.sql import DataFrame


def transform(inputs: Inputs, parameters: Parameters) -> DataFrame:
    return inputs["reading"].selectExpr("value", "who AS subject")
`;

/** Two jobs as the program deploys them, the second of which makes pseudonyms. */
const deploy = () =>
  deployed(() => {
    const artifacts = new SecureBucket('artifacts', { ...bucketArgs, site });
    const shared = { site, bucket: artifacts, folder: 'runner/' };
    const script = readFileSync(join(RUNNER, 'main.py'), 'utf8');
    const archive = { bytes: runnerArchive(RUNNER), path: 'archive.zip' };
    const common = {
      site,
      artifacts,
      runner: {
        script: assetOf('script', { ...shared, extension: '.py', content: script }, artifacts),
        archive: assetOf('archive', { ...shared, extension: '.zip', content: archive }, artifacts),
        module: runnerModule(RUNNER),
      },
      settings: jobSettings,
      logDays: 30,
      parameters: { unit: 'kg' },
      pseudonymSecret: { name: 'acme-test/pseudonym-key', arn: 'arn:aws:the-secret' },
    };
    const place = (bucket: string) => ({ site, bucket, bucketName: bucket, protect: false, keep: false });
    const reading_raw = new GlueTable('reading_raw', { ...place('raw'), table: readingRaw });
    const clean = new GlueTable('reading', { ...place('clean'), table: known, optimize: false });
    const open = new GlueTable('reading_open', { ...place('open'), table: readingOpen, optimize: false });
    new GlueJob('clean', {
      ...common,
      job: { ...cleanJob, output: known },
      inputs: { reading_raw },
      output: clean,
      code: `SELECT r.who, r.readAt, CASE WHEN :unit = 'kg' THEN r.value * 1000 ELSE r.value END AS value
FROM reading_raw r WHERE r.value IS NOT NULL AND :mode = 'plain'`,
    });
    new GlueJob('open', {
      ...common,
      job: { ...openJob, inputs: [known] as const, language: 'python' },
      inputs: { reading: clean },
      output: open,
      code: PYTHON,
    });
  });

const write = (path: string, content: string | Uint8Array) => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
};

/** Uploads files as Pulumi does, their URIs changed. */
function upload({ resources }: Deployment<unknown>) {
  for (const { type, inputs } of resources) {
    if (type !== OBJECT) continue;
    const { bucket, key, source } = inputs as {
      bucket: string;
      key: string;
      source: { file: string | { path: string } };
    };
    const content = typeof source.file === 'string' ? local(source.file) : runnerArchive(RUNNER);
    write(join(BUCKETS, bucket, key), content);
  }
}

/** What Glue has of a job. */
interface Deployed {
  readonly name: string;
  readonly command: { readonly scriptLocation: string };
  readonly defaultArguments: Readonly<Record<string, string>>;
  readonly nonOverridableArguments: Readonly<Record<string, string>>;
}
const argumentsOf = ({
  defaultArguments,
  nonOverridableArguments,
}: Deployed): Readonly<Record<string, string | undefined>> => ({
  ...defaultArguments,
  ...nonOverridableArguments,
});
/** A file that a URI of S3 names. */
const fileOf = (uri: string) => join(BUCKETS, uri.replace('s3://', ''));

/** That Java starts in seconds less, as for `lake`: with the classes that it has kept, and compiled for a short life. */
const JAVA_OPTIONS = [
  '-XX:+UseParallelGC -XX:TieredStopAtLevel=1',
  ...(existsSync(CLASSES) ? [`-XX:SharedArchiveFile=${CLASSES} -Xlog:cds=off -Xlog:class+path=off`] : []),
].join(' ');

/** Spark's settings in the environment: those of `--conf`, but for the places of what AWS has. */
function settingsOf(conf: string) {
  const catalog = 'spark.sql.catalog.glue_catalog';
  const given = conf.split(' --conf ').map((setting) => {
    const [name = '', ...value] = setting.split('=');
    return [name, value.join('=')] as const;
  });
  const ofAws = ['catalog-impl', 'io-impl', 'warehouse'].map((name) => `${catalog}.${name}`);
  expect(given.map(([name]) => name)).toEqual(expect.arrayContaining(ofAws));
  const settings = {
    ...Object.fromEntries(given.filter(([name]) => !ofAws.includes(name))),
    [`${catalog}.type`]: 'hadoop',
    // Glue's catalog is one for all jobs, wherever their tables are, and each process sees what the others did.
    [`${catalog}.warehouse`]: `file:${join(dir, 'warehouse')}`,
    [`${catalog}.cache-enabled`]: 'false',
    'spark.master': 'local[2]',
    'spark.driver.memory': '1g',
    'spark.driver.host': '127.0.0.1',
    'spark.driver.bindAddress': '127.0.0.1',
    'spark.driver.extraClassPath': ICEBERG_JAR,
    'spark.driver.extraJavaOptions': JAVA_OPTIONS,
    'spark.sql.shuffle.partitions': '2',
    'spark.sql.warehouse.dir': `file:${join(dir, 'unused')}`,
    'spark.ui.enabled': 'false',
  };
  const args = Object.entries(settings).map(([name, value]) => `--conf '${name}=${value}'`);
  return { PYSPARK_SUBMIT_ARGS: [...args, 'pyspark-shell'].join(' ') };
}

/** Starts a job as Glue does, with other arguments in place of its own. */
async function start(job: Deployed, others: Readonly<Record<string, string | undefined>> = {}) {
  const given = { ...argumentsOf(job), ...others };
  const folder = mkdtempSync(join(dir, 'run-'));
  // Alone: beside the package Python would find that one.
  const script = join(folder, 'script', 'main.py');
  write(script, readFileSync(fileOf(job.command.scriptLocation)));
  writeFileSync(TOLD, '');
  const archive = fileOf(given['--extra-py-files'] ?? '');
  const all = { '--JOB_NAME': job.name, '--JOB_ID': 'j_1', '--JOB_RUN_ID': 'jr_1', ...given };
  const args = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [name, local(value)],
  );
  const ran = await ended(
    spawn(venvTool('python'), [script, ...args], {
      cwd: folder,
      env: {
        ...sparkEnvironment(),
        PYTHONPATH: [archive, join(RUNNER, 'tests', 'standin'), STANDINS].join(delimiter),
        ...settingsOf(given['--conf'] ?? ''),
        TOLD,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  const told = readFileSync(TOLD, 'utf8').trim().split('\n').filter(Boolean);
  return { ...ran, archive, told: told.map((line) => JSON.parse(line) as unknown) };
}

const wordsOf = ({ stdout, stderr }: Pick<Ran, 'stdout' | 'stderr'>) => `${stdout}\n${stderr}`;

/** What answers statements on the catalog: one Spark for all of them. */
class Catalog {
  private readonly child: ChildProcessByStdio<Writable, Readable, null>;
  private readonly answers: AsyncIterator<string>;

  constructor(job: Deployed) {
    const env = { ...sparkEnvironment(), ...settingsOf(argumentsOf(job)['--conf'] ?? '') };
    this.child = spawn(venvTool('python'), ['-c', SQL], { cwd: dir, env, stdio: ['pipe', 'pipe', 'ignore'] });
    this.answers = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  /** The rows of each statement. */
  async sql(...statements: readonly string[]): Promise<string[][][]> {
    this.child.stdin.write(`${JSON.stringify(statements)}\n`);
    const { value, done } = await this.answers.next();
    if (done) throw new Error(`Spark cannot run one of\n${statements.join(';\n')}`);
    return JSON.parse(value);
  }

  stop() {
    this.child.stdin.end();
  }
}

const SPARK_TYPES: Readonly<Record<string, string>> = { long: 'BIGINT', timestamp: 'TIMESTAMP_NTZ' };

/** What makes a table in Spark as the component declares it. */
function creation({ inputs }: Deployment<unknown>, table: string) {
  const { icebergTableInput } = (
    inputs(TABLE, `${table}-table`).openTableFormatInput as {
      icebergInput: {
        icebergTableInput: {
          schema: { fields: readonly { name: string; type: string }[] };
          partitionSpec?: { fields: readonly { sourceId: number; transform: string }[] };
        };
      };
    }
  ).icebergInput;
  const { fields } = icebergTableInput.schema;
  const columns = fields.map(({ name, type }) => {
    const spelled = JSON.parse(type) as string;
    return `${name} ${SPARK_TYPES[spelled] ?? spelled}`;
  });
  const days = (icebergTableInput.partitionSpec?.fields ?? []).map(
    ({ sourceId, transform }) => `${transform}s(${fields[sourceId - 1]?.name})`,
  );
  return `CREATE TABLE glue_catalog.${site.database}.${table} (${columns.join(', ')}) USING iceberg
    ${days.length > 0 ? `PARTITIONED BY (${days.join(', ')})` : ''} TBLPROPERTIES ('format-version' = '2')`;
}

const instantOf = (i: number) => Date.UTC(2023, 4, 1 + (i % 3), 10, 0, i);

/** Lines of the source, the last of which is none. */
const land = (values: readonly number[]) =>
  write(
    join(BUCKETS, 'raw', 'reading', 'landing', 'part.json'),
    [
      ...values.map((value, i) =>
        JSON.stringify({ who: `Ada${i}@example.org`, readAt: instantOf(i), value }),
      ),
      '{"who": "Bob"}',
    ].join('\n'),
  );
const GOOD = Array.from({ length: 39 }, (_, i) => i / 2);
const BAD = GOOD.map((value) => value - 1);

const LANDED = join(BUCKETS, 'raw', 'reading', 'landing', 'part.json');
const ERASURE = 's3://artifacts/jobs/forget/erasure.json';
const REQUEST = 's3://artifacts/requests/a.json';
const RECEIPTS = 's3://artifacts/receipts/';
const QUARANTINE = 's3://raw/quarantine/reading_raw/';
const WHO = 'SELECT who FROM glue_catalog.acme_test.reading';
const SUBJECTS = 'SELECT subject FROM glue_catalog.acme_test.reading_open';

/** What the job that forgets people is told of jobs. */
const erasureFor = (jobs: readonly Deployed[]) =>
  erasureOf({
    jobs: jobs.map(({ nonOverridableArguments: told }) => ({
      manifest: told['--manifest'] as string,
      code: told['--code'] as string,
      parameters: {},
    })),
    suppressed: 's3://artifacts/suppressed/list.json',
    receipts: RECEIPTS,
  });

/** The summaries that the runs of a job left. */
function summariesOf(job: string) {
  const folder = join(BUCKETS, 'acme-test-artifacts-123456789012', 'runs', job);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Summary);
}
interface Summary {
  readonly outcome: string;
  readonly findings: readonly { readonly samples: readonly unknown[] }[];
}
const outcomesOf = (job: string) => summariesOf(job).map(({ outcome }) => outcome);
/** How many bad rows the summaries of a job show. */
const shownBy = (job: string) =>
  summariesOf(job)
    .flatMap(({ findings }) => findings)
    .flatMap(({ samples }) => samples).length;

withSpark('as on Glue', () => {
  let clean: Deployed;
  let open: Deployed;
  let catalog: Catalog;
  afterAll(() => catalog?.stop());
  beforeAll(async () => {
    write(join(STANDINS, 'boto3.py'), BOTO3);
    write(join(STANDINS, 'sitecustomize.py'), WITNESS);
    const deployment = await deploy();
    upload(deployment);
    clean = deployment.inputs(JOB, 'clean-job') as unknown as Deployed;
    open = deployment.inputs(JOB, 'open-job') as unknown as Deployed;
    catalog = new Catalog(clean);
    await catalog.sql(
      `CREATE NAMESPACE glue_catalog.${site.database}`,
      ...['reading', 'reading_open'].map((table) => creation(deployment, table)),
      creation(deployment, 'reading').replace('.reading ', '.reading_late '),
    );
  });

  const report = (...metrics: readonly (readonly [table: string, name: string, value: unknown])[]) => ({
    cloudwatch: {
      Namespace: 'Lakehouse/acme-test',
      MetricData: metrics.map(([table, MetricName, Value]) =>
        expect.objectContaining({ MetricName, Dimensions: [{ Name: 'Table', Value: table }], Value }),
      ),
    },
  });
  const started = (table: string) => report([table, 'Started', 1]);
  const measured = (table: string, rows: number, share: number) =>
    [
      [table, 'RowsWritten', rows],
      [table, 'Seconds', expect.any(Number)],
      [table, 'QuarantinedShare', share],
    ] as const;

  /** Jobs make their tables, by the package of the zip. */
  async function make() {
    land(GOOD);
    const cleaned = await start(clean);
    const runner = join(cleaned.archive, 'lakehouse_runner', 'run.py');
    expect(cleaned).toMatchObject({
      status: 0,
      stderr: expect.not.stringContaining('Traceback'),
      told: [
        started('reading'),
        report(...measured('reading_raw', GOOD.length, 1 / 40), ...measured('reading', GOOD.length, 0)),
        { job: ['init acme-test-reading', 'commit'], runner },
      ],
    });
    expect(outcomesOf('reading')).toEqual(['published']);
    // Its parameters are those of the stack.
    expect(JSON.parse(cleaned.stdout)).toMatchObject({ parameters: { mode: 'plain', unit: 'kg' } });

    const opened = await start(open);
    expect(opened).toMatchObject({
      status: 0,
      told: [
        started('reading_open'),
        { secretsmanager: { SecretId: 'arn:aws:the-secret' } },
        report(...measured('reading_open', GOOD.length, 0)),
        { job: ['init acme-test-reading_open', 'commit'], runner },
      ],
    });
    expect(wordsOf(opened)).not.toContain(SECRET);
  }

  /** A run makes nothing where nothing has changed: Glue's compaction is no change, and what somebody else deletes is. */
  async function keep() {
    const compact = (table: string) =>
      `CALL glue_catalog.system.rewrite_data_files(table => 'acme_test.${table}', options => map('rewrite-all', 'true'))`;
    await catalog.sql(compact('reading'), compact('reading_open'));
    const kept = await start(open);
    expect(kept).toMatchObject({ status: 0, stderr: expect.not.stringContaining('Traceback') });
    expect(kept.told).toContainEqual(report(...measured('reading_open', GOOD.length, 0)));
    const told = { table: 'reading_open', written: GOOD.length, seconds: 0, unchanged: true };
    expect(JSON.parse(kept.stdout)).toMatchObject({ outcome: 'published', tables: [told] });
    await catalog.sql("DELETE FROM glue_catalog.acme_test.reading WHERE who = 'Ada0@example.org'");
    const { status, stdout } = await start(clean);
    const made = JSON.parse(stdout).tables.map(({ unchanged = false }) => unchanged);
    expect({ status, made }).toEqual({ status: 0, made: [false, false] });
  }

  /** A job of which an expectation fails says so, without a stack trace, and does not end well. */
  async function fail() {
    land(BAD);
    const { status, told, ...said } = await start(clean);
    expect(status).toBe(1);
    expect(told).toEqual([
      started('reading'),
      report(...measured('reading_raw', BAD.length, 1 / 40)),
      { job: ['init acme-test-reading'], runner: expect.any(String) },
    ]);
    expect(said.stderr).toMatch(
      /reading was not published\.\nreading: expectation not_negative failed with 2 bad rows\nreading: what was written is on its branch audit, snapshot \d+; the published table is as it was\n$/,
    );
    expect(wordsOf(said)).not.toMatch(/Traceback|File "|\.py\b/);
    expect(outcomesOf('reading')).toEqual(['published', 'published', 'failed']);
  }

  /** What they published is in the catalog. */
  async function look() {
    const [published, audited, hidden] = await catalog.sql(
      'SELECT who, readAt, value FROM glue_catalog.acme_test.reading',
      "SELECT who, readAt, value FROM glue_catalog.acme_test.reading VERSION AS OF 'audit'",
      'SELECT subject, value FROM glue_catalog.acme_test.reading_open',
    );
    const number = (value: number) => (Number.isInteger(value) ? `${value}.0` : `${value}`);
    const rows = (values: readonly number[]) =>
      values.map((value, i) => [
        `Ada${i}@example.org`,
        new Date(instantOf(i)).toISOString().slice(0, 19).replace('T', ' '),
        number(value * 1000),
      ]);
    expect(differences(published ?? [], rows(GOOD))).toEqual(NONE);
    expect(differences(audited ?? [], rows(BAD))).toEqual(NONE);
    const secret = (who: string) => createHmac('sha256', SECRET).update(who).digest('hex');
    const expected = GOOD.map((value, i) => [secret(`Ada${i}@example.org`), number(value * 1000)]);
    expect(differences(hidden ?? [], expected)).toEqual(NONE);
  }

  /** A job whose runs all failed: what they wrote is on a branch of its table, and was never published. */
  const failedJob = async (like: Deployed): Promise<Deployed> => {
    const manifest = 's3://artifacts/jobs/late/manifest.json';
    const told = readFileSync(
      join(like.nonOverridableArguments['--manifest']?.replace('s3:/', BUCKETS) ?? ''),
      'utf8',
    );
    const { sources, output, ...rest } = JSON.parse(told);
    const source = { location: 's3://raw/late/landing/', quarantine: 's3://raw/quarantine/late_raw/' };
    const late = {
      ...rest,
      driving: 'late_raw',
      sources: { late_raw: { ...sources.reading_raw, ...source } },
      output: { ...output, table: 'reading_late' },
    };
    write(fileOf(manifest), local(JSON.stringify(late)));
    const table = 'glue_catalog.acme_test.reading_late';
    await catalog.sql(
      `ALTER TABLE ${table} CREATE BRANCH audit`,
      `INSERT INTO ${table}.branch_audit SELECT * FROM glue_catalog.acme_test.reading`,
    );
    return { ...like, nonOverridableArguments: { ...like.nonOverridableArguments, '--manifest': manifest } };
  };
  /** The files that name the person who is forgotten. */
  const ada7Below = async (folder: string) => holding(await textsBelow(folder), ['ada7@example.org']);

  /** A person is forgotten, by the same script and package. */
  async function forget() {
    const landedLate = fileOf('s3://raw/late/landing/part.json');
    const late = await failedJob(clean);
    write(fileOf(ERASURE), local(JSON.stringify(erasureFor([clean, open, late]))));
    const subject = 'ADA7@example.org';
    const refused = {
      file: 'a.json',
      line: 1,
      reason: 'TRUNCATED',
      detail: '',
      raw: '{"who":"Ada7@example.org"',
    };
    write(fileOf(`${QUARANTINE}run/part-0.json`), `${JSON.stringify(refused)}\n`);
    write(fileOf('s3://raw/quarantine/late_raw/run/part-0.json'), `${JSON.stringify(refused)}\n`);
    land(GOOD);
    write(landedLate, readFileSync(LANDED));
    expect(shownBy('reading')).toBe(2);
    expect(await ada7Below(BUCKETS)).toHaveLength(4);
    expect(await ada7Below(join(dir, 'warehouse'))).toContainEqual(expect.stringMatching('reading_late'));
    write(fileOf(REQUEST), JSON.stringify({ subject, dryRun: false, id: 'receipt-1' }));
    const asked = {
      '--manifest': undefined,
      '--code': undefined,
      '--erasure': ERASURE,
      '--request': REQUEST,
    };
    const { status, told, ...said } = await start(open, asked);
    if (status !== 0) throw new Error(said.stderr);
    expect(said.stderr).not.toContain('Traceback');
    expect(told).toEqual([
      { secretsmanager: { SecretId: 'arn:aws:the-secret' } },
      { job: ['init acme-test-reading_open', 'commit'], runner: expect.stringMatching(/\.zip/) },
    ]);
    expect(wordsOf(said).toLowerCase()).not.toContain('ada7');
    expect(existsSync(fileOf(REQUEST))).toBe(false);
    const receipt = JSON.parse(readFileSync(fileOf(`${RECEIPTS}receipt-1.json`), 'utf8'));
    expect(JSON.parse(said.stdout)).toEqual(receipt);
    const place = (table: string, kind: string, removed = 1) => ({ table, kind, engine: 'glue', removed });
    expect(receipt).toEqual({
      id: 'receipt-1',
      at: expect.stringMatching(/^\d{4}-.*Z$/),
      codeVersion: expect.any(String),
      subject: createHmac('sha256', SECRET).update(`person:${subject.toLowerCase()}`).digest('hex'),
      dryRun: false,
      seconds: expect.any(Number),
      places: [place('reading_raw', 'files'), place('reading', 'rows'), place('reading_open', 'rows')],
      remade: ['reading', 'reading_open'].map((table) => ({ table, engine: 'glue', rows: GOOD.length - 1 })),
      sharedDevices: 0,
      oldVersions: expect.any(Number),
      unread: [],
      warnings: [],
    });
    expect(existsSync(fileOf(`${QUARANTINE}run/part-0.json`))).toBe(false);
    const secret = (who: string) => createHmac('sha256', SECRET).update(who).digest('hex');
    const others = GOOD.map((_, i) => `Ada${i}@example.org`).filter((who) => who !== 'Ada7@example.org');
    const [readings, subjects] = await catalog.sql(WHO, SUBJECTS);
    expect(
      differences(
        readings ?? [],
        others.map((who) => [who]),
      ),
    ).toEqual(NONE);
    expect(
      differences(
        subjects ?? [],
        others.map((who) => [secret(who)]),
      ),
    ).toEqual(NONE);
    for (const folder of [BUCKETS, join(dir, 'warehouse')]) expect(await ada7Below(folder)).toEqual([]);
    expect(shownBy('reading')).toBe(0);
    expect(outcomesOf('reading')).toEqual(['published', 'published', 'failed']);
    const landed = readFileSync(LANDED, 'utf8');
    expect(landed.trimEnd().split('\n')).toHaveLength(GOOD.length);
    expect(landed).not.toContain('Ada7@example.org');
  }

  test('jobs make their tables, one fails and leaves its own as it was, and a person is forgotten', async () => {
    await make();
    await keep();
    await fail();
    await look();
    await forget();
  });

  test('there is no package but that of the zip', async () => {
    const part = join(dir, 'part');
    cpSync(join(RUNNER, 'lakehouse_runner'), join(part, 'lakehouse_runner'), { recursive: true });
    rmSync(join(part, 'lakehouse_runner', 'expectations.py'));
    write(join(BUCKETS, 'other', 'part.zip'), runnerArchive(part));
    const { status, stderr, told } = await start(clean, { '--extra-py-files': 's3://other/part.zip' });
    expect(status).not.toBe(0);
    expect(stderr).toContain("No module named 'lakehouse_runner.expectations'");
    expect(told).toEqual([]);
  });

  test('an argument that the script needs is asked for', async () => {
    const { status, stderr, told } = await start(clean, { '--code': undefined });
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/GlueArgumentError: .*required: --code$/m);
    expect(told).toMatchObject([{ job: [] }]);
  });
});
