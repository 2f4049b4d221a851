// What a lake stores may be of another version of this program: it works on, or is refused by name with the way out.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SparkEngine } from '../engines/spark/engine';
import type { Answer } from '../engines/spark/runner';
import { FORMATS } from '../model';
import { lake as pipeline } from '../pipeline';
import { writeSample } from '../samples/stedi';
import { answer, engineOf, JOBS, lake, result, temporaryDir } from './support/lake';

const dir = temporaryDir('formats');
const DATA = join(dir, 'data');
const MADE = join(dir, 'made');
const COUNT = 'SELECT count(*) FROM customer_trusted';
let runFile: string;
let copies = 0;

beforeAll(async () => {
  await writeSample(DATA, { customers: 4, seed: 2, dirty: 0 });
  expect((await engineOf(MADE).run(pipeline, { data: DATA })).failures).toEqual([]);
  runFile = join('runs', readdirSync(join(MADE, 'runs'))[0] as string);
});

const copy = (): string => {
  const root = join(dir, `lake-${copies++}`);
  cpSync(MADE, root, { recursive: true });
  return root;
};
const read = (...path: string[]) => JSON.parse(readFileSync(join(...path), 'utf8'));
const write = (value: unknown, ...path: string[]) => {
  mkdirSync(join(...path, '..'), { recursive: true });
  writeFileSync(join(...path), typeof value === 'string' ? value : JSON.stringify(value));
};

test('a lake that says no format goes on, and says it from then on', async () => {
  const root = copy();
  for (const file of ['current.json', runFile]) {
    const { version, ...rest } = read(root, file);
    expect(version).toBe(1);
    write(rest, root, file);
  }
  const person = '0'.repeat(64);
  write([{ person, since: '2026-01-01T00:00:00Z', pseudonyms: [] }], root, 'suppressed.json.pending');
  expect(await answer(engineOf(root), COUNT)).toEqual(await answer(engineOf(MADE), COUNT));
  const { status, stdout, stderr } = await lake(['status', '--lake', root]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^customer_trusted /m);
  expect(stdout).toMatch(/\nThe last run, \S+, published after /);
  expect((await engineOf(root).run(pipeline, {})).failures).toEqual([]);
  expect(read(root, 'current.json').version).toBe(1);
});

const NEWER = 'is of format 2, and this version reads 1; use the version that wrote it';
const commands = {
  status: ['status'],
  query: ['query', '-e', COUNT],
  run: ['run', '--data', DATA],
  forget: ['forget', '--subject', 'a@b.example'],
};

test.each([
  ['current.json', { version: 2, published: {} }, NEWER, ['status', 'query', 'run', 'forget']],
  [
    'suppressed.json',
    { version: 3, people: {} },
    NEWER.replace('2', '3').replace('1', '2'),
    ['run', 'forget'],
  ],
  ['suppressed.json.pending', { version: 2, people: [] }, NEWER, ['status', 'run', 'forget']],
  [
    'suppressed.json.pending',
    '[{}]',
    'is damaged, and says which forgets were cut off; restore it, or remove it and call them again',
    ['status'],
  ],
  ['a summary', { version: 2, run: {} }, NEWER, ['status']],
  ['a summary', '{', 'is no summary of a run; remove it', ['status']],
] as const)('%s %j is refused by name', async (name, content, told, by) => {
  const root = copy();
  const file = name === 'a summary' ? runFile : name;
  write(content, root, file);
  const held = () => ['current.json', file].map((one) => readFileSync(join(root, one), 'utf8'));
  const before = held();
  for (const command of by) {
    const { status, stderr } = await lake([...commands[command], '--lake', root]);
    expect({
      command,
      status,
      // A run says which table it could not read for it.
      last: stderr
        .trimEnd()
        .split('\n')
        .at(-1)
        ?.replace(/^(?:\w+: )+/, ''),
    }).toEqual({
      command,
      status: 1,
      last: `${join(root, file)} ${told}`,
    });
  }
  expect(held()).toEqual(before);
});

describe('a lake of Spark', () => {
  type Asked = Readonly<Record<string, unknown>>;

  /** An engine whose Spark gives these answers, and what it was asked. */
  function spark(root: string, answers: readonly Answer[] = []) {
    const asked: Asked[] = [];
    const startRunner = () => ({
      async *ask(request: Asked) {
        asked.push(request);
        yield* answers;
      },
      stop: async () => undefined,
    });
    return { engine: new SparkEngine({ lake: root, jobs: JOBS, startRunner }), asked };
  }

  const FILE = join('spark', 'sources.json');
  const ROWS: Answer[] = [
    { kind: 'columns', columns: [['n', 'bigint']] },
    { kind: 'rows', rows: [['4']] },
  ];
  const done = pipeline.sources.map(
    ({ name: table }): Answer => ({
      kind: 'done',
      summary: {
        table,
        job: null,
        read: 4,
        quarantined: 0,
        filtered: 0,
        written: 4,
        reasons: {},
        expectations: [],
        seconds: 1,
      },
    }),
  );

  /** A lake in which each source was read, as it is stored now. */
  async function made(): Promise<{ root: string; stored: Record<string, Record<string, unknown>> }> {
    const root = join(dir, `spark-${copies++}`);
    const { failures } = await spark(root, done).engine.run(pipeline, { data: DATA });
    expect(failures).toEqual([]);
    return { root, stored: read(root, FILE) };
  }

  const withEach = (
    stored: Record<string, Record<string, unknown>>,
    change: (one: Record<string, unknown>) => Record<string, unknown>,
  ) => Object.fromEntries(Object.entries(stored).map(([name, one]) => [name, change(one)]));

  const without = (one: Record<string, unknown>, key: string) => {
    const { [key]: _, ...rest } = one;
    return rest;
  };

  test.each([
    ['says no format', (one: Record<string, unknown>) => without(one, 'version')],
    ['is of an older format', (one: Record<string, unknown>) => ({ ...one, version: 1 })],
  ])('that %s is refused until a run has read the sources again', async (_, older) => {
    const { root, stored } = await made();
    write(withEach(stored, older), root, FILE);
    for (const sql of ['SELECT 1', 'DESCRIBE customer_landing']) {
      await expect(spark(root, ROWS).engine.query(sql)).rejects.toThrow(
        `${join(root, FILE)} says how customer_landing is read in format 1, and this version reads ${FORMATS.manifest}; read it again: npx lake run --engine spark --data ${DATA}/`,
      );
    }
    // Where the sources are is known all the same.
    const { engine, asked } = spark(root, done);
    await engine.run(pipeline, {});
    expect(JSON.stringify(asked[0])).toContain(`file:${DATA}/customer/landing/`);
    expect((await result(spark(root, ROWS).engine, 'SELECT 1')).rows).toEqual([['4']]);
  });

  test('that is of a newer format, or damaged, is refused by name', async () => {
    const { root, stored } = await made();
    const refusals = async (told: string) => {
      const { engine, asked } = spark(root, done);
      const calls = [
        () => engine.query('SELECT 1'),
        () => engine.tables(),
        () => engine.run(pipeline, { data: DATA }),
      ];
      for (const call of calls) await expect(call()).rejects.toThrow(`${join(root, FILE)} ${told}`);
      expect(asked).toEqual([]);
    };
    write(
      { ...stored, customer_landing: { ...stored.customer_landing, version: FORMATS.manifest + 1 } },
      root,
      FILE,
    );
    await refusals(
      `is of format ${FORMATS.manifest + 1}, and this version reads ${FORMATS.manifest}; use the version that wrote it`,
    );
    for (const text of ['{', '[7]', '{"customer_landing":{}}']) {
      write(text, root, FILE);
      await refusals('does not say where the sources were read; remove it and run with --data');
    }
    expect(existsSync(join(root, FILE))).toBe(true);
  });
});
