import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FORMATS } from '../../model/format';
import { lake as pipeline } from '../../pipeline';
import type { ErasurePart } from '../engine';
import { SparkEngine } from './engine';
import type { Answer } from './runner';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'spark-engine-test-'));
  mkdirSync(join(root, 'spark'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** What a forget warns of where its last run read 10 rows of the customers, and Spark answers so. */
async function warningsOf(rows: number, removed: number) {
  const customers = {
    version: FORMATS.manifest,
    source: { location: 'file:/data/customer/landing/', columns: {} },
    runId: 'r',
    rows: 10,
  };
  writeFileSync(join(root, 'spark', 'sources.json'), JSON.stringify({ customer_landing: customers }));
  const part: ErasurePart = {
    places: removed > 0 ? [{ table: 'customer_landing', kind: 'files', engine: 'spark', removed }] : [],
    remade: [],
    seconds: 1,
    sharedDevices: 0,
    oldVersions: 0,
    unread: [],
    warnings: ['w'],
  };
  const answer: Answer = { kind: 'forgotten', rows: { customer_landing: rows }, part };
  const startRunner = () => ({
    async *ask() {
      yield answer;
    },
    stop: async () => undefined,
  });
  const engine = new SparkEngine({ lake: root, jobs: root, startRunner });
  const request = { subject: 'a@b.c', dryRun: false, key: Buffer.alloc(32) };
  return (await engine.forget(pipeline, request)).warnings;
}

test('rows of others that are in no file any more are told, as their tables lose them', async () => {
  expect(await warningsOf(7, 1)).toEqual([
    'w',
    'customer_landing: 2 rows of others that were read last are in no file of /data/customer/landing/ now, and in no table; put the files back and run again',
  ]);
});

test.each([
  [9, 1],
  [12, 0],
  // Of who was on the list before.
  [8, 4],
])('%i rows and %i that were left out are all that was there', async (rows, removed) => {
  expect(await warningsOf(rows, removed)).toEqual(['w']);
});
