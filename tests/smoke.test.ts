// The smoke test of a stack: a failure at every step, on a stand-in of Pulumi and a stack that is the local engine; all
// steps on moto's S3 and catalog. With Pulumi's own engine: smoke-engine.test.ts.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { program } from '../cli/commands';
import type { Ran } from '../cli/processes';
import { smoke } from '../cli/smoke';
import type { Call } from '../cli/smoke/commands';
import { LakeError, UsageError } from '../engines/engine';
import lakehouse from '../lakehouse';
import { sampleLines } from '../samples/stedi/lines';
import { JOBS, ROOT, temporaryDir, writeLanding } from './support/lake';
import { Moto } from './support/moto';
import { PSEUDONYM_KEY } from './support/pulumi-stack';
import { hasDevelopmentTools } from './support/python';
import { someOf } from './support/soak';
import { StackOnLake } from './support/stack-on-lake';

const dir = temporaryDir('smoke');
const TEMP = join(dir, 'temp');
const ACCOUNT = '123456789012';
/** What must be in no report: who, by whom, with what. */
const ERROR = `arn:aws:sts::${ACCOUNT}:assumed-role/Admin/ann.smith may not; account ${ACCOUNT}, ann@example.com, key ${PSEUDONYM_KEY}, AKIAIOSFODNN7EXAMPLE, https://app.pulumi.com/annsmith/x`;
const SECRETS = [ACCOUNT, 'ann.smith', 'annsmith', 'ann@', PSEUDONYM_KEY, 'AKIA', 'arn:'];

/** What is left in the folder of temporary files, which no other process has. */
const left = () => readdirSync(TEMP);

/** A lakehouse's folder with a stack that a stand-in of Pulumi deploys, and commands that work on it in this process. */
class Place {
  readonly dir = join(dir, String(places++));
  readonly project = { dir: this.dir, jobs: JOBS, queries: join(ROOT, 'queries'), definition: lakehouse };
  readonly settings = join(this.dir, 'Pulumi.day.yaml');
  readonly calls: string[] = [];
  /** Of the stack: whether Pulumi knows it, and whether it is deployed. */
  state: 'none' | 'made' | 'deployed' = 'none';
  /** Which call fails. */
  fails: (call: string, before: readonly string[]) => boolean = () => false;
  /** What an answer is made into. */
  alters = (_call: string, answer: Ran): Ran => answer;

  constructor(readonly aws: StackOnLake) {
    mkdirSync(this.dir, { recursive: true });
    writeFileSync(join(this.dir, 'Pulumi.yaml'), 'name: stedi-lakehouse\n');
  }

  private call: Call = async (command, args, input = '') => {
    const call = [command, ...args].join(' ');
    const fails = this.fails(call, this.calls);
    this.calls.push(call);
    if (fails) return { status: 1, stdout: '', stderr: `${ERROR}\n` };
    return this.alters(
      call,
      await (command === 'pulumi' ? this.pulumi(args, input) : this.lake(args, input)),
    );
  };

  private async pulumi([what, which]: readonly string[], input: string): Promise<Ran> {
    const said = (stdout: string) => ({ status: 0, stdout, stderr: '' });
    if (this.state === 'none' && which !== 'init')
      return { status: 6, stdout: '', stderr: "error: no stack named 'day' found\n" };
    if (what === 'stack' && which === 'output')
      return said(JSON.stringify(this.state === 'deployed' ? this.aws.outputs : {}));
    if (what === 'stack' && which === 'export')
      return said(
        JSON.stringify({ deployment: this.state === 'deployed' ? { resources: [{ type: 'aws:x' }] } : {} }),
      );
    if (what === 'stack') this.state = which === 'init' ? 'made' : 'none';
    if (what === 'config')
      writeFileSync(
        this.settings,
        `${readFileSync(this.settings)}  stedi-lakehouse:pseudonymKey: ${input}\n`,
      );
    if (what === 'up') {
      if (this.state === 'made') await this.aws.deploy();
      this.state = 'deployed';
    }
    if (what === 'destroy') {
      await this.aws.clear();
      this.state = 'made';
    }
    return said('Resources:\n    + 2 to create\n    5 unchanged\n\nDuration: 1s\n');
  }

  private async lake(args: readonly string[], input: string): Promise<Ran> {
    let status = 0;
    const { stdout, stderr, failure } = await printed(async () => {
      const words = args.map((word) => (word === '-' ? input : word));
      await program(this.project, (ended) => {
        status = ended;
      }).parseAsync(words, { from: 'user' });
    });
    if (failure === undefined) return { status, stdout, stderr };
    if (!(failure instanceof LakeError || failure instanceof UsageError)) throw failure;
    return { status: 1, stdout, stderr: `${stderr}lake: ${failure.message}\n` };
  }

  /** A smoke test: its status, what it printed, and the report. */
  async smoke({ yes = true, destroy = false } = {}) {
    this.calls.length = 0;
    let status = 2;
    const { stdout, failure } = await printed(async () => {
      status = await smoke(this.project, { stack: 'day', yes, destroy }, this.call);
    });
    expect(left()).toEqual([]);
    if (failure) throw failure;
    return { status, stdout, report: readFileSync(join(this.dir, '.build', 'smoke-day.md'), 'utf8') };
  }
}

/** What something prints in this process, and the error that it throws. */
async function printed(act: () => Promise<void>) {
  const { stdout, stderr } = process;
  const said = { stdout: '', stderr: '' };
  const write = { stdout: stdout.write, stderr: stderr.write };
  const into = (stream: keyof typeof said) => (text: unknown) => {
    said[stream] += String(text);
    return true;
  };
  stdout.write = into('stdout');
  stderr.write = into('stderr');
  try {
    await act();
    return { ...said, failure: undefined };
  } catch (failure) {
    return { ...said, failure: failure as Error };
  } finally {
    stdout.write = write.stdout;
    stderr.write = write.stderr;
  }
}
let places = 0;

let aws: StackOnLake;
const outside = { ...process.env };
beforeAll(async () => {
  const { aws: made, env } = await StackOnLake.start('day', join(dir, 'aws'));
  aws = made;
  mkdirSync(TEMP);
  Object.assign(process.env, env);
  // The environment that Node reads is not that of the tests.
  jest.spyOn(os, 'tmpdir').mockReturnValue(TEMP);
});
afterAll(async () => {
  process.env = outside;
  jest.restoreAllMocks();
  await aws.stop();
});

const isStack = (what: string) => (call: string) =>
  call.startsWith(`lake ${what}`) && call.includes('--stack');
const forgot = (calls: readonly string[]) => calls.some(isStack('forget'));

/** In the order of the steps, which step it is that a call fails. */
const FAILURES: readonly (readonly [
  step: string,
  fails: (call: string, before: readonly string[]) => boolean,
])[] = [
  ['sample', (call) => call.startsWith('lake sample')],
  ['look', (call) => call.startsWith('pulumi stack output')],
  ['stack', (call) => call.startsWith('pulumi stack init')],
  ['preview', (call) => call.startsWith('pulumi preview')],
  ['up', (call) => call.startsWith('pulumi up')],
  ['ingest', isStack('ingest')],
  ['run', isStack('run')],
  ['compare', (call, before) => isStack('query -e')(call) && before.some(isStack('run'))],
  ['query', isStack('query counts')],
  ['diff', isStack('diff')],
  ['forget', isStack('forget')],
  ['compare again', (call, before) => isStack('query -e')(call) && forgot(before)],
  ['preview again', (call) => call.includes('--expect-no-changes')],
  ['destroy', (call) => call.startsWith('pulumi destroy')],
];

describe('a step that fails', () => {
  let place: Place;
  beforeAll(() => {
    place = new Place(aws);
  });
  afterAll(() => aws.clear());

  test.each(someOf(FAILURES.length).map((i) => FAILURES[i] as (typeof FAILURES)[number]))(
    '%s: it is named, nothing else is done, and the next call goes on',
    async (step, fails) => {
      place.fails = fails;
      const { status, stdout, report } = await place.smoke({ destroy: step === 'destroy' });
      expect({ status, stdout }).toMatchObject({ status: 1 });
      expect(report).toContain(`**Failed at: ${step}.**`);
      expect(report).toMatch(
        RegExp(`## Why ${step} failed\n\n\`\`\`\n.*\nARN may not; account ACCOUNT, •••`),
      );
      for (const secret of SECRETS) expect(report + stdout).not.toContain(secret);
      const calls = place.calls.filter((call) => !/^pulumi stack (?:export|rm)/.test(call));
      expect(fails(calls.at(-1) ?? '', calls.slice(0, -1))).toBe(true);
      // What was only looked at leaves nothing.
      const isEarly = ['sample', 'look', 'stack', 'preview'].includes(step);
      expect({ state: place.state, settings: existsSync(place.settings) }).toEqual(
        isEarly
          ? { state: 'none', settings: false }
          : { state: step === 'up' ? 'made' : 'deployed', settings: true },
      );
      expect(report).toContain(
        isEarly ? 'Nothing: there is no stack day' : 'pulumi destroy --yes --stack day',
      );
    },
  );

  test('a row that is missing on the stack is one, too', async () => {
    place.fails = () => false;
    place.alters = (call, ran) =>
      isStack('query -e')(call) && call.includes('FROM customers_curated') && place.calls.some(isStack('run'))
        ? { ...ran, stdout: ran.stdout.replace(/^\{.*\n/m, '') }
        : ran;
    const { status, report } = await place.smoke();
    place.alters = (_, ran) => ran;
    expect({ status, report }).toMatchObject({ status: 1 });
    expect(report).toContain('**Failed at: compare.**');
    expect(report).toMatch(/^customers_curated: \d+ rows, and \d+ of the local engine$/m);
  });

  test('a record of a landing file that is missing on the stack is one, too', async () => {
    place.alters = (call, ran) => {
      if (isStack('ingest')(call)) {
        const [key, lines] = [...aws.s3.contentOf(aws.outputs.buckets.landing)].find(([name]) =>
          name.startsWith('step_trainer/'),
        ) as [string, Buffer];
        aws.s3.put(aws.outputs.buckets.landing, key, String(lines).replace(/^.*\n/, ''));
      }
      return ran;
    };
    const { status, report } = await place.smoke();
    place.alters = (_, ran) => ran;
    expect({ status, report }).toMatchObject({ status: 1 });
    expect(report).toContain('**Failed at: run.**');
    expect(report).toMatch(/^step_trainer_landing: \d+ records read, and \d+ by the local engine$/m);
  });

  test('and after all of them it does what it should', async () => {
    place.fails = () => false;
    const { status, stdout, report } = await place.smoke({ destroy: true });
    expect({ status, stdout }).toMatchObject({ status: 0 });
    expect(report).toContain('Nothing: there is no stack day');
    expect({ state: place.state, settings: existsSync(place.settings) }).toEqual({
      state: 'none',
      settings: false,
    });
  });
});

describe('a stack that was there', () => {
  let place: Place;
  const landing = () => aws.outputs.buckets.landing;
  const CUSTOMER = 'customer/landing/2024.json';
  const others = () => readFileSync(join(OTHERS, 'customer', 'landing', 'part-0.json'));
  const OTHERS = join(dir, 'others');
  const SETTINGS = '# Ours.\nconfig:\n  aws:region: us-east-1 # near\n';

  beforeAll(async () => {
    await writeLanding(
      OTHERS,
      'customer',
      [...sampleLines({ customers: 3, seed: 9, dirty: 0 })].flatMap((line) =>
        line.entity === 'customer' ? line.text : [],
      ),
    );
  });
  beforeEach(async () => {
    place = new Place(aws);
    place.state = 'deployed';
    writeFileSync(place.settings, SETTINGS);
    await aws.deploy();
  });
  afterEach(() => aws.clear());

  const stored = () => [...aws.s3.buckets].map(([name, objects]) => [name, [...objects.keys()]]);

  test.each<[what: string, rule: RegExp, make: () => Promise<void> | void, destroy?: boolean]>([
    [
      'files of others',
      /data of others: files in the zone landing/,
      () => aws.s3.put(landing(), CUSTOMER, others()),
    ],
    [
      'refused lines of others',
      /refused lines in the zone landing/,
      () => aws.s3.put(landing(), 'quarantine/customer_landing/a.json', '{}'),
    ],
    [
      'rows of others',
      /data of others: rows in customer_trusted/,
      async () => {
        aws.s3.put(landing(), CUSTOMER, others());
        for (const entity of ['accelerometer', 'step_trainer'])
          aws.s3.put(landing(), `${entity}/landing/none.json`, '');
        await aws.run();
        aws.s3.buckets.get(landing())?.clear();
      },
    ],
    [
      'one that is to be destroyed',
      /--destroy is for a stack that this test made, which day is not/,
      () => {},
      true,
    ],
    [
      'one that it made, whose settings keep data',
      /Pulumi.day.yaml keeps data on destroy/,
      () => writeFileSync(place.settings, `${SETTINGS}  smoke:found: ''\n`),
      true,
    ],
  ])('is refused for %s, before anything is done', async (_, rule, make, destroy = false) => {
    await make();
    const before = { stored: stored(), settings: readFileSync(place.settings, 'utf8') };
    await expect(place.smoke({ destroy })).rejects.toThrow(rule);
    expect({ stored: stored(), settings: readFileSync(place.settings, 'utf8') }).toEqual(before);
    const harmless = /^pulumi stack output|^lake query|^lake (?:sample|run|forget) (?!.*--stack)/;
    expect(place.calls.filter((call) => !harmless.test(call))).toEqual([]);
  });

  test('keeps its settings; the report says how the sample goes', async () => {
    place.fails = isStack('run');
    const { status, report } = await place.smoke();
    expect(status).toBe(1);
    expect(readFileSync(place.settings, 'utf8')).toBe(SETTINGS);
    expect(place.calls.join('\n')).not.toMatch(/pulumi (?:config|stack (?:init|rm)|destroy)/);
    expect(report).toContain('The stack day, which was there, with 1 resource');
    expect(report).toContain(
      "aws s3 rm --recursive s3://stedi-lakehouse-day-landing-ACCOUNT/customer/landing/ --exclude '*' --include 'smoke-*'",
    );
  });

  test('without --yes nothing is deployed, and a stack for the preview goes with what it wrote', async () => {
    place.state = 'none';
    const { status, stdout, report } = await place.smoke({ yes: false });
    expect(status).toBe(0);
    expect(stdout).toContain(
      'Nothing was deployed. With --yes follow: up, ingest, run, compare, query, diff, forget,',
    );
    expect(report).toContain('Nothing: there is no stack day');
    expect(place.calls).toContainEqual(expect.stringMatching(/^pulumi preview/));
    expect(place.calls).not.toContainEqual(expect.stringMatching(/^pulumi up/));
    expect({ state: place.state, settings: readFileSync(place.settings, 'utf8') }).toEqual({
      state: 'none',
      settings: SETTINGS,
    });
  });
});

(hasDevelopmentTools('smoke tests on moto') ? describe : describe.skip)("on moto's S3 and catalog", () => {
  let moto: Moto;
  let day: StackOnLake;
  beforeAll(async () => {
    moto = await Moto.start();
    const started = await StackOnLake.start('day', join(dir, 'moto'), moto);
    day = started.aws;
    Object.assign(process.env, started.env);
  });
  afterAll(() => Promise.all([moto?.stop(), day?.stop()]));

  test('a stack comes, does all that it should, again where its files are, and goes', async () => {
    const place = new Place(day);
    expect(await place.smoke()).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^ok +ingest [^\n]* (\d+) of \1 files.*^ok +preview again /ms),
    });
    const { landing, artifacts } = day.outputs.buckets;
    const keys = async (bucket: string) => [...(await moto.contentOf(bucket)).keys()].join('\n');
    expect(await keys(landing)).toMatch(/^customer\/landing\/smoke-/m);
    expect(await keys(artifacts)).toMatch(/^receipts\/.*\.json$/m);

    expect(await place.smoke({ destroy: true })).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/an earlier test forgot somebody.*^ok +destroy /ms),
    });
    expect(place.state).toBe('none');
  });
});
