import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  type Expectation,
  expectation,
  int,
  lakehouse,
  parameter,
  pseudonym,
  refined,
  text,
  timestamp,
  unique,
} from '../../model';
import { LakeError, type RunRequest, UsageError } from '../engine';
import { DuckDbEngine } from './engine';

const zones = lakehouse(['landing', 'trusted', 'curated']);
const unit = parameter('unit', 'What a score counts in.', ['points', 'tens']);

/** Players with scores, and their scores without their names. */
function game(expectations: readonly Expectation<'player' | 'score'>[] = []) {
  const scores = zones.source({
    name: 'score_landing',
    zone: 'landing',
    entity: 'score',
    description: 'A score.',
    columns: {
      player: text('Who.', { pii: 'direct', identifies: 'person' }),
      score: int('How much.', { min: 0, max: 1000 }),
      team: text('For whom.', { nullable: true }),
    },
    maxQuarantinedShare: 0.5,
    expectations: [unique(['player'], { severity: 'warn', description: 'Everyone plays once.' })],
  });
  const best = zones.table({
    name: 'score_trusted',
    zone: 'trusted',
    description: 'A score that counts.',
    columns: refined(scores.columns),
    expectations,
  });
  const open = zones.table({
    name: 'score_open',
    zone: 'curated',
    description: 'A score of nobody in particular.',
    columns: { who: pseudonym('Who, hidden.'), score: int('How much.'), played: timestamp('When.') },
  });
  return zones.pipeline(
    zones.zone('landing', { description: 'Files.', tables: [scores], jobs: [] }),
    zones.zone('trusted', {
      description: 'Scores that count.',
      tables: [best],
      jobs: [
        zones.job({ output: best, inputs: [scores], parameters: [unit], description: 'Keeps what counts.' }),
      ],
    }),
    zones.zone('curated', {
      description: 'For all.',
      tables: [open],
      jobs: [
        zones.job({
          output: open,
          inputs: [best, scores],
          drivenBy: { player: 'who' },
          description: 'Two rows for every score above 5.',
        }),
      ],
    }),
  );
}

const SQL = {
  score_trusted: `SELECT s.player, CASE WHEN :unit = 'tens' THEN s.score * 10 ELSE s.score END AS score, s.team
FROM score_landing s WHERE s.score > 0`,
  score_open: `SELECT t.player AS who, t.score, TIMESTAMP '2023-05-01 10:00:00' AS played FROM score_trusted t WHERE t.score > 5
UNION ALL
SELECT t.player AS who, t.score, TIMESTAMP '2023-05-02 10:00:00' AS played FROM score_trusted t WHERE t.score > 5`,
};

let root: string;
let engine: DuckDbEngine;
const lake = () => join(root, 'lake');

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'run-test-'));
  mkdirSync(join(root, 'jobs'));
  for (const [name, sql] of Object.entries(SQL)) writeFileSync(join(root, 'jobs', `${name}.sql`), sql);
  data('a.json', [
    { player: 'Ada Canary', score: 7, team: 'red' },
    { player: 'Bob Canary', score: 3 },
    { player: 'Bob Canary', score: 0 },
  ]);
  engine = new DuckDbEngine({ lake: lake(), jobs: join(root, 'jobs') });
});
afterEach(() => rmSync(root, { recursive: true }));

function data(file: string, lines: readonly (object | string)[]) {
  const dir = join(root, 'data', 'score', 'landing');
  mkdirSync(dir, { recursive: true });
  writeFileSync(
    join(dir, file),
    lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'),
  );
}

const run = (pipeline = game(), request: RunRequest = { data: join(root, 'data') }) =>
  engine.run(pipeline, request);

async function rows(sql: string) {
  const result = await engine.query(sql);
  const all: (readonly (string | null)[])[] = [];
  for await (const chunk of result.rows) all.push(...chunk);
  return all;
}

/** A summary without what differs from run to run. */
const counts = (result: Awaited<ReturnType<typeof run>>) =>
  Object.fromEntries(
    result.summary.tables.map(({ table, read, quarantined, filtered, written }) => [
      table,
      { read, quarantined, filtered, written },
    ]),
  );

test('an address in the name of a file is in no finding and no warning', async () => {
  for (const name of ['ada@example.org.json', 'ada%40example.org.json', '.ada@example.org'])
    data(name, [{ player: 'Cy Canary', score: 1 }]);
  const { findings, warnings } = await run();
  expect(findings.find(({ expectation: name }) => name === 'delivered_once')?.samples).toEqual([
    { file: '•••', same_as: '•••' },
  ]);
  expect(warnings).toEqual([expect.stringContaining('••• (hidden)')]);
  expect(JSON.stringify([findings, warnings])).not.toContain('example.org');
});

test('counts what each table read, refused, filtered and wrote', async () => {
  data('b.json', ['{"player": "Cy Canary"', { player: 'Di Canary', score: 2000 }]);
  const result = await run();
  expect(result.failures).toEqual([]);
  expect(counts(result)).toEqual({
    score_landing: { read: 5, quarantined: 2, filtered: 0, written: 3 },
    score_trusted: { read: 3, quarantined: 0, filtered: 1, written: 2 },
    // One of the two driving rows gave two rows, the other none.
    score_open: { read: 2, quarantined: 0, filtered: 1, written: 2 },
  });
  expect(result.summary.tables[0]?.reasons).toEqual({ TRUNCATED: 1, OUT_OF_RANGE: 1 });
  expect(await rows('SELECT file, line, reason, raw FROM score_landing_quarantine ORDER BY line')).toEqual([
    ['b.json', '1', 'TRUNCATED', '{"player": "Cy Canary"'],
    ['b.json', '2', 'OUT_OF_RANGE', '{"player":"Di Canary","score":2000}'],
  ]);
  expect(JSON.parse(readFileSync(join(lake(), 'runs', `${result.summary.runId}.json`), 'utf8'))).toEqual(
    result.summary,
  );
});

test('a table that moved to another zone is the same one: a lake has it by its name', async () => {
  const before = game();
  Object.assign(before.tables.get('score_trusted') as object, { zone: 'curated' });
  const first = await run(before);
  expect((await run(game(), { only: ['score_open'] })).failures).toEqual([]);
  expect(await rows('SELECT COUNT(*) FROM score_trusted')).toEqual([['2']]);
  const { summary } = await run();
  const tables = readdirSync(join(lake(), 'versions'), { recursive: true }) as string[];
  expect(tables.filter((name) => name.endsWith('score_trusted'))).toHaveLength(1);
  expect(summary.runId).not.toBe(first.summary.runId);
});

test('of a table that stays is told what was told last, also where its rows are older', async () => {
  const first = await run();
  data('b.json', [{ player: 'Cy Canary', score: 0 }]);
  const second = await run();
  expect(counts(second).score_trusted).toMatchObject({ read: 4, written: 2 });
  // Reads again what was written so lately that its state could not be told.
  await run();
  const third = await run();
  expect(counts(third)).toEqual(counts(second));
  expect(third.summary.tables.map(({ table, unchanged }) => [table, unchanged])).toEqual([
    ['score_landing', true],
    ['score_trusted', true],
    ['score_open', true],
  ]);
  const { tables } = JSON.parse(readFileSync(join(lake(), 'current.json'), 'utf8'));
  expect(tables.score_trusted.runId).toBe(first.summary.runId);
});

test('takes the values of parameters, and its own for the others', async () => {
  await run(game(), { data: join(root, 'data'), parameters: { unit: 'tens' } });
  expect(await rows('SELECT score FROM score_trusted ORDER BY score')).toEqual([['30'], ['70']]);
  const result = await run();
  expect(result.summary.parameters).toEqual({ unit: 'points' });
  expect(await rows('SELECT score FROM score_trusted ORDER BY score')).toEqual([['3'], ['7']]);
});

const above = (severity: 'fail' | 'quarantine' | 'warn') =>
  expectation({
    name: 'at_most_5',
    severity,
    description: 'Nobody scores more than 5.',
    columns: ['player'],
    sql: (table) => `SELECT t.player, t.score, upper(t.player) AS loud FROM ${table} t WHERE t.score > 5`,
  });

test('an expectation that fails keeps the published state, and says which rows, masked', async () => {
  const first = await run();
  data('a.json', [
    { player: 'Eve Canary', score: 9 },
    { player: 'Fay Canary', score: 4 },
  ]);
  const result = await run(game([above('fail')]));
  expect(result.summary.outcome).toBe('failed');
  expect(result.failures).toEqual([
    'score_trusted: expectation at_most_5 failed with 1 bad row. Nobody scores more than 5.',
  ]);
  expect(result.findings).toEqual([
    {
      table: 'score_trusted',
      expectation: 'at_most_5',
      severity: 'fail',
      description: 'Nobody scores more than 5.',
      failed: 1,
      affected: null,
      samples: [{ player: '•••', score: '9', loud: '•••' }],
    },
  ]);
  // Its dependent was not made, and no reader sees anything new.
  expect(result.summary.tables.map((t) => t.table)).toEqual(['score_landing', 'score_trusted']);
  expect(await engine.tables()).toMatchObject(
    first.summary.tables.map((t) => ({ table: t.table, rows: t.written, runId: first.summary.runId })),
  );
  expect(await rows('SELECT player FROM score_trusted ORDER BY player')).toEqual([
    ['Ada Canary'],
    ['Bob Canary'],
  ]);
  expect(readdirSync(join(lake(), 'versions'))).toEqual([first.summary.runId]);
});

test('an expectation that quarantines moves the rows that share its columns with a bad one', async () => {
  data('c.json', [{ player: 'Ada Canary', score: 1 }]);
  const result = await run(game([above('quarantine')]));
  expect(result.failures).toEqual([]);
  expect(counts(result)).toMatchObject({
    score_trusted: { read: 4, quarantined: 2, filtered: 1, written: 1 },
    score_open: { read: 1, quarantined: 0, filtered: 1, written: 0 },
  });
  expect(result.summary.tables[1]).toMatchObject({
    reasons: { at_most_5: 2 },
    expectations: expect.arrayContaining([{ name: 'at_most_5', severity: 'quarantine', failed: 1 }]),
  });
  expect(await rows('SELECT player, score FROM score_trusted')).toEqual([['Bob Canary', '3']]);
  expect(await rows('SELECT file, line, reason, raw FROM score_trusted_quarantine ORDER BY raw')).toEqual([
    [null, null, 'at_most_5', '{"player":"Ada Canary","score":1,"team":null}'],
    [null, null, 'at_most_5', '{"player":"Ada Canary","score":7,"team":"red"}'],
  ]);
});

test('expectations that fail see what is left after the quarantine', async () => {
  const result = await run(game([above('fail'), { ...above('quarantine'), name: 'moved_first' }]));
  expect(result.failures).toEqual([]);
});

test('a warning is told and published', async () => {
  const result = await run(game([above('warn')]));
  expect(result.summary.outcome).toBe('published');
  expect(result.findings.map((f) => `${f.table}.${f.expectation}: ${f.failed}`)).toEqual([
    'score_landing.unique_player: 1',
    'score_trusted.at_most_5: 1',
  ]);
});

test('a NULL where the contract has none, or a value out of its range, is not published', async () => {
  writeFileSync(
    join(root, 'jobs', 'score_trusted.sql'),
    `SELECT NULLIF(s.player, 'Bob Canary') AS player, s.score + 999 AS score, s.team FROM score_landing s WHERE :unit = :unit`,
  );
  const { failures } = await run();
  expect(failures).toEqual([
    'score_trusted: expectation required_values failed with 2 bad rows. Every column that is not nullable has a value.',
    'score_trusted: expectation values_in_range failed with 2 bad rows. Every value is within the range of its column.',
  ]);
});

test('too many refused lines fail the run with the first of them, by file and line', async () => {
  await run();
  data('a.json', ['nonsense', '', '[1]', '{"player":"Canary"', { player: 'Gil Canary', score: 1 }]);
  const result = await run();
  expect(result.failures).toEqual([
    expect.stringMatching(
      /^score_landing: 3 of 4 records are refused, 75 %, which are 43\.9 % of the bytes; the limit is 50 %\..*\n {2}a\.json, line 1: NOT_JSON, .*\n {2}a\.json, line 3: NOT_AN_OBJECT, .*\n {2}a\.json, line 4: TRUNCATED, /,
    ),
  ]);
  expect(result.failures.join()).not.toContain('Canary');
  expect(await rows('SELECT COUNT(*) FROM score_landing')).toEqual([['3']]);
  // What was refused stays to be looked at until the next run.
  expect(await rows('SELECT COUNT(*) FROM score_landing_quarantine')).toEqual([['3']]);
});

test('runs single jobs on what is published, and on data that is given', async () => {
  await run();
  data('a.json', [{ player: 'Hal Canary', score: 8 }]);
  const again = await run(game(), { only: ['score_trusted'] });
  expect(counts(again)).toEqual({ score_trusted: { read: 3, quarantined: 0, filtered: 1, written: 2 } });

  const fresh = await run(game(), { only: ['score_trusted'], data: join(root, 'data') });
  expect(counts(fresh)).toMatchObject({ score_landing: { read: 1 }, score_trusted: { written: 1 } });
  // What is downstream stays as it was published.
  const { tables } = { tables: await engine.tables() };
  expect(Object.fromEntries(tables.map((t) => [t.table, t.runId === fresh.summary.runId]))).toEqual({
    score_landing: true,
    score_trusted: true,
    score_open: false,
  });
});

test('single jobs keep the rules that their tables were made by, unless others are asked for', async () => {
  const request = { data: join(root, 'data'), parameters: { unit: 'tens' } };
  await run(game(), request);
  const kept = await run(game(), { only: ['score_trusted'] });
  expect(kept.summary.parameters).toEqual({ unit: 'tens' });
  const asked = await run(game(), { only: ['score_trusted'], parameters: { unit: 'points' } });
  expect(asked.summary.parameters).toEqual({ unit: 'points' });
  expect((await run(game(), { only: ['score_trusted'] })).summary.parameters).toEqual({ unit: 'points' });
  // All jobs go by the defaults.
  expect((await run(game(), { data: request.data })).summary.parameters).toEqual({ unit: 'points' });
  await expect(run(game(), { only: ['score_open'], parameters: { unit: 'tens' } })).rejects.toThrow(
    'unit changes nothing in score_open; it is for score_trusted',
  );
});

test('single jobs and queries name every table of which a file is damaged or gone', async () => {
  await run();
  const { runId } = JSON.parse(readFileSync(join(root, 'lake', 'current.json'), 'utf8'));
  const folder = (table: string) => join(root, 'lake', 'versions', runId, table);
  const lastFile = (table: string) =>
    join(
      folder(table),
      readdirSync(folder(table))
        .filter((name) => name.endsWith('.parquet'))
        .sort()
        .at(-1) as string,
    );
  rmSync(lastFile('score_landing'));
  writeFileSync(lastFile('score_trusted'), 'no Parquet');
  const told = ['score_landing', 'score_trusted'].map(
    (table) => `${table} cannot be read: files in ${folder(table)} are missing or damaged`,
  );
  const text = [
    ...told,
    'Restore them, or make all tables anew: npx lake run --data DIR, with the same --lake',
  ].join('\n');
  await expect(run(game(), { only: ['score_open'] })).rejects.toThrow(new LakeError(text));
  await expect(engine.query('SELECT COUNT(*) FROM score_trusted')).rejects.toThrow(new LakeError(text));
});

test('single jobs need their inputs published', async () => {
  await expect(run(game(), { only: ['score_open'] })).rejects.toThrow(
    new LakeError(
      'not published in this lake yet: score_trusted, score_landing. Run the whole pipeline first, or the jobs that make them too',
    ),
  );
});

test('names every source without a file, and a folder that is none', async () => {
  rmSync(join(root, 'data', 'score', 'landing', 'a.json'));
  await expect(run()).rejects.toThrow(`score_landing: no file in ${join(root, 'data', 'score', 'landing')}`);
  await expect(run(game(), { data: join(root, 'nowhere') })).rejects.toThrow(UsageError);
});

test('an error of the database is told without the values it quotes', async () => {
  writeFileSync(
    join(root, 'jobs', 'score_trusted.sql'),
    `SELECT s.player, CAST(s.player AS BIGINT) AS score, s.team FROM score_landing s WHERE :unit = :unit`,
  );
  const { failures } = await run();
  expect(failures).toEqual([
    expect.stringMatching(/^score_trusted: .*score_trusted\.sql failed: Conversion Error: .*'…'/),
  ]);
  expect(failures.join()).not.toContain('Canary');
});

test('the SQL is checked before anything is read', async () => {
  writeFileSync(
    join(root, 'jobs', 'score_trusted.sql'),
    'SELECT s.player FROM score_landing s WHERE :unit = :unit',
  );
  await expect(run()).rejects.toThrow(/gives no column "score"[\s\S]*gives no column "team"/);
  expect(readdirSync(root)).not.toContain('lake');
});

test('the same data gives the same rows and pseudonyms in every run, and in another lake other pseudonyms', async () => {
  const query = 'SELECT who, score, played FROM score_open ORDER BY ALL';
  await run();
  const first = await rows(query);
  await run();
  expect(await rows(query)).toEqual(first);
  engine = new DuckDbEngine({ lake: join(root, 'other'), jobs: join(root, 'jobs') });
  await run();
  expect((await rows(query)).map(([, ...rest]) => rest)).toEqual(first.map(([, ...rest]) => rest));
  expect((await rows(query))[0]?.[0]).not.toBe(first[0]?.[0]);
});

test('a damaged file fails the run however small its share, and empty files count for none', async () => {
  const landing = join(root, 'data', 'score', 'landing');
  const lines = Array.from({ length: 200 }, (_, i) => ({ player: `P${i} Canary`, score: i }));
  data('a.json', lines);
  for (const name of ['b.json', 'c.json']) writeFileSync(join(landing, name), '');
  const { summary } = await run();
  expect(summary).toMatchObject({ outcome: 'published', tables: [{ read: 202, quarantined: 2 }, {}, {}] });

  writeFileSync(
    join(landing, 'd.json.gz'),
    gzipSync('{"player": "x", "score": 1}\n'.repeat(1000)).subarray(0, 60),
  );
  const result = await run();
  expect(result.failures).toEqual([
    expect.stringMatching(/^score_landing: 1 file cannot be read\.[\s\S]*UNREADABLE_FILE/),
  ]);
});

test('reads files in folders below, and names them by their path', async () => {
  mkdirSync(join(root, 'data', 'score', 'landing', 'day=1', '_temporary'), { recursive: true });
  data(join('day=1', 'b.json'), [{ player: 'Ida Canary', score: 4 }, '[1]']);
  data(join('day=1', '_temporary', 'c.json'), [{ player: 'Nobody', score: 4 }]);
  const result = await run();
  expect(result.warnings).toEqual([
    `1 entry of score/landing is not read: ${join('day=1', '_temporary')} (hidden)`,
  ]);
  expect(counts(result)).toMatchObject({ score_landing: { read: 5, quarantined: 1, written: 4 } });
  expect(await rows('SELECT file, line FROM score_landing_quarantine')).toEqual([
    [join('day=1', 'b.json'), '2'],
  ]);
  symlinkSync(join(root, 'gone.json'), join(root, 'data', 'score', 'landing', 'z.json'));
  await expect(run()).rejects.toThrow(/z\.json is a link that leads nowhere/);
});

test('an expectation that cannot be checked says so under its own name', async () => {
  const late = {
    ...above('warn'),
    sql: (table: string) => `SELECT t.player, CAST(t.player AS BIGINT) AS n FROM ${table} t`,
  };
  expect((await run(game([late]))).failures).toEqual([
    expect.stringMatching(/^score_trusted: expectation at_most_5 could not be checked: Conversion Error/),
  ]);
});
