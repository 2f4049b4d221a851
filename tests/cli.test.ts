import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { runCommand } from '../cli/run';
import { fittedTable, textTable } from '../cli/table';
import { harmless } from '../cli/text';
import { codeVersion } from '../engines/version';
import { expectation, type SourceTable } from '../model';
import { lake as pipeline } from '../pipeline';
import { ENTITIES, writeSample } from '../samples/stedi';
import {
  answer,
  ended,
  engineOf,
  hasTerminal,
  lake,
  lakehouseIn,
  lakeOnTerminal,
  projectOf,
  ROOT,
  shell,
  spawnLakeOnTerminal,
  temporaryDir,
} from './support/lake';
import { writeOtherSources } from './support/other-sources';

const dir = temporaryDir('cli');
const GOOD = join(dir, 'data');
const BAD = join(dir, 'bad-data');
const LAKE = join(dir, 'lake');
const JOB_NAMES = pipeline.jobs.map(({ name }) => name);
const QUERIES = readdirSync(join(ROOT, 'queries'))
  .map((name) => name.replace('.sql', ''))
  .toSorted();

beforeAll(async () => {
  await writeSample(GOOD, { customers: 4, seed: 2, dirty: 0.03 });
  await writeSample(BAD, { customers: 4, seed: 2, dirty: 0.2 });
  for (const data of [GOOD, BAD]) await writeOtherSources(data, pipeline.sources);
  const { status, stderr } = await lake(['run', '--data', GOOD, '--lake', LAKE]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

const query = (...args: string[]) => lake(['query', '--lake', LAKE, ...args]);
/** One value as a format prints it. */
const printed = async (sql: string, format: 'csv' | 'json' | 'table') => {
  const { status, stdout, stderr } = await query('-e', sql, '--format', format);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
};
const published = () => engineOf(LAKE).tables();

describe('help', () => {
  test.each([
    [['--help'], ['run', 'query', 'sample', 'check']],
    [
      ['run', '--help'],
      ['--data', '--lake', '--only', '--json', '--consent', '--pairing', ...JOB_NAMES],
    ],
    [
      ['help', 'query'],
      ['--execute', '--lake', '--format', 'table', 'csv', 'json'],
    ],
    [
      ['sample', '--help'],
      ['--out', '--customers', '--seed', '--dirty'],
    ],
    [['check', '--help'], ['Usage: lake check']],
    [
      ['ingest', '--help'],
      ['--stack', '--no-validate', '--replace', '--rewrite', '--dry-run', '--json'],
    ],
  ])('lake %j', async (args, words) => {
    const { status, stdout, stderr } = await lake(args);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const word of words) expect(stdout).toContain(word);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  test('lake --version', async () => {
    expect(await lake(['--version'])).toEqual({ status: 0, stdout: `${codeVersion()}\n`, stderr: '' });
  });

  test('lake alone tells how it is called, and fails', async () => {
    const { status, stdout, stderr } = await lake([]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^Usage: lake /);
  });
});

/** Wrong calls, and what must be said of them on stderr. */
const WRONG: readonly (readonly [readonly string[], RegExp])[] = [
  [['bogus'], /unknown command 'bogus'/],
  [['--bogus'], /unknown option '--bogus'/],
  [['run', '--bogus'], /unknown option '--bogus'/],
  [['run', 'extra'], /too many arguments/],
  [['run', '--only', 'nojob'], new RegExp(`no job "nojob"; there are ${JOB_NAMES.join(', ')}`)],
  [['run', '--only'], /--only <job\.\.\.>' argument missing/],
  [['run', '--consent', 'never'], /consent is "never"; it takes granted or since-grant/],
  [['run', '--pairing', 'x'], /pairing is "x"; it takes customer or timestamp/],
  [['run', '--data', '/no/such'], /--data \/no\/such is no folder/],
  [['run', '--data', join(ROOT, 'package.json')], /is no folder/],
  [['run', '--lake', ROOT], /is no lake: it holds .*Give --lake a folder of its own/],
  [['query', 'nosuch'], new RegExp(`no query and no file "nosuch"; the queries are ${QUERIES.join(', ')}`)],
  [['query', 'counts', '-e', 'SELECT 1'], /by name or with -e, not both/],
  [['query', 'a', 'b'], /too many arguments/],
  [['query', '--format', 'xml'], /'xml' is invalid\. Allowed choices are table, csv, json/],
  [['query', '-e'], /-e, --execute <sql>' argument missing/],
  [['sample'], /required option '--out <dir>' not specified/],
  [['sample', '--out', 'x', '--customers', '0'], /'0' is invalid\. It is a whole number from 1/],
  [['sample', '--out', 'x', '--customers', '1.5'], /'1\.5' is invalid/],
  [['sample', '--out', 'x', '--seed', '-1'], /'-1' is invalid/],
  [['sample', '--out', 'x', '--seed', '4294967296'], /from 0 to 4294967295/],
  [['sample', '--out', 'x', '--dirty', '2'], /'2' is invalid\. It is a share from 0 to 1/],
  [['sample', '--out', 'x', '--dirty', ''], /'' is invalid/],
  [['check', 'extra'], new RegExp(`no job "extra"; there are ${JOB_NAMES.join(', ')}`)],
];

test.each(WRONG)('the wrong call lake %j has status 2 and changes nothing', async (args, said) => {
  const work = join(dir, 'wrong');
  mkdirSync(work, { recursive: true });
  const { status, stdout, stderr } = await lake(['--project', ROOT, ...args], {}, work);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(said);
  expect(stderr).not.toMatch(/\n\s+at |node:internal/);
  expect(readdirSync(work)).toEqual([]);
});

describe('a run that cannot be', () => {
  const failing = async (...args: string[]) => {
    const { status, stdout, stderr } = await lake(['run', ...args]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).not.toMatch(/\n\s+at /);
    return stderr;
  };

  test('names all the sources that are missing at once', async () => {
    const data = join(dir, 'half-data');
    cpSync(join(GOOD, 'customer'), join(data, 'customer'), { recursive: true });
    mkdirSync(join(data, 'step_trainer', 'landing'), { recursive: true });
    const said = await failing('--data', data, '--lake', join(dir, 'half'));
    expect(said).toContain(`accelerometer_landing: no file in ${join(data, 'accelerometer', 'landing')}`);
    expect(said).toContain(`step_trainer_landing: no file in ${join(data, 'step_trainer', 'landing')}`);
    expect(said).not.toContain('customer_landing');
    // And as JSON, nothing on stdout.
    await failing('--data', data, '--lake', join(dir, 'half'), '--json');
    expect(existsSync(join(dir, 'half'))).toBe(false);
  });

  test('--only of what is not published yet', async () => {
    const said = await failing('--only', 'customers_curated', '--lake', join(dir, 'empty'));
    expect(said).toMatch(/not published in this lake yet: customer_trusted, accelerometer_trusted/);
    expect(existsSync(join(dir, 'empty'))).toBe(false);
  });

  test('a lake that is a file', async () => {
    expect(await failing('--data', GOOD, '--lake', join(ROOT, 'package.json'))).toMatch(
      /^lake: mkdir .*package\.json failed with EEXIST: a file stands where a folder should be$/m,
    );
  });

  test('a source that may not be read', async () => {
    const data = join(dir, 'locked-data');
    cpSync(GOOD, data, { recursive: true });
    const folder = join(data, 'customer', 'landing');
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'a file');
    expect(await failing('--data', data, '--lake', join(dir, 'locked'))).toMatch(
      /landing failed with ENOTDIR: a file stands where a folder should be$/m,
    );
  });
});

test('a lake of other data is no lake for the sample', async () => {
  const root = join(dir, 'own');
  expect((await lake(['run', '--data', GOOD, '--lake', root])).status).toBe(0);
  const before = readFileSync(join(root, 'current.json'), 'utf8');
  const { status, stdout, stderr } = await lake(['run', '--lake', root]);
  expect({ status, stdout, stderr }).toEqual({
    status: 2,
    stdout: '',
    stderr: `lake: ${root} was made from other data, which a sample would replace; give --data DIR, or --lake another folder\n`,
  });
  expect(readFileSync(join(root, 'current.json'), 'utf8')).toBe(before);
});

test('of a source that cannot be read only that is said, and status says it again', async () => {
  const [data, root] = [join(dir, 'unreadable-data'), join(dir, 'unreadable')];
  cpSync(GOOD, data, { recursive: true });
  writeFileSync(join(data, 'customer', 'landing', 'a.json.gz'), 'no gzip');
  const { status, stderr } = await lake(['run', '--data', data, '--lake', root]);
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /^lake: customer_landing: 1 file cannot be read\..*\n {2}a\.json\.gz: UNREADABLE_FILE, .*\n$/,
  );
  const { stdout } = await lake(['status', '--lake', root]);
  expect(stdout).toMatch(/^Nothing is published in .*; npx lake run --lake \S+ fills it\.$/m);
  expect(stdout).toMatch(/failed after [\d.]+ s\.\n {2}customer_landing: 1 file cannot be read\./);
});

describe('lake run', () => {
  test('tells each table, the counts, the warnings, and where everything is', async () => {
    const root = join(dir, 'told');
    writeFileSync(join(GOOD, 'customer', 'landing', '.DS_Store'), '');
    const { status, stdout, stderr } = await lake([
      'run',
      '--data',
      GOOD,
      '--lake',
      root,
      '--consent',
      'since-grant',
    ]);
    rmSync(join(GOOD, 'customer', 'landing', '.DS_Store'));
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: 'lake: warning: 1 entry of customer/landing is not read: .DS_Store (hidden)\n',
    });
    for (const { name } of pipeline.tables.values()) {
      expect(stdout).toMatch(new RegExp(`^${name}: \\d+ rows.* \\(\\d+\\.\\d\\d s\\)$`, 'm'));
      expect(stdout).toMatch(new RegExp(`^${name} +\\d+ +\\d+ +\\d+ +(?:\\d+ \\w+|-) +\\d+\\.\\d\\d$`, 'm'));
    }
    expect(stdout).toMatch(/^accelerometer_landing +238 +7 +231 /m);
    expect(stdout).toMatch(
      /^warning customer_landing\.unique_serialNumber: 1 value is repeated, in \d of \d rows \([\d.]+ %\)\. Expected: A serial number/m,
    );
    expect(stdout).not.toMatch(/•••|^ {2}such as/m);
    const [runId = ''] = readdirSync(join(root, 'runs')).map((name) => name.replace('.json', ''));
    expect(stdout).toContain(`Published run ${runId} in `);
    for (const [name, place] of [
      ['data', GOOD],
      ['lake', root],
      ['summary', join(root, 'runs', `${runId}.json`)],
      ['quarantine', `npx lake query quarantine --lake ${root}`],
      ['queries', `npx lake query --lake ${root}`],
      ['page', `npx lake docs --open --lake ${root}`],
      ['parameters', 'consent since-grant, pairing customer'],
    ])
      expect(stdout).toMatch(new RegExp(`^  ${name} +${place?.replaceAll('.', '\\.')}$`, 'm'));
    expect(stdout).not.toContain('\u001b');
  });

  test('a warning takes a line, with --verbose samples, but of nothing that is masked', async () => {
    const data = join(dir, 'twice');
    cpSync(GOOD, data, { recursive: true });
    const landing = join(data, 'accelerometer', 'landing');
    const [file = ''] = readdirSync(landing);
    cpSync(join(landing, file), join(landing, `${file}.copy.json`));
    const user = '{"user":"nobody@example.com","timestamp":1690000000000,"x":0,"y":1,"z":-0.5}\n';
    writeFileSync(join(landing, 'strangers.json'), user.repeat(3));
    const root = join(dir, 'twice-lake');
    const { stdout } = await lake(['run', '--data', data, '--lake', root]);
    expect(stdout).toMatch(
      new RegExp(
        `^warning accelerometer_landing\\.delivered_once: \\d+ bad rows, such as file=${file}.copy.json, same_as=${file}\\. Expected: `,
        'm',
      ),
    );
    expect(stdout).toMatch(
      /^warning accelerometer_landing\.references_customer_landing: \d+ of \d+ rows \(\d.*? %\)\. Expected: Every reading is of a customer who registered\.$/m,
    );
    const { stdout: verbose } = await lake(['run', '--data', data, '--lake', root, '--full', '--verbose']);
    expect(verbose).toMatch(/^ {2}such as user=•••, timestamp=2023-07-22 04:26:40\.000, x=0, y=1, z=-0\.5$/m);
    expect(verbose).toMatch(/^ {2}such as file=.*\.copy\.json, same_as=/m);
    const warnings = (text: string) => text.match(/^warning \w+\.\w+/gm);
    expect(warnings(verbose)).toEqual(warnings(stdout));
  });

  test('--json prints the documented summary, that of the lake, and nothing else', async () => {
    const root = join(dir, 'json');
    const { status, stdout, stderr } = await lake(['run', '--data', GOOD, '--lake', root, '--json']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const summary = JSON.parse(stdout);
    const jobOf = new Map<string, string | null>(pipeline.jobs.map((job) => [job.output.name, job.name]));
    const table = {
      read: expect.any(Number),
      quarantined: expect.any(Number),
      filtered: expect.any(Number),
      written: expect.any(Number),
      reasons: expect.any(Object),
      expectations: expect.any(Array),
      seconds: expect.any(Number),
    };
    const ofSource = { bytes: expect.any(Number), quarantinedBytes: expect.any(Number) };
    expect(summary).toEqual({
      version: 1,
      runId: expect.any(String),
      outcome: 'published',
      codeVersion: codeVersion(),
      parameters: expect.objectContaining({ consent: 'granted', pairing: 'customer' }),
      seconds: expect.any(Number),
      tables: [...pipeline.sources, ...pipeline.jobs.map((job) => job.output)].map(({ name }) => {
        const job = jobOf.get(name) ?? null;
        return { ...table, table: name, job, ...(job === null && ofSource) };
      }),
    });
    expect(JSON.parse(readFileSync(join(root, 'runs', `${summary.runId}.json`), 'utf8'))).toEqual(summary);
    expect((await engineOf(root).tables()).every(({ runId }) => runId === summary.runId)).toBe(true);
  });

  test('more than 5 % of bad lines fail it, and the published state stays', async () => {
    const before = await published();
    for (const json of [false, true]) {
      const { status, stdout, stderr } = await lake([
        'run',
        '--data',
        BAD,
        '--lake',
        LAKE,
        ...(json ? ['--json'] : []),
      ]);
      expect(status).toBe(1);
      const [first] = await answer(
        engineOf(LAKE),
        'SELECT file, line, reason FROM accelerometer_landing_quarantine ORDER BY file, line LIMIT 1',
      );
      expect(stderr).toMatch(
        /lake: accelerometer_landing: 4\d of 238 records are refused, \d+(?:\.\d)? %, which are \d+(?:\.\d)? % of the bytes; the limit is 5 %/,
      );
      expect(stderr).toContain(`  ${first?.[0]}, line ${first?.[1]}: ${first?.[2]}, `);
      expect(stderr).not.toMatch(/\n\s+at /);
      if (json) {
        const tables = pipeline.sources.map(({ name }) => ({ table: name }));
        expect(JSON.parse(stdout)).toMatchObject({ outcome: 'failed', tables });
      } else {
        expect(stdout).toMatch(
          /^accelerometer_landing: 191 rows, 47 in quarantine \(\d+\.\d\d s\), failed$/m,
        );
        expect(stdout).toMatch(/^customer_trusted: /m);
        expect(stdout).toMatch(/^accelerometer_trusted: skipped$/m);
        expect(stdout).toMatch(/^Run \S+ failed in .*What was published before stays as it is\.$/m);
      }
    }
    expect(await published()).toEqual(before);
    expect((await query('counts')).status).toBe(0);
  });

  test('a first run that fails leaves no table, and all that it refused can be asked for', async () => {
    const [data, root] = [join(dir, 'damaged-data'), join(dir, 'damaged')];
    await writeSample(data, { customers: 4, seed: 2, dirty: 0 });
    await writeOtherSources(data, pipeline.sources);
    const packed = gzipSync('{}\n'.repeat(99));
    writeFileSync(join(data, 'customer', 'landing', 'cut.json.gz'), packed.subarray(0, -9));
    const { status, stdout, stderr } = await lake(['run', '--data', data, '--lake', root]);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^lake: customer_landing: 1 file cannot be read\. .*\n.*, it cannot be unpacked to its end: it is cut off; upload it again\n$/,
    );
    expect(stdout).toMatch(/^Run \S+ failed in .*Nothing is published in this lake yet\.$/m);
    const asked = await lake(['query', 'quarantine', '--lake', root, '--format', 'csv']);
    expect(asked).toEqual({
      status: 0,
      stderr: '',
      stdout: 'table_name,reason,refused_lines,files\ncustomer_landing,UNREADABLE_FILE,1,1\n',
    });
    const none = await lake(['query', '-e', 'SELECT * FROM customer_trusted', '--lake', root]);
    expect(none.status).toBe(1);
    expect(none.stderr).toMatch(
      /^lake: table customer_trusted does not exist; no table is published; there are accelerometer_landing_quarantine, customer_landing_quarantine, step_trainer_landing_quarantine \(line 1\)\n$/,
    );
  });

  /** What a run prints, both streams in their order, where a source fails by what it should not have. */
  async function failingRun(data: string, json = false) {
    const nobody = expectation({
      name: 'nobody',
      severity: 'fail',
      description: 'There are no customers.',
      columns: ['email'],
      sql: (table) => `SELECT t.* FROM ${table} t`,
    });
    const source = pipeline.sources.find(({ name }) => name === 'customer_landing') as SourceTable;
    const failing = { ...source, expectations: [...source.expectations, nobody] };
    const sources = pipeline.sources.map((each) => (each === source ? failing : each));
    const tables = new Map(pipeline.tables).set(source.name, failing);
    const printed: string[] = [];
    const spies = [process.stdout, process.stderr].map((stream) =>
      jest.spyOn(stream, 'write').mockImplementation((text) => printed.push(String(text)) > 0),
    );
    const options = {
      data,
      lake: join(dir, `failing-${json}`),
      parameters: {},
      engine: 'duckdb',
      json,
    } as const;
    const status = await runCommand(projectOf({ ...pipeline, sources, tables }), options);
    for (const spy of spies) spy.mockRestore();
    expect(status).toBe(1);
    return printed.join('').split('\n');
  }

  test.each([false, true])('the cause of a failure stands last and alone, with --json %s', async (json) => {
    const data = join(dir, `warned-${json}`);
    cpSync(GOOD, data, { recursive: true });
    writeFileSync(join(data, 'customer', 'landing', '.hidden'), '');
    writeFileSync(
      join(data, 'accelerometer', 'landing', 'strangers.json'),
      '{"user":"nobody@example.com","timestamp":1690000000000,"x":0,"y":1,"z":-0.5}\n',
    );
    const told = await failingRun(data, json);
    const placeOf = (text: RegExp) => told.findIndex((line) => text.test(line));
    const cause =
      /^lake: customer_landing: expectation nobody failed with \d+ bad rows\. There are no customers\.$/;
    // The line after it is the end of the text.
    expect([told.at(-2), told.at(-1)]).toEqual([expect.stringMatching(cause), '']);
    expect(told.filter((line) => cause.test(line))).toHaveLength(1);
    const before = [
      ...(json ? [] : [/^warning accelerometer_landing\.references_customer_landing: /]),
      /^FAILED customer_landing\.nobody: \d+ of \d+ rows \(100 %\)\. Expected: There are no customers\.$/,
      /^lake: warning: 1 entry of customer\/landing is not read: \.hidden/,
      cause,
    ].map(placeOf);
    expect(before).not.toContain(-1);
    expect(before).toEqual(before.toSorted((a, b) => a - b));
  });

  test('what fails is told before what it causes', async () => {
    const told = await failingRun(GOOD);
    expect(told.filter((line) => /: (?:failed|skipped)$/.test(line)).slice(0, 2)).toEqual([
      'customer_landing: failed',
      'customer_trusted: skipped',
    ]);
  });

  test('--only runs single jobs, on what is published or on data that is given', async () => {
    const root = join(dir, 'only');
    cpSync(LAKE, root, { recursive: true });
    const tables = async (...args: string[]) => {
      const { status, stdout } = await lake(['run', '--lake', root, '--json', ...args]);
      expect(status).toBe(0);
      return JSON.parse(stdout).tables.map((t: { table: string }) => t.table);
    };
    expect(await tables('--only', 'customers_curated', 'customer_trusted')).toEqual([
      'customer_trusted',
      'customers_curated',
    ]);
    expect(await tables('--only', 'customer_trusted', '--data', GOOD)).toEqual([
      'customer_landing',
      'customer_trusted',
    ]);
    const { stdout } = await lake([
      'run',
      '--lake',
      root,
      '--only',
      'machine_learning_curated',
      '--pairing',
      'timestamp',
    ]);
    expect(stdout).toMatch(/^machine_learning_curated: \d+ rows/);
    expect(stdout).not.toMatch(/^ +data /m);
  });

  test('without data it makes a sample once, and takes it again', async () => {
    const work = lakehouseIn(join(dir, 'newcomer'));
    const before = readdirSync(work);
    const first = await lake(['run'], {}, work);
    expect({ ...first, stdout: '' }).toEqual({ status: 0, stderr: '', stdout: '' });
    expect(first.stdout).toMatch(/^No --data: a sample of 1000 customers is made in \.lake\/sample\n/);
    expect(first.stdout).toMatch(/^ +queries +npx lake query$/m);
    expect(readdirSync(work).toSorted()).toEqual(['.lake', ...before].toSorted());
    expect(readdirSync(join(work, '.lake')).toSorted()).toEqual(
      ['current.json', 'lock.duckdb', 'pseudonym.key', 'runs', 'sample', 'versions'].toSorted(),
    );
    const second = await lake(['run', '--json'], {}, work);
    expect({ ...second, stdout: '' }).toEqual({ status: 0, stderr: '', stdout: '' });
    const written = JSON.parse(second.stdout).tables.map((t: { written: number }) => t.written);
    expect(written.every((n: number) => n > 0)).toBe(true);
    const third = await lake(['run'], {}, work);
    expect(third.stdout).toMatch(/^No --data: the sample in \.lake\/sample is taken\n/);
  });

  test('lake init writes over nothing, and nothing in part', async () => {
    const work = join(dir, 'taken');
    mkdirSync(work);
    writeFileSync(join(work, 'jobs'), '');
    const told = { status: 2, stderr: expect.stringMatching(/taken\/jobs would be overwritten/) };
    expect(await lake(['init', work])).toMatchObject(told);
    expect(readdirSync(work)).toEqual(['jobs']);
    rmSync(join(work, 'jobs'));
    symlinkSync(join(dir, 'elsewhere.ts'), join(work, 'lakehouse.ts'));
    expect(await lake(['init', work])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('taken/lakehouse.ts would be overwritten'),
    });
    expect(existsSync(join(dir, 'elsewhere.ts'))).toBe(false);
  });

  test('a lakehouse that has no query yet is checked, and lists none', async () => {
    const work = join(dir, 'no-queries');
    expect(await lake(['init', work])).toMatchObject({ status: 0, stderr: '' });
    rmSync(join(work, 'queries'), { recursive: true });
    expect(await lake(['--project', work, 'check'])).toMatchObject({ status: 0, stderr: '' });
    expect(await lake(['--project', work, 'query'])).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test('a sample whose making was killed is made anew', async () => {
    const root = join(dir, 'half-sample');
    mkdirSync(join(root, 'sample.123.tmp', 'customer', 'landing'), { recursive: true });
    expect((await lake(['run', '--lake', root])).status).toBe(0);
    expect(readdirSync(root).filter((name) => name.startsWith('sample'))).toEqual(['sample']);
  });
});

const onTerminal = hasTerminal ? describe : describe.skip;
onTerminal('on a terminal of 80 columns', () => {
  const root = join(dir, 'terminal');
  /** What stands on the terminal in the end, of escapes that only move by lines. */
  const screen = (text: string) => {
    const lines = [''];
    let at = 0;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: terminals are steered by them
    for (const [piece] of text.matchAll(/\u001b\[[\d;?]*[A-Za-z]|\r?\n|\r|[^\u001b\r\n]+/g)) {
      if (piece === '\r' || piece === '\u001b[G') continue;
      if (piece.endsWith('\n')) at++;
      else if (piece.endsWith('A')) at -= Number(/\d+/.exec(piece)?.[0] ?? 1);
      else if (piece === '\u001b[2K') lines[at] = '';
      else if (piece.startsWith('\u001b')) continue;
      else lines[at] = (lines[at] ?? '') + piece;
      lines[at] ??= '';
    }
    return lines;
  };

  test('a run shows its tables live, and fits', async () => {
    const { status, stdout } = await lakeOnTerminal(['run', '--data', GOOD, '--lake', root]);
    expect(status).toBe(0);
    expect(stdout).toContain('\u001b');
    expect(stdout.lastIndexOf('\u001b[?25h')).toBeGreaterThan(stdout.lastIndexOf('\u001b[?25l'));
    const lines = screen(stdout);
    for (const { name } of pipeline.tables.values()) {
      expect(lines.filter((line) => line.startsWith(`✔ ${name}: `))).toHaveLength(1);
    }
    const report = lines.slice(
      0,
      lines.findIndex((line) => line.startsWith('Published')),
    );
    for (const line of report) expect(line.length).toBeLessThanOrEqual(80);
  });

  test('a run that fails shows what failed and what was skipped', async () => {
    const { status, stdout } = await lakeOnTerminal(['run', '--data', BAD, '--lake', root]);
    expect(status).toBe(1);
    const lines = screen(stdout);
    expect(lines).toContain('✖ accelerometer_landing: failed');
    expect(lines.join('\n')).toMatch(/^\S+ machine_learning_curated: skipped/m);
    expect(stdout.lastIndexOf('\u001b[?25h')).toBeGreaterThan(stdout.lastIndexOf('\u001b[?25l'));
  });

  test.each([{ NO_COLOR: '1' }, { TERM: 'dumb' }])('with %j nothing is sent but text', async (env) => {
    for (const args of [
      ['run', '--data', GOOD],
      ['run', '--data', BAD],
      ['query', 'counts'],
      ['query'],
      ['query', 'nosuch'],
    ]) {
      const { stdout } = await lakeOnTerminal([...args, '--lake', root], env);
      expect(stdout.length).toBeGreaterThan(50);
      expect(stdout).not.toContain('\u001b');
    }
  });

  test('the list is drawn while the run goes on, and Ctrl-C leaves the terminal and the lake as they were', async () => {
    const data = join(dir, 'larger-data');
    await writeSample(data, { customers: 3000, seed: 3, dirty: 0.01 });
    await writeOtherSources(data, pipeline.sources);
    const before = await engineOf(root).tables();
    let drawn = '';
    const child = spawnLakeOnTerminal(['run', '--data', data, '--lake', root]);
    child.stdout?.on('data', (text: Buffer) => {
      if (!text.includes('accelerometer_landing') || drawn !== '') return;
      drawn = text.toString();
      child.stdin?.write('\u0003');
    });
    const { status, stdout } = await ended(child);
    expect(status).toBe(130);
    expect(drawn).not.toContain('✔');
    expect(stdout).toMatch(/lake: interrupted; what was published before stays as it is/);
    expect(stdout.lastIndexOf('\u001b[?25h')).toBeGreaterThan(stdout.lastIndexOf('\u001b[?25l'));
    expect(await engineOf(root).tables()).toEqual(before);
  });

  test('the list of queries fits', async () => {
    const { stdout } = await lakeOnTerminal(['query']);
    for (const line of stdout.split('\r\n')) expect(line.length).toBeLessThanOrEqual(80);
    for (const name of QUERIES) expect(stdout).toMatch(new RegExp(`^${name} `, 'm'));
  });
});

describe('lake query', () => {
  test('lists the queries with what they answer', async () => {
    const { status, stdout, stderr } = await query();
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.split(' ')[0])).toEqual(QUERIES);
    for (const line of lines) expect(line).toMatch(/^\w+ {2,}[A-Z].{20,}/);
  });

  test('asks by name, by file and by -e', async () => {
    const file = join(dir, 'own.sql');
    writeFileSync(file, '-- Mine.\nSELECT COUNT(*) AS n FROM customer_landing;\n');
    for (const args of [[file], ['-e', 'SELECT COUNT(*) AS n FROM customer_landing']]) {
      expect(await query(...args, '--format', 'csv')).toEqual({ status: 0, stdout: 'n\n4\n', stderr: '' });
    }
    expect((await query('counts', '--format', 'csv')).stdout).toContain('customer_landing,4\n');
  });

  test('says how to make tables where there are none', async () => {
    const nowhere = join(dir, 'nowhere');
    expect(await lake(['query', 'counts', '--lake', nowhere])).toEqual({
      status: 1,
      stdout: '',
      stderr: `lake: no table is published in ${nowhere}; npx lake run makes them\n`,
    });
    expect(existsSync(nowhere)).toBe(false);
  });

  test.each([
    ['SELEC 1', 1, /^lake: syntax error at or near "SELEC" \(line 1\)\n$/],
    [
      'SELECT *\nFROM nothing',
      1,
      /^lake: table nothing does not exist; the tables are accelerometer_landing, .*of each \(line 2\)\n$/,
    ],
    ['SELECT nothing FROM customer_trusted', 1, /"nothing" not found.*\(line 1\)\n$/],
    ['', 2, /the query is empty; give one SELECT/],
    ['SELECT 1; SELECT 2', 2, /this is 2 statements/],
    ["/* a */ COPY customer_trusted TO '/tmp/lake-copy.csv'", 2, /changes nothing/],
    ["SELECT * FROM read_csv('/etc/passwd')", 2, /no other file/],
    [`SELECT * FROM read_text('${LAKE}/versions/../pseudonym.key')`, 2, /no other file/],
  ])('refuses %s', async (sql, status, said) => {
    const ran = await query('-e', sql);
    expect({ status: ran.status, stdout: ran.stdout }).toEqual({ status, stdout: '' });
    expect(ran.stderr).toMatch(said);
    expect(ran.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(existsSync('/tmp/lake-copy.csv')).toBe(false);
  });

  test('csv quotes what needs it, and keeps NULL apart from the empty text', async () => {
    expect(
      await printed(
        `SELECT 'a,b' AS "x,y", 'say "hi"' AS q, 'two' || chr(10) || 'lines' AS l, NULL AS n, '' AS e, ' s ' AS s, 1.5 AS d, true AS b`,
        'csv',
      ),
    ).toBe(
      '"x,y",q,l,n,e,s,d,b\n"a,b","say ""hi""","two\nlines",,""," s ",1.5,true\n'.replace('" s "', ' s '),
    );
  });

  test('json has the types of JSON', async () => {
    const text = await printed(
      `SELECT * FROM (VALUES
        (1, 1.25, 9007199254740993, 'a"b', NULL, true, TIMESTAMP '2023-05-01 10:00:00.12', DATE '2023-05-01', [1, 2], {'k': 'v'}, 'NaN'::DOUBLE, TIME '10:00:00', INTERVAL 1 DAY, '5b8c1bde-7a26-4d3c-9f3e-0a1b2c3d4e5f'::UUID),
        (2, NULL, NULL, '', NULL, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
      ) v(i, d, big, s, n, b, t, day, list, struct, nan, time, span, id) ORDER BY i`,
      'json',
    );
    expect(text).toContain('"big":9007199254740993');
    expect(JSON.parse(text.replace('9007199254740993', '"big"'))).toEqual([
      {
        i: 1,
        d: 1.25,
        big: 'big',
        s: 'a"b',
        n: null,
        b: true,
        t: '2023-05-01 10:00:00.120',
        day: '2023-05-01',
        list: [1, 2],
        struct: { k: 'v' },
        nan: 'NaN',
        time: '10:00:00',
        span: '1 day',
        id: '5b8c1bde-7a26-4d3c-9f3e-0a1b2c3d4e5f',
      },
      {
        ...Object.fromEntries(
          ['d', 'big', 'n', 't', 'day', 'list', 'struct', 'nan', 'time', 'span', 'id'].map((k) => [k, null]),
        ),
        i: 2,
        s: '',
        b: false,
      },
    ]);
    expect(JSON.parse(await printed('SELECT 1 AS a WHERE false', 'json'))).toEqual([]);
  });

  test('a table is aligned, numbers to the right, and nothing in it steers the terminal', async () => {
    expect(
      await printed(
        `SELECT * FROM (VALUES (1, 'a' || chr(27) || '[31mred', NULL), (1000, 'two' || chr(10) || 'lines', 'x')) v(n, s, "last one")`,
        'table',
      ),
    ).toBe(
      ['   n  s          last one', '   1  a\ufffd[31mred  NULL', '1000  two↵lines  x', '(2 rows)', ''].join(
        '\n',
      ),
    );
    expect(await printed('SELECT 1 AS one', 'table')).toBe('one\n  1\n(1 row)\n');
    expect(await printed('SELECT range AS n FROM range(1500)', 'table')).toMatch(
      /\n999\n\(the first 1,000 rows; --format csv gives all\)\n$/,
    );
  });

  test('a reader that ends early is no fault', async () => {
    const long = "SELECT i, repeat('x', 100) AS x FROM range(300000) t(i)";
    for (const format of ['table', 'csv', 'json']) {
      const { status, stdout, stderr } = await shell(
        `lake query --lake '${LAKE}' -e "${long}" --format ${format} | head -1; exit \${PIPESTATUS[0]}`,
      );
      expect({ status, stderr, lines: stdout.split('\n').length }).toEqual({
        status: 0,
        stderr: '',
        lines: 2,
      });
    }
  });

  (existsSync('/dev/full') ? test : test.skip)('an output that cannot be written is told', async () => {
    const { status, stderr } = await shell(`lake query --lake '${LAKE}' counts > /dev/full`);
    expect({ status, stderr }).toEqual({ status: 1, stderr: 'lake: the output cannot be written: ENOSPC\n' });
  });
});

describe('lake sample', () => {
  test('makes the landing files of each source, the same for the same options', async () => {
    const make = async (name: string, ...args: string[]) => {
      const out = join(dir, name);
      const ran = await lake(['sample', '--out', out, ...args]);
      expect({ status: ran.status, stderr: ran.stderr }).toEqual({ status: 0, stderr: '' });
      const files = ENTITIES.flatMap((entity) =>
        readdirSync(join(out, entity, 'landing')).map((file) =>
          readFileSync(join(out, entity, 'landing', file)).toString('base64'),
        ),
      );
      return { files, stdout: ran.stdout.replaceAll(out, 'OUT') };
    };
    const first = await make('s1', '--customers', '20', '--seed', '7', '--dirty', '0.1');
    expect(await make('s2', '--customers', '20', '--seed', '7', '--dirty', '0.1')).toEqual(first);
    expect((await make('s3', '--customers', '20', '--seed', '8', '--dirty', '0.1')).files).not.toEqual(
      first.files,
    );
    expect(first.stdout).toMatch(
      /^customer: \d+ lines, \d+ of them faulty\naccelerometer: \d+ lines.*\nstep_trainer: \d+ lines/,
    );
    expect(first.stdout).toMatch(/^\d+ files in OUT; npx lake run --data OUT reads them\n$/m);
    expect((await make('s4', '--customers', '1')).stdout).not.toContain('faulty');
  });

  test('keeps off a folder that is not empty', async () => {
    const { status, stdout, stderr } = await lake(['sample', '--out', GOOD]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^lake: .*landing is not empty: give another folder/);
  });
});

test('every run says which tables are older than what they are made from', async () => {
  const own = join(dir, 'stale-lake');
  await lake(['run', '--data', GOOD, '--lake', own]);
  const staleAfter = async (...jobs: string[]) => {
    const { stdout } = await lake(['run', '--lake', own, '--only', ...jobs]);
    const stale = /^ +stale +(.*): older/m.exec(stdout)?.[1]?.split(', ') ?? [];
    return ['step_trainer_trusted', 'machine_learning_curated'].filter((name) => stale.includes(name));
  };
  expect(await staleAfter('customers_curated')).toEqual(['step_trainer_trusted', 'machine_learning_curated']);
  expect(await staleAfter('machine_learning_curated')).toEqual([
    'step_trainer_trusted',
    'machine_learning_curated',
  ]);
  expect(await staleAfter('step_trainer_trusted', 'machine_learning_curated')).toEqual([]);
});

test('lake check finds this project whole', async () => {
  const { status, stdout, stderr } = await lake(['check']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const count = `${pipeline.tables.size} tables, ${pipeline.jobs.length} jobs`;
  const [first, second, ...paths] = stdout.trimEnd().split('\n');
  expect(first).toBe(`${count}: the definition, the SQL, its cases and the queries fit together.`);
  expect(second).toBe('Where a person who is forgotten is looked for:');
  expect(paths).toHaveLength(pipeline.tables.size);
  expect(paths[2]).toBe('  step_trainer_landing: by serialNumber, whose it is customer_landing says');
});

test('lake check of single jobs says what is wrong with those, and which are none', async () => {
  expect(await lake(['check', 'customer_trusted', 'customers_curated'])).toEqual({
    status: 0,
    stdout: 'customer_trusted, customers_curated: the code and its cases fit the contracts.\n',
    stderr: '',
  });
  const { status, stderr } = await lake(['check', 'customer_trusted', 'nobody', 'people']);
  expect(status).toBe(2);
  expect(stderr).toMatch(/no job "nobody"; there are customer_trusted, .*\n.*no job "people"/);
});

test('where too few files may be open, it is said how more may', async () => {
  const lakeDir = join(dir, 'few-files');
  const { status, stderr } = await shell(
    `ulimit -n 24; exec ${process.execPath} cli/lake.js run --data ${GOOD} --lake ${lakeDir}`,
  );
  expect(status).toBe(1);
  expect(stderr).toBe(
    'lake: too few files may be open at once; allow more, as by `ulimit -n 1024`, and run again\n',
  );
});

test('an unforeseen fault tells where it is and none of its words', async () => {
  const file = join(dir, 'break.cjs');
  writeFileSync(file, "require('node:crypto').randomBytes = () => { throw new TypeError('Canary'); };");
  const { status, stdout, stderr } = await lake(['run', '--data', GOOD, '--lake', join(dir, 'broken')], {
    NODE_OPTIONS: `--require ${file}`,
  });
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toMatch(/^lake: TypeError in .+:\d+:\d+: a fault of lake itself, please report it\n$/);
});

describe('text', () => {
  test('a table counts what a terminal shows: accents, Chinese, emoji', () => {
    const rows = [
      ['e\u0301', '1'],
      ['北京', '22'],
      ['👩‍👩‍👧', '333'],
      ['abcde', '4'],
    ];
    expect(textTable([{ name: 'x' }, { name: 'n', right: true }], rows).split('\n')).toEqual([
      'x        n',
      'e\u0301        1',
      '北京    22',
      '👩‍👩‍👧     333',
      'abcde    4',
    ]);
  });

  test('a table that is too wide for a terminal has a column a line', () => {
    const columns = [{ name: 'city' }, { name: 'people', right: true }];
    const rows = [
      ['北京', '22'],
      ['Ulm', '1'],
    ];
    expect(fittedTable(columns, rows, 12)).toBe('city  people\n北京      22\nUlm        1');
    expect(fittedTable(columns, rows, 11)).toBe(
      'row     1\ncity    北京\npeople  22\n\nrow     2\ncity    Ulm\npeople  1',
    );
  });

  test('nothing that steers a terminal is left but line ends', () => {
    expect(harmless('a\u001b[2J\r\u0007\u009b\u202e\u2066b\nü中👍')).toBe(
      'a\ufffd[2J\ufffd\ufffd\ufffd\ufffd\ufffdb\nü中👍',
    );
  });
});

describe('cli/install.js', () => {
  /** A project with a lock and a `npm` that only says that it was called. */
  function project(name: string, installed?: object, npmStatus = 0) {
    const root = join(dir, name);
    mkdirSync(join(root, 'cli'), { recursive: true });
    mkdirSync(join(root, 'node_modules'));
    mkdirSync(join(root, 'bin'));
    cpSync(join(ROOT, 'cli', 'install.js'), join(root, 'cli', 'install.js'));
    const packages = {
      '': { name: 'x' },
      'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
      'node_modules/only-on-mars': { version: '1.0.0', integrity: 'sha512-b', optional: true },
    };
    writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages }));
    if (installed) {
      writeFileSync(
        join(root, 'node_modules', '.package-lock.json'),
        JSON.stringify({ packages: installed }),
      );
    }
    writeFileSync(join(root, 'bin', 'npm'), `#!/bin/sh\necho "npm $1"\nexit ${npmStatus}\n`);
    chmodSync(join(root, 'bin', 'npm'), 0o755);
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'cli', 'install.js')], {
      encoding: 'utf8',
      env: { ...process.env, PATH: `${join(root, 'bin')}:${process.env.PATH}` },
    });
    return { status, stdout, stderr };
  }
  const a = { version: '1.0.0', integrity: 'sha512-a' };

  test('does nothing where the packages are there', () => {
    expect(project('installed', { 'node_modules/a': a })).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test.each([
    ['absent', undefined],
    ['incomplete', {}],
    ['stale', { 'node_modules/a': { ...a, integrity: 'sha512-old' } }],
  ])('installs where they are %s, and leaves stdout to the command that follows', (name, installed) => {
    expect(project(`packages-${name}`, installed)).toEqual({
      status: 0,
      stdout: '',
      stderr: 'Installing packages (npm ci) …\nnpm ci\n',
    });
  });

  test('says what is needed where that fails', () => {
    const { status, stderr } = project('offline', undefined, 1);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /npm ci failed; see above\. Node 20\.15 or later and a reachable npm registry are needed\.\n$/,
    );
  });

  test('lake itself says so too', () => {
    const root = join(dir, 'uninstalled');
    cpSync(join(ROOT, 'cli'), join(root, 'cli'), { recursive: true });
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'cli', 'lake.js')], {
      encoding: 'utf8',
    });
    expect({ status, stdout, stderr }).toEqual({
      status: 1,
      stdout: '',
      stderr: `lake: Cannot find module 'esbuild/package.json'; run npm ci in ${root}\n`,
    });
  });
});
