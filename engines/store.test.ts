import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LakeError, type RunSummary, UsageError } from './engine';
import { newRunId } from './run-id';
import { Store } from './store';

let root: string;
let store: Store;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'store-test-'));
  store = new Store(root);
});
afterEach(() => rmSync(root, { recursive: true }));

const put = (...parts: string[]) => {
  mkdirSync(join(root, ...parts, '..'), { recursive: true });
  writeFileSync(join(root, ...parts), '{}');
};

const summaryOf = (outcome: RunSummary['outcome']): RunSummary => ({
  version: 1,
  runId: newRunId(),
  outcome,
  codeVersion: '1.0.0',
  parameters: {},
  seconds: 1,
  tables: [],
});

test('run ids sort by time', () => {
  const instants = [
    new Date('2026-01-01T00:00:00.000Z'),
    new Date('2026-01-01T00:00:00.001Z'),
    new Date('2026-10-01'),
  ];
  const ids = instants.map((instant) => newRunId(instant));
  expect([...ids].reverse().sort()).toEqual(ids);
});

test('a sweep leaves what is published and what no lake has made', async () => {
  const [old, current] = [newRunId(new Date(1e12)), newRunId(new Date(2e12))];
  put('versions', old, 'a', 'part-0.parquet');
  put('versions', old, 'b', 'part-0.parquet');
  put('versions', old, 'quarantine', 'a.parquet');
  put('versions', old, 'quarantine', 'b.parquet');
  put('versions', old, 'scratch', 'x');
  put('versions', current, 'b', 'part-0.parquet');
  const killed = newRunId(new Date(3e12));
  put('versions', killed, 'a', 'part-0.parquet');
  await store.writeSummary(killed, summaryOf('published'));
  const failed = newRunId(new Date(3.1e12));
  await store.writeSummary(failed, summaryOf('failed'));
  await store.writeSummary(current, summaryOf('published'));
  put('runs', `${failed}.json.tmp`);
  put('current.json.tmp');
  for (const foreign of [
    ['versions', 'mine', 'x'],
    ['runs', 'notes.txt'],
    ['sample', 'x'],
  ])
    put(...foreign);
  await store.publish({
    runId: current,
    tables: { a: { runId: old, rows: 1 }, b: { runId: current, rows: 2 } },
  });

  await store.sweep();

  const names = (readdirSync(root, { recursive: true }) as string[])
    .filter((name) => !statSync(join(root, name)).isDirectory())
    .sort();
  expect(names).toEqual(
    [
      'current.json',
      `runs/${current}.json`,
      `runs/${failed}.json`,
      'runs/notes.txt',
      'sample/x',
      `versions/${old}/a/part-0.parquet`,
      `versions/${old}/quarantine/a.parquet`,
      `versions/${current}/b/part-0.parquet`,
      'versions/mine/x',
    ].sort(),
  );
});

test.each([
  ['nonsense'],
  ['{}'],
  ['{"runId": "../../etc", "tables": {}}'],
  ['{"runId": "20260101T000000000Z-0000", "tables": {"a": {"runId": "..", "rows": 1}}}'],
])('a pointer that is none of ours is not followed: %s', async (text) => {
  writeFileSync(join(root, 'current.json'), text);
  await expect(store.pointer()).rejects.toThrow(LakeError);
});

test('a folder with other things is no lake, and is left alone', async () => {
  put('thesis.tex');
  await expect(store.hold(async () => 'worked')).rejects.toThrow(UsageError);
  expect(readdirSync(root)).toEqual(['thesis.tex']);
  rmSync(join(root, 'thesis.tex'));
  put('.hidden');
  await expect(store.hold(async () => 'worked')).resolves.toBe('worked');
});

test('a lake serves one run at a time, and is free again after a run that throws', async () => {
  const other = new Store(root);
  await expect(
    store.hold(async () => {
      await expect(other.hold(async () => undefined)).rejects.toThrow(/another run is going on/);
      throw new Error('mine');
    }),
  ).rejects.toThrow('mine');
  await expect(other.hold(async () => 'worked')).resolves.toBe('worked');
});

test('a damaged lock is told, not taken for a run that goes on', async () => {
  put('lock.duckdb');
  await expect(store.hold(async () => undefined)).rejects.toThrow(
    /lock\.duckdb cannot be opened.*remove the file/,
  );
});

test('the key is made once, for its owner only, and a damaged one is not replaced', async () => {
  const key = await store.pseudonymKey();
  expect(key).toHaveLength(32);
  expect(await new Store(root).pseudonymKey()).toEqual(key);
  expect(statSync(join(root, 'pseudonym.key')).mode & 0o777).toBe(0o600);
  writeFileSync(join(root, 'pseudonym.key'), 'short');
  await expect(store.pseudonymKey()).rejects.toThrow(/should hold 64 hex digits/);
  expect(existsSync(join(root, 'pseudonym.key'))).toBe(true);
});

test('a version in a folder of its own is what is published, and a sweep leaves it', async () => {
  const [made, forgotten, failed] = [1e12, 2e12, 1.5e12].map((at) => newRunId(new Date(at))) as [
    string,
    string,
    string,
  ];
  for (const id of [made, forgotten]) {
    put('versions', id, 'a', 'part-0.parquet');
    put('versions', id, 'quarantine', 'a.parquet');
  }
  put('versions', failed, 'quarantine', 'b.parquet');
  put('versions', failed, 'quarantine', 'b.parquet.tmp');
  await store.writeSummary(failed, summaryOf('failed'));
  put('receipts', 'x.json');
  put('receipts', 'y.json.tmp');
  const version = { runId: made, folder: forgotten, rows: 1 };
  await store.publish({ runId: made, tables: { a: version } });

  expect(await store.pointer()).toEqual({ runId: made, tables: { a: version } });
  const quarantines = () => store.pointer().then((pointer) => store.quarantines(pointer));
  expect(await quarantines()).toEqual(
    new Map([
      ['a', store.quarantineFile(forgotten, 'a')],
      ['b', store.quarantineFile(failed, 'b')],
    ]),
  );
  await store.sweep();
  expect(readdirSync(join(root, 'receipts'))).toEqual(['x.json']);
  expect(readdirSync(join(root, 'versions'))).toEqual([forgotten]);
  expect([...(await quarantines()).keys()]).toEqual(['a']);
});

test('a pointer to a folder that is none of ours is damaged', async () => {
  const runId = newRunId();
  await store.publish({ runId, tables: { a: { runId, folder: '../../x', rows: 1 } } });
  await expect(store.pointer()).rejects.toThrow(/is not the pointer of a lake/);
});
