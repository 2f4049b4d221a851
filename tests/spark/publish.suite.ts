// A job on Spark publishes all of its rows or none, and leaves nothing behind but what it tells of.
import { createHmac } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunResult } from '../../engines/engine';
import {
  day,
  type Expectation,
  epochMillis,
  expectation,
  int,
  lakehouse,
  type Pipeline,
  pseudonym,
  refined,
  type Severity,
  text,
  timestamp,
} from '../../model';
import { answer, engineOf, namesBelow, temporaryDir } from '../support/lake';
import { differences, NONE } from '../support/rows';
import { withSpark } from '../support/spark';
import { session } from './session';

const dir = temporaryDir('spark-publish');

// --- Players with scores, and their scores without their names ---

const words = lakehouse(['landing', 'trusted', 'curated']);

function game(expectations: readonly Expectation<'player' | 'score'>[] = [], more?: 'points'): Pipeline {
  const scores = words.source({
    name: 'score_landing',
    zone: 'landing',
    entity: 'score',
    description: 'A score.',
    columns: {
      player: text('Who.', { pii: 'direct', identifies: 'person' }),
      score: int('How much.'),
      team: text('For whom.', { nullable: true }),
      playedAt: epochMillis('When.'),
    },
    maxQuarantinedShare: 0.5,
  });
  const trusted = words.table({
    name: 'score_trusted',
    zone: 'trusted',
    description: 'A score that counts.',
    columns: { ...refined(scores.columns), ...(more && { [more]: int('One more.') }) },
    partitionBy: [day('playedAt')],
    expectations,
  });
  const open = words.table({
    name: 'score_open',
    zone: 'curated',
    description: 'A score of nobody in particular.',
    columns: {
      who: pseudonym('Who, hidden.'),
      team: pseudonym('For whom, hidden.', { nullable: true }),
      score: int('How much.'),
      playedAt: timestamp('When.'),
    },
  });
  return words.pipeline(
    words.zone('landing', { description: 'Files.', tables: [scores], jobs: [] }),
    words.zone('trusted', {
      description: 'Scores that count.',
      tables: [trusted],
      jobs: [words.job({ output: trusted, inputs: [scores], description: 'Keeps what counts.' })],
    }),
    words.zone('curated', {
      description: 'For all.',
      tables: [open],
      jobs: [words.job({ output: open, inputs: [trusted], description: 'Hides who played.' })],
    }),
  );
}

/** Above 50 the name is none that any input has. */
const SQL = {
  score_trusted: 'SELECT s.player, s.score, s.team, s.playedAt FROM score_landing s WHERE s.score > 0',
  score_open: `SELECT CASE WHEN t.score > 50 THEN concat('☃ of ', t.player) ELSE t.player END AS who,
  t.team, t.score, t.playedAt FROM score_trusted t`,
};

/** Writes the SQL of the jobs into a folder. */
async function writeJobs(folder: string) {
  await mkdir(folder);
  for (const [name, sql] of Object.entries(SQL)) await writeFile(join(folder, `${name}.sql`), sql);
}

const atMost = (limit: number, severity: Severity) =>
  expectation({
    name: `at_most_${limit}`,
    severity,
    description: `Nobody scores more than ${limit}.`,
    columns: ['player'],
    sql: (table) => `SELECT t.player, t.score FROM ${table} t WHERE t.score > ${limit}`,
  });

interface Score {
  readonly player: string;
  readonly score: number;
  readonly team?: string;
  readonly day: number;
}
const score = (player: string, points: number, on = 1, team?: string): Score => ({
  player,
  score: points,
  day: on,
  ...(team !== undefined && { team }),
});
const instantOf = ({ day }: Score) => Date.UTC(2023, 4, day, 10);
const textOf = (row: Score) => new Date(instantOf(row)).toISOString().replace('T', ' ').replace('Z', '');

/** As the tables have them. */
const rowsOf = (scores: readonly Score[]) =>
  scores.map((row) => [row.player, String(row.score), row.team ?? null, textOf(row)]);

/** Writes scores in place of those before. */
async function land(data: string, scores: readonly Score[]) {
  const folder = join(data, 'score', 'landing');
  await mkdir(folder, { recursive: true });
  const lines = scores.map(({ day, ...row }) =>
    JSON.stringify({ ...row, playedAt: instantOf({ ...row, day }) }),
  );
  await writeFile(join(folder, 'part.json'), lines.map((line) => `${line}\n`).join(''));
}

/** A lake of its own, and what it is made of. */
function lakeOf(name: string, jobs = join(dir, 'jobs')) {
  const [lake, data] = [join(dir, name), join(dir, `${name}-data`)];
  const spark = session.engineOf(lake, jobs);
  const rows = (sql: string) => answer(spark, sql);
  return {
    lake,
    spark,
    duckdb: engineOf(lake, jobs),
    data,
    run: async (pipeline: Pipeline, scores: readonly Score[]) => {
      await land(data, scores);
      return spark.run(pipeline, { data });
    },
    rows,
    /** Has somebody else do something to a table. */
    others: async (sql: string) => {
      const warehouse = `file:${join(lake, 'spark', 'warehouse')}`;
      for await (const answered of session.ask({ kind: 'others', warehouse, sql }))
        expect(answered).toBe(undefined);
    },
    trusted: (version = '') => rows(`SELECT player, score, team, playedAt FROM score_trusted ${version}`),
    /** Branches and tags with their snapshots. */
    refs: async (table = 'score_trusted') =>
      Object.fromEntries(
        await rows(`SELECT name, CAST(snapshot_id AS STRING) FROM lake.lake.${table}.refs`),
      ) as Record<string, string>,
  };
}

const tableOf = ({ summary }: RunResult, table = 'score_trusted') => {
  const found = summary.tables.find((one) => one.table === table);
  if (!found) throw new Error(`the summary has no ${table}`);
  const { seconds, ...counts } = found;
  return counts;
};

withSpark('on Spark', () => {
  beforeAll(async () => {
    await writeJobs(join(dir, 'jobs'));
  });

  test('a table of which an expectation fails stays as it was, and what was written can be read', async () => {
    const { run, rows, trusted, refs, spark } = lakeOf('failing');
    const pipeline = game([atMost(100, 'fail')]);
    const good = [score('Ada Canary', 7), score('Bob Canary', 100, 2, 'red')];
    const bad = [score('Ada Canary', 8), score('Eve Canary', 101, 2), score('Eve Canary', 999, 3)];
    const better = [score('Eve Canary', 99, 3)];

    const first = await run(pipeline, good);
    expect(first.failures).toEqual([]);
    const before = {
      main: (await refs()).main,
      open: await rows('SELECT * FROM score_open'),
      tables: (await spark.tables()).filter(({ table }) => table !== 'score_landing'),
    };
    expect(differences(await trusted(), rowsOf(good))).toEqual(NONE);
    expect(before.open).toHaveLength(2);

    const failed = await run(pipeline, bad);
    const { main, audit, ...others } = await refs();
    expect(others).toEqual({});
    expect(audit).toMatch(/^\d+$/);
    expect(failed.failures).toEqual([
      'score_trusted: expectation at_most_100 failed with 2 bad rows',
      `score_trusted: what was written is on its branch audit, snapshot ${audit}; the published table is as it was`,
    ]);
    expect(failed.summary.outcome).toBe('failed');
    // Readers see the same rows of the same snapshot, of this table and of the one that is made from it.
    expect(differences(await trusted(), rowsOf(good))).toEqual(NONE);
    expect(main).toBe(before.main);
    expect(await rows('SELECT * FROM score_open')).toEqual(before.open);
    expect((await spark.tables()).filter(({ table }) => table !== 'score_landing')).toEqual(before.tables);
    // Whoever looks for the fault sees the others, by any of the ways that the docs name.
    for (const version of ["VERSION AS OF 'audit'", `VERSION AS OF ${audit}`]) {
      expect(differences(await trusted(version), rowsOf(bad))).toEqual(NONE);
    }
    const branch = 'SELECT player, score, team, playedAt FROM lake.lake.score_trusted.branch_audit';
    expect(differences(await rows(branch), rowsOf(bad))).toEqual(NONE);

    expect((await run(pipeline, better)).failures).toEqual([]);
    expect(differences(await trusted(), rowsOf(better))).toEqual(NONE);
    expect(Object.keys(await refs())).toEqual(['main']);
  });

  test('branches and tags of others stay, and keep no run from publishing', async () => {
    const { run, trusted, others } = lakeOf('others');
    const [first, ...later] = [1, 2, 3, 4].map((points) => [score('Ada Canary', points)]);
    expect((await run(game(), first as Score[])).failures).toEqual([]);
    for (const ref of ['BRANCH tried', 'TAG kept'])
      await others(`ALTER TABLE lake.lake.score_trusted CREATE ${ref}`);
    for (const scores of later) {
      expect((await run(game(), scores)).failures).toEqual([]);
      expect(differences(await trusted(), rowsOf(scores))).toEqual(NONE);
    }
    for (const ref of ['tried', 'kept'])
      expect(differences(await trusted(`VERSION AS OF '${ref}'`), rowsOf(first as Score[]))).toEqual(NONE);
  });

  test('a table that was never published is none where an expectation fails', async () => {
    const { run, rows, trusted, refs, spark } = lakeOf('never');
    const bad = [score('Eve Canary', 101)];
    const failed = await run(game([atMost(100, 'fail')]), bad);
    expect(failed.summary.outcome).toBe('failed');
    expect((await spark.tables()).map(({ table }) => table)).toEqual(['score_landing']);
    for (const sql of [
      'SELECT * FROM score_trusted',
      'SELECT 1 AS one WHERE EXISTS (SELECT 1 FROM score_trusted)',
      'WITH t AS (TABLE score_trusted) SELECT * FROM t',
    ]) {
      await expect(rows(sql)).rejects.toThrow(
        'table score_trusted was never published; the tables are score_landing, and <table>_quarantine of each',
      );
    }
    expect(differences(await trusted("VERSION AS OF 'audit'"), rowsOf(bad))).toEqual(NONE);
    expect(Object.keys(await refs())).toEqual(['audit']);
    // Nor does a job take it for an empty one.
    await expect(spark.run(game(), { only: ['score_open'] })).rejects.toThrow(
      'not published in this lake yet: score_trusted.',
    );
  });

  test('a source without a file, or whose folder is gone, fails its job and empties nothing', async () => {
    const { run, spark, trusted, data } = lakeOf('missing');
    const pipeline = game();
    const good = [score('Ada Canary', 7)];
    expect((await run(pipeline, good)).failures).toEqual([]);
    const folder = join(data, 'score', 'landing');
    for (const gone of [join(folder, 'part.json'), folder]) {
      await rm(gone, { recursive: true });
      // Without --data, which is looked at before anything runs.
      const { failures } = await spark.run(pipeline, {});
      expect(failures).toEqual([
        `score_landing: no file in ${folder}/; put the JSON files of the source there`,
      ]);
      expect(differences(await trusted(), rowsOf(good))).toEqual(NONE);
    }
  });

  test('a table of other columns takes the place of the old one when it is published, and not before', async () => {
    const jobs = join(dir, 'jobs-changed');
    await writeJobs(jobs);
    const { run, rows, trusted } = lakeOf('changed', jobs);
    const good = [score('Ada Canary', 7), score('Bob Canary', 8, 2)];
    expect((await run(game(), good)).failures).toEqual([]);
    const file = join(jobs, 'score_trusted.sql');
    await writeFile(file, SQL.score_trusted.replace('s.playedAt', 's.playedAt, s.score + 1 AS points'));
    const bad = await run(game([atMost(5, 'fail')], 'points'), [score('Eve Canary', 9)]);
    expect(bad.failures).toEqual([
      'score_trusted: expectation at_most_5 failed with 1 bad row',
      expect.stringContaining("is on score_trusted__next's branch audit"),
    ]);
    expect(differences(await trusted(), rowsOf(good))).toEqual(NONE);
    const next = [score('Eve Canary', 9)];
    expect((await run(game([], 'points'), next)).failures).toEqual([]);
    expect(await rows('SELECT player, points FROM score_trusted')).toEqual([['Eve Canary', '10']]);
    await writeFile(file, SQL.score_trusted);
    expect((await run(game(), good)).failures).toEqual([]);
    expect(differences(await trusted(), rowsOf(good))).toEqual(NONE);
  });

  test('rows that an expectation moves out are in quarantine and not in the table, until a run moves none', async () => {
    const { run, rows, trusted, refs, duckdb, data } = lakeOf('moving');
    const pipeline = game([atMost(100, 'quarantine'), { ...atMost(100, 'fail'), name: 'none_is_left' }]);
    const before = [score('Ada Canary', 1)];
    expect((await run(pipeline, before)).failures).toEqual([]);
    const { main } = await refs();

    const kept = [score('Bob Canary', 100, 2, 'red'), score('Cleo Canary', 1)];
    const moved = [score('Eve Canary', 101, 2), score('Eve Canary', 5, 3, 'red')];
    const uncounted = [score('Dan Canary', 0), score('Fay Canary', -1)];
    const refused = { player: 7, score: 1, day: 1 } as unknown as Score;
    const found = await run(pipeline, [...kept, ...moved, ...uncounted, refused]);
    expect(found.failures).toEqual([]);
    expect(differences(await trusted(), rowsOf(kept))).toEqual(NONE);
    // Whoever reads what was published before reads on.
    expect(differences(await trusted(`VERSION AS OF ${main}`), rowsOf(before))).toEqual(NONE);
    const counts = tableOf(found);
    expect(counts).toMatchObject({
      read: 6,
      filtered: 2,
      quarantined: 2,
      written: 2,
      reasons: { at_most_100: 2 },
    });
    expect(counts.read).toBe(counts.written + counts.filtered + counts.quarantined);

    const expected = await duckdb.run(pipeline, { data });
    expect(expected.failures).toEqual([]);
    for (const table of ['score_landing', 'score_trusted', 'score_open']) {
      expect(tableOf(found, table)).toEqual(tableOf(expected, table));
    }
    const quarantine = await rows('SELECT file, line, reason, raw FROM score_trusted_quarantine');
    expect(quarantine.map(([file, line, reason]) => [file, line, reason])).toEqual(
      moved.map(() => [null, null, 'at_most_100']),
    );
    expect(
      quarantine
        .map(([, , , raw]) => JSON.parse(raw as string))
        .map(({ player, score }: Record<string, unknown>) => `${player} ${score}`)
        .toSorted(),
    ).toEqual(['Eve Canary 101', 'Eve Canary 5']);
    expect(Object.keys(await refs())).toEqual(['main']);

    await run(pipeline, before);
    await duckdb.run(pipeline, { data });
    const reasons =
      'SELECT reason FROM score_landing_quarantine UNION ALL SELECT reason FROM score_trusted_quarantine';
    expect(await answer(duckdb, reasons)).toEqual([]);
    expect(await rows(reasons)).toEqual([]);
  });

  test('many runs, of which some fail, leave the files of two snapshots and no others', async () => {
    const { run, rows, trusted, refs, lake } = lakeOf('often');
    const noTeam = expectation({
      name: 'no_team',
      severity: 'fail',
      description: 'Everyone plays alone.',
      columns: ['player'],
      sql: (table) => `SELECT t.player FROM ${table} t WHERE t.team IS NOT NULL`,
    });
    const pipeline = game([noTeam, atMost(50, 'quarantine')]);
    const sets = {
      many: Array.from({ length: 40 }, (_, i) => score(`P ${i}`, 1 + i, 1 + (i % 4))),
      moved: [score('Ada Canary', 60), score('Bob Canary', 8, 2)],
      none: [score('Ada Canary', 0)],
      bad: [score('Eve Canary', 7, 1, 'red'), score('Ada Canary', 60, 5)],
    };
    for (const set of ['moved', 'bad', 'none', 'bad', 'many'] as const) {
      expect((await run(pipeline, sets[set])).failures.length > 0).toBe(set === 'bad');
    }

    expect(differences(await trusted(), rowsOf(sets.many))).toEqual(NONE);
    expect(Object.keys(await refs())).toEqual(['main']);
    const table = 'lake.lake.score_trusted';
    const paths = async (sql: string) =>
      (await rows(sql)).map(([path]) => path?.replace(`file:${folder}/`, ''));
    const folder = join(lake, 'spark', 'warehouse', 'lake', 'score_trusted');
    const lists = await paths(`SELECT manifest_list FROM ${table}.snapshots`);
    expect(lists.length).toBeLessThanOrEqual(2);
    const manifests = await paths(`SELECT DISTINCT path FROM ${table}.all_manifests`);
    const read = await paths(`SELECT DISTINCT file_path FROM ${table}.all_data_files`);

    const files = namesBelow(folder).filter((name) => statSync(join(folder, name)).isFile());
    const those = (pattern: RegExp) => files.filter((name) => pattern.test(name));
    const metadata = those(/^metadata\/v\d+\.metadata\.json$/);
    const data = those(/^data\/.*\.parquet$/);
    // The current one, and the ten before it.
    expect(metadata.length).toBeLessThanOrEqual(11);
    expect(those(/\.avro$/)).toEqual([...lists, ...manifests].toSorted());
    expect(data).toEqual(read.toSorted());
    const whole = [...metadata, ...data, ...those(/\.avro$/), 'metadata/version-hint.text'];
    // Hadoop writes the checksum of a file beside it.
    const sums = whole.map((name) => name.replace(/[^/]+$/, '.$&.crc'));
    expect([...whole, ...sums]).toEqual(expect.arrayContaining(files));
  });

  test('pseudonyms of values that are in no input are the same function of them', async () => {
    const { run, rows, lake } = lakeOf('hiding');
    const plain = [score('Ada Canary', 7, 1, 'réd'), score('Zoë Canary', 8, 2)];
    const made = [score('Ada Canary', 51, 1, 'réd'), score('Ada Canary', 50), score('Zoë Canary', 99, 2)];
    for (const scores of [plain, [...plain, ...made]]) {
      expect((await run(game(), scores)).failures).toEqual([]);
      const key = Buffer.from(readFileSync(join(lake, 'pseudonym.key'), 'utf8').trim(), 'hex');
      const hidden = (value: string) => createHmac('sha256', key).update(value).digest('hex');
      const expected = scores.map((row) => [
        hidden(row.score > 50 ? `☃ of ${row.player}` : row.player),
        row.team === undefined ? null : hidden(row.team),
        String(row.score),
      ]);
      expect(differences(await rows('SELECT who, team, score FROM score_open'), expected)).toEqual(NONE);
    }
  });

  test('rows of a driving source that have their pseudonym in the output are not filtered', async () => {
    const base = game();
    const jobs = join(dir, 'driven-jobs');
    await mkdir(jobs);
    await writeFile(join(jobs, 'score_trusted.sql'), SQL.score_trusted);
    await writeFile(
      join(jobs, 'score_open.sql'),
      `SELECT s.player AS who, s.team, s.score, s.playedAt FROM score_landing s
WHERE EXISTS (SELECT 1 FROM score_trusted t WHERE t.score > s.score)`,
    );
    const pipeline: Pipeline = {
      ...base,
      jobs: base.jobs.map((job) =>
        job.name === 'score_open'
          ? { ...job, inputs: [...base.sources, ...job.inputs], drivenBy: { player: 'who' } }
          : job,
      ),
    };
    const { run, duckdb, data } = lakeOf('driven', jobs);
    const found = await run(pipeline, [
      score('Ada Canary', 7),
      score('Bob Canary', 3),
      score('Zoë Canary', 0),
    ]);
    const expected = tableOf(await duckdb.run(pipeline, { data }), 'score_open');
    expect(expected).toMatchObject({ read: 3, filtered: 1, written: 2 });
    expect(tableOf(found, 'score_open')).toEqual(expected);
  });
});
