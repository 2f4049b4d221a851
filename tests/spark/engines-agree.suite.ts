// Both engines make the same of the same data: rows, quarantine, summary, findings, pseudonyms.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { RunResult } from '../../engines/engine';
import { type Pipeline, saysWhose } from '../../model';
import { lake as pipeline } from '../../pipeline';
import { appliesTo, ENTITIES, type Entity, FAULT_KINDS, spoil, writeSample } from '../../samples/stedi';
import { type Engines, expectAgreement } from '../support/engines-agree';
import { answer, engineOf, lake as lakeCommand, ROOT, result, temporaryDir } from '../support/lake';
import { listOf } from '../support/listed';
import { writeOtherSources } from '../support/other-sources';
import { differences, NONE } from '../support/rows';
import { soak } from '../support/soak';
import { withSpark } from '../support/spark';
import { session } from './session';

const dir = temporaryDir('engines-agree');

/** STEDI's pipeline without a limit on what is refused. */
const tolerant: Pipeline = {
  ...pipeline,
  sources: pipeline.sources.map((source) => ({ ...source, maxQuarantinedShare: 1 })),
  jobs: pipeline.jobs.map((job) => ({
    ...job,
    inputs: job.inputs.map((input) =>
      input.format !== 'iceberg' ? { ...input, maxQuarantinedShare: 1 } : input,
    ),
  })),
};

/** Both engines on one lake, and so with one key of pseudonyms. */
const enginesOf = (lake: string): Engines => ({
  duckdb: engineOf(lake),
  spark: session.engineOf(lake),
});

const DATA = resolve(ROOT, '..', 'shared', 'data', 'stedi');
const present = existsSync(DATA);
if (!present)
  process.stderr.write(`tests/spark/engines-agree.suite.ts skips the real data: there is no ${DATA}\n`);

withSpark('both engines agree', () => {
  (present ? test : test.skip)('on the real data, with Spark in a process of its own', async () => {
    const data = join(dir, 'real');
    await mkdir(data);
    for (const entity of ENTITIES) await symlink(join(DATA, entity), join(data, entity));
    await writeOtherSources(data, pipeline.sources);
    const lake = join(dir, 'real-lake');
    const engines = enginesOf(lake);
    const { summary } = await expectAgreement(engines, pipeline, { data }, async () => {
      const ran = await lakeCommand(['run', '--engine', 'spark', '--data', data, '--lake', lake, '--json']);
      expect(ran).toMatchObject({ status: 0, stderr: '' });
      // Findings are not in what it prints; the other tests compare them.
      return { summary: JSON.parse(ran.stdout), findings: [], failures: [], warnings: [] } as RunResult;
    });
    expect(Object.fromEntries(summary.tables.map(({ table, written }) => [table, written]))).toMatchObject({
      customer_trusted: 482,
      accelerometer_trusted: 40_981,
      customers_curated: 482,
      step_trainer_trusted: 14_460,
      machine_learning_curated: 40_981,
    });
  });

  /** On one lake, in their order: what a run made or did not make is replaced by the next. */
  const SAMPLES = [
    { seed: 2, dirty: 0.03, with: { consent: 'since-grant', pairing: 'timestamp' }, limit: true },
    { seed: 1, dirty: 0.3, with: {}, limit: true },
    { seed: 3, dirty: 0.3, with: {}, limit: false },
    { seed: 1, dirty: 0, with: {}, limit: true },
    { seed: 1, dirty: 0.03, with: { pairing: 'timestamp' }, limit: true },
    { seed: 2, dirty: 0, with: { consent: 'since-grant' }, limit: true },
    { seed: 2, dirty: 0.03, with: {}, limit: false },
    { seed: 2, dirty: 0.3, with: {}, limit: false },
  ].slice(0, soak(1));
  test.each(SAMPLES)('on a sample: $seed, $dirty dirty, $with, limit $limit', async (sample) => {
    const data = join(dir, `sample-${sample.seed}-${sample.dirty}-${sample.limit}`);
    await writeSample(data, { customers: 60, seed: sample.seed, dirty: sample.dirty });
    await writeOtherSources(data, pipeline.sources);
    const { failures } = await expectAgreement(
      enginesOf(join(dir, 'sample-lake')),
      sample.limit ? pipeline : tolerant,
      { data, parameters: sample.with },
    );
    if (sample.dirty === 0.3) expect(failures.length > 0).toBe(sample.limit);
  });

  test('on a file under two names, readings of strangers, and bad lines where nobody agreed', async () => {
    const data = join(dir, 'warned');
    await land(data, 'customer', {
      'a.json': `${person(1)}\n${person(2)}`.replaceAll(
        /"shareWith\w+":\d+/g,
        '"shareWithResearchAsOfDate":0',
      ),
    });
    await land(data, 'accelerometer', {
      'b.json': lines(1),
      'a/b.json': lines(1),
      'c.json': lines(1).replaceAll('1', '2'),
      'd.json.gz': gzipSync(`${reading(2)}\n{bad`),
      'e.json.gz': gzipSync(`${reading(2)}\n{bad`),
    });
    await land(data, 'step_trainer', { 'a.json': `${step(7)}\n{bad` });
    await writeOtherSources(data, pipeline.sources);
    const lake = join(dir, 'warned-lake');
    // An adaptive plan drops what it finds to be joined with nothing.
    const engines = { duckdb: engineOf(lake), spark: session.engineOf(lake, undefined, true) };
    const { failures, findings, summary } = await expectAgreement(engines, tolerant, { data });
    expect(failures).toEqual([]);
    expect(summary.tables.map(({ table, quarantined }) => ({ [table]: quarantined }))).toEqual(
      expect.arrayContaining([{ accelerometer_landing: 2 }, { step_trainer_landing: 1 }]),
    );
    const of = (name: string) => findings.filter(({ expectation }) => expectation === name);
    expect(of('delivered_once')).toMatchObject([
      {
        table: 'accelerometer_landing',
        severity: 'warn',
        failed: 8,
        samples: [
          { file: 'b.json', same_as: 'a/b.json' },
          { file: 'e.json.gz', same_as: 'd.json.gz' },
        ],
      },
    ]);
    expect(of('references_customer_landing')).toMatchObject([{ table: 'accelerometer_landing' }]);
    expect(of('gives_rows')).toContainEqual({
      table: 'customer_trusted',
      expectation: 'gives_rows',
      severity: 'warn',
      description: expect.stringContaining('rows'),
      failed: 1,
      affected: null,
      samples: [{ customer_landing: '2' }],
    });
  });

  test('on files of every odd kind and name, two people who were forgotten, and e-mails in several spellings', async () => {
    const data = join(dir, 'data [1] {a,b} %41 ü#?');
    await landWith(data, ODD);
    const spelled = await landSpelled(data);
    const lake = join(dir, 'lake [1] {a,b} %41 ü#?');
    await mkdir(lake);
    const key = randomBytes(32);
    await writeFile(join(lake, 'pseudonym.key'), key.toString('hex'));
    const listed = {
      person: ['Ann.One@example.com', 'cleo@example.com'],
      device: ['Dev-1', 'dev-2'],
      hint: ['Ann One'],
    };
    const list = listOf(key, listed);
    await writeFile(join(lake, 'suppressed.json'), list.text());

    /** A good line. The last of the people has a device of somebody forgotten, and stays. */
    const lineOf = (entity: Entity, user: string | null, serialNumber: string) => {
      const at = 1_690_000_000_000;
      const days = { registrationDate: at, lastUpdateDate: at, shareWithResearchAsOfDate: at };
      const lines = {
        customer: {
          customerName: 'Ann One',
          email: user,
          phone: '1',
          birthDay: '1990-02-28',
          serialNumber,
          ...days,
        },
        accelerometer: { user, timestamp: at, x: 1, y: -0.5, z: 1.25 },
        step_trainer: { sensorReadingTime: at, serialNumber, distanceFromObject: 7 },
      };
      return JSON.stringify(lines[entity]);
    };
    const people = [
      ['ann.one@example.com', 'DEV-1'],
      [' ANN.ONE@example.com\t', 'dev-1 '],
      ['Cleo@Example.com', 'dev-2'],
      ['later@example.com', 'dev-1'],
    ] as const;
    for (const entity of ENTITIES) {
      const good = people.map(([user, serial]) => lineOf(entity, user, serial));
      const bad = good.flatMap((line) =>
        FAULT_KINDS.filter((kind) => appliesTo(kind, entity)).map((kind) => spoil(line, kind, entity)),
      );
      const odd = [
        lineOf(entity, null, 'dev-2'),
        `"${(good[0] ?? '').replaceAll('"', '\\"')}"`,
        `{"note":"${'x'.repeat(70_000)}","user":"cleo@example.com"`,
        `Ann One;;dev-3`,
        `Ann One;later@example.com;dev-1;x`,
        (good[2] ?? '').replace('@', '\\u0040').slice(0, -3),
      ];
      const lines = [...good, ...bad, ...odd].flatMap((line) => [
        Buffer.from(line as string),
        Buffer.from('\n'),
      ]);
      await writeFile(join(data, entity, 'landing', 'theirs.json'), Buffer.concat(lines.slice(0, -20)));
      await writeFile(
        join(data, entity, 'landing', 'theirs.json.gz'),
        gzipSync(Buffer.concat(lines.slice(-20))),
      );
    }
    const engines = enginesOf(lake);
    const { failures, summary } = await expectAgreement(engines, tolerant, { data });
    expect(failures).toEqual([]);
    for (const { name } of pipeline.sources.filter(saysWhose)) {
      const source = summary.tables.find(({ table }) => table === name);
      expect(source?.filtered).toBeGreaterThan(20);
      expect(source?.read).toBe(
        (source?.written ?? 0) + (source?.quarantined ?? 0) + (source?.filtered ?? 0),
      );
    }
    const kept = await answer(
      engineOf(lake),
      "SELECT email FROM customer_landing WHERE serialNumber = 'dev-1'",
    );
    expect(kept).toContainEqual(['later@example.com']);
    for (const [table, count] of Object.entries(spelled)) {
      const rows = await answer(engineOf(lake), `SELECT COUNT(*) FROM ${table} WHERE ${SPELLED[table]}`);
      expect([table, rows]).toEqual([table, [[String(count)]]]);
    }
    // Landing tables as they are stored: instants are numbers, days the text that came.
    for (const table of ['customer_landing', 'accelerometer_landing']) {
      const [found, expected] = [
        await result(engines.spark, `SELECT * FROM ${table}`),
        await result(engines.duckdb, `SELECT * FROM ${table}`),
      ];
      expect(found.columns).toEqual(expected.columns);
      expect(differences(found.rows, expected.rows)).toEqual(NONE);
    }
  });

  /** How the people of landSpelled are told from others, by table. */
  const SPELLED: Readonly<Record<string, string>> = {
    customer_trusted: "email IN ('zoë@example.com', 'bob@example.com', 'carol@example.com')",
    accelerometer_trusted: "\"user\" IN ('zoë@example.com', 'bob@example.com')",
    machine_learning_curated: "sensorReadingTime = TIMESTAMP '2023-05-01 00:00:00.001'",
  };

  /** Lands e-mails in several spellings. Gives how many rows of each table come of them. */
  async function landSpelled(data: string): Promise<Readonly<Record<string, number>>> {
    const at = Date.UTC(2023, 4, 1);
    const customer = (email: string, lastUpdateDate: number, shareWithResearchAsOfDate: number) => ({
      customerName: 'Ada Example',
      email,
      phone: '5550100',
      birthDay: '1990-02-28',
      serialNumber: 's-1',
      registrationDate: at,
      lastUpdateDate,
      shareWithResearchAsOfDate,
    });
    const users = ['ZOE\u0308@example.com', 'Zoë@Example.com\u3000', 'bob@example.com'];
    const records: Readonly<Record<Entity, readonly object[]>> = {
      customer: [
        customer('zoë@example.com', at, at),
        customer('bob@example.com', at, at),
        customer(' BOB@example.com', at + 1, 0),
      ],
      accelerometer: users.map((user) => ({ user, timestamp: at + 1, x: 0, y: 0, z: 0 })),
      step_trainer: [{ sensorReadingTime: at + 1, serialNumber: 's-1', distanceFromObject: 7 }],
    };
    for (const entity of ENTITIES)
      await land(data, entity, {
        'spelled.json': records[entity].map((each) => JSON.stringify(each)).join('\n'),
      });
    // Of these one customer agreed and has not withdrawn it.
    const field = ['withdrawn-in-other-spelling', 'two-registrations'].map((name) =>
      join(ROOT, '..', 'shared', 'cases', `${name}.customer.json`),
    );
    const isThere = field.every((file) => existsSync(file));
    if (!isThere) process.stderr.write('tests/spark/engines-agree.suite.ts has no ../shared/cases\n');
    else
      for (const [i, file] of field.entries())
        await copyFile(file, join(data, 'customer', 'landing', `field-${i}.json`));
    return { customer_trusted: isThere ? 2 : 1, accelerometer_trusted: 2, machine_learning_curated: 2 };
  }

  const reading = (i: number, more = '') =>
    `{"user":"u${i}@example.com","timestamp":${1.7e12 + i},"x":${i % 7},"y":-0.5,"z":1.25${more}}`;
  const step = (i: number) =>
    `{"sensorReadingTime":${1.7e12 + i},"serialNumber":"s${i}","distanceFromObject":${i}}`;
  const person = (i: number) =>
    `{"customerName":"N ${i}","email":"u${i}@example.com","phone":"1","birthDay":"${i === 3 ? '967-01-31' : '1990-02-28'}","serialNumber":"s${i}","registrationDate":1690000000000,"lastUpdateDate":1690000000000,"shareWithResearchAsOfDate":1690000000000}`;
  const lines = (from: number, end = '\n') =>
    Array.from({ length: 6 }, (_, i) => reading(from + i)).join(end) + end;
  const BOM = '\ufeff';

  /** Landing files of every odd kind that can be read. */
  const ODD: Readonly<Record<string, string | Buffer>> = {
    'plain.json': lines(0),
    'no end.json': lines(0).trimEnd(),
    'windows.json': lines(1, '\r\n'),
    'mac.json': lines(2, '\r'),
    'mixed.json': `${reading(1)}\r\r\n\n\r${reading(2)}\n\r{bad\r\n{bad\n{bad\r${reading(3)}`,
    'mark.json': BOM + lines(3),
    'mark and bad.json': `${BOM}{bad\n${BOM}${reading(1)}\n`,
    'only mark.json': BOM,
    'two marks.json': `${BOM}${BOM}${lines(1)}`,
    'empty.json': '',
    'blank.json': '\n\r\n \t\n\r\r',
    'packed.json.gz': gzipSync(lines(4)),
    'packed mark.json.gz': gzipSync(BOM + lines(4, '\r\n')),
    'packed mac.json.gz': gzipSync(lines(4, '\r')),
    'packed bad.json.gz': gzipSync(`${lines(4)}{bad\n\n[1]\n"\n`),
    'packed empty.json.gz': gzipSync(''),
    'packed blank.json.gz': gzipSync('\n\n'),
    'two members.json.gz': Buffer.concat([gzipSync(reading(1)), gzipSync(`x\n${reading(2)}`)]),
    'zeros after.json.gz': Buffer.concat([gzipSync(lines(4)), Buffer.alloc(700)]),
    'empty.gz': '',
    'no suffix': lines(5),
    '100%.json': lines(6),
    '%41%20.json': lines(6),
    'a+b&c=d;e.json': lines(6),
    'back\\slash.json': lines(7),
    '[brackets]{a,b}*?.json': lines(7),
    'quote\'s "two".json': lines(7),
    'ünïcödé 日本 😀.json': lines(8),
    'u\u0308 not composed.json': lines(8),
    'hash#mark.json': lines(8),
    'sub/folder/deep.json': lines(9),
    'sub/user=x/deep.json': lines(9),
    'sub/year=2024/x.json': `${reading(9)}\n{bad`,
    '.hidden.json': lines(100),
    '_hidden.json': lines(100),
    '_a=b.json': lines(100),
    '.sub/hidden.json': lines(100),
    '_sub/hidden.json': lines(100),
    '_sub=1/hidden.json': lines(100),
    'copied.json._COPYING_': lines(9),
    'named.json.bz2': lines(9),
    'named.json.snappy': lines(9),
    'named.GZ': lines(9),
    'd.json': '[\n{"a":1},\n{"a":2}\n]\n',
    'e.json': '{\n"user":"a"\n}\n',
    'latin.json': Buffer.concat([
      Buffer.from(reading(1).replace('u1', 'ü'), 'latin1'),
      Buffer.from(`\n${lines(1)}`),
    ]),
    'long.json': `${reading(1)}\n{"user":"${'é'.repeat(700_000)}"}\r\n${reading(2)}\n${'x'.repeat(1 << 20)}\n${reading(3)}`,
    'long at the end.json': `${reading(1)}\n${'😀'.repeat(600_000)}`,
    'odd values.json': [
      reading(1, ',"other":{"a":[1,null]}'),
      reading(2).replace('"timestamp"', '"timeStamp"'),
      reading(3).replace('"user"', '"USER"'),
      reading(4).replace('-0.5', '-5e-1'),
      reading(5).replace('1.25', '-0.0'),
      reading(6).replace('1.25', '0.1000000000000000055511151231257827'),
      reading(7).replace('u7', 'u\\u00e9\\n\\"\\\\7'),
      reading(8).replace('u8', '\u2028\u0085'),
      reading(9).replace('u9', '\\u0000'),
      reading(1).replace('1700000000001', '1700000000001.0'),
      reading(1).replace('1.25', '16.5'),
      reading(1).replace('1.25', '1.25,"x":1'),
      reading(1).replace('"z":1.25', '"z":null'),
      `${reading(1)},`,
      ` \t${reading(1)} , `,
      `${reading(1)} x`,
      `${reading(1)}${reading(1)}`,
    ].join('\n'),
  };

  async function land(data: string, entity: string, files: typeof ODD) {
    for (const [name, content] of Object.entries(files)) {
      const path = join(data, entity, 'landing', name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
    }
  }

  /** Lands people, these files of their readings, and steps. */
  async function landWith(data: string, readings: typeof ODD) {
    await land(data, 'customer', {
      'people.json': `${Array.from({ length: 12 }, (_, i) => person(i)).join('\n')}\n`,
      'days.json': `${person(1).replace('1990-02-28', '2000-02-29')}\n${person(2).replace('1990', '1900').replace('28', '29')}\n`,
    });
    await land(data, 'accelerometer', readings);
    await land(data, 'step_trainer', {
      'steps.json.gz': gzipSync(`${Array.from({ length: 12 }, (_, i) => step(i)).join('\r\n')}`),
    });
    await writeOtherSources(data, pipeline.sources);
  }

  test('on damaged files', async () => {
    const data = join(dir, 'damaged');
    const packed = gzipSync(lines(0).repeat(500), { level: 1 });
    const flipped = Buffer.from(packed);
    flipped.writeUInt32LE(0xdead_beef, packed.length - 8);
    await landWith(data, {
      'plain.json': lines(0),
      'cut off.gz': packed.subarray(0, -20),
      'cut in its head.gz': packed.subarray(0, 6),
      'wrong sum.gz': flipped,
      'wrong middle.gz': Buffer.concat([packed.subarray(0, 30), Buffer.alloc(40, 255), packed.subarray(70)]),
      'not packed.gz': lines(1),
      'packed but not named.json': gzipSync(lines(2)),
      'text after.gz': Buffer.concat([gzipSync(lines(4)), Buffer.from('text')]),
      'a.parquet': 'PAR1\n{bad}\n',
      'b.csv': 'user,timestamp\na,1\n',
      'c.xml': '<a>\n</a>\n',
      'f.json': Buffer.from('{"user":"a"}\n{"user":"b"}\n', 'utf16le'),
      'g.json': Buffer.from([0, 1, 2, 10, 255, 254, 10]),
    });
    const { failures } = await expectAgreement(enginesOf(join(dir, 'damaged-lake')), tolerant, { data });
    expect(failures.join('\n')).toMatch(/: 12 files cannot be read\. /);
  });
});
