import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { accelerometerLanding } from '../../pipeline/landing';
import { temporaryDir } from '../../tests/support/lake';
import { soak } from '../../tests/support/soak';
import { openDatabase, parquetIn, rowsOf } from '../database';
import { quoteName } from '../sql';
import { oddLayouts, writeOneALine } from './layout';
import { SourceReader } from './reader';

const dir = temporaryDir('layout');
const table = accelerometerLanding;
const record = (n: number) => `{"user":"a@b.c","timestamp":17000000000${10 + n},"x":1.10,"y":2e0,"z":-${n}}`;
const [A, B, C] = [record(1), record(2), record(3)];
const BOM = '\ufeff';

let folders = 0;
function fileOf(content: string | Buffer, name = 'a.json'): string {
  const folder = join(dir, `${folders++}`);
  mkdirSync(folder);
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

/** What is odd about a file, and what it holds once it is written with one record a line. */
async function looked(content: string | Buffer, name?: string) {
  const path = fileOf(content, name);
  const layout = (await oddLayouts(table, [path])).get(path);
  const to = `${path}.new`;
  await writeOneALine(table, path, to);
  const bytes = readFileSync(to);
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
  return { lost: layout?.lost, records: layout?.records, details: layout?.details, text };
}

const all = `${A}\n${B}\n${C}\n`;

test.each<[string, string, number | undefined, string[], string]>([
  ['a record a line', all, undefined, [], all],
  ['without a last line end, with blank lines', `${A}\r\n\n ${B}\n${C}`, undefined, [], all],
  ['commas after the records', `${A},\n${B} ,\n${C}\n`, undefined, [], all],
  ['several on a line', `${A}${B} ${C}\n`, 2, ['2 records after another on the same line'], all],
  ['several with commas', `${A},${B}\n${C}\n`, 1, ['1 record after another on the same line'], all],
  [
    'an array on one line',
    `[${A},${B},${C}]`,
    3,
    ['2 records after another on the same line', '1 record after a bracket or a comma'],
    all,
  ],
  [
    'an array, a record a line',
    `[\n${A},\n${B},\n${C}\n]\n`,
    0,
    ['2 lines without a record, read as rows of NULLs'],
    all,
  ],
  ['commas before the records', `${A}\n,${B}\n,${C}`, 2, ['2 records after a bracket or a comma'], all],
  ['a byte-order mark', `${BOM}${A}\n${B}\n${C}\n`, 1, ['1 record after a byte-order mark'], all],
  [
    'pretty-printed',
    `${A.replace(',', ',\n  ')}\n${B}\n${C.replace('}', '\n}')}\n`,
    2,
    ['2 records over several lines'],
    `${A.replace(',', ', ')}\n${B}\n${C.replace('}', ' }')}\n`,
  ],
  [
    'a broken record among them',
    `${A}\n{"user":\n${B}${C}\n`,
    1,
    ['1 record after another on the same line'],
    `${A}\n{"user":\n${B}\n${C}\n`,
  ],
  [
    'broken lines alone',
    `${A}\n{"user\n{"x":1} more\nno\n`,
    undefined,
    [],
    `${A}\n{"user\n{"x":1} more\nno\n`,
  ],
  [
    'records that the contract refuses',
    `[{"x":1.10},{"user":"u"}]\n${A}`,
    2,
    ['1 record after another on the same line', '1 record after a bracket or a comma'],
    `{"x":1.10}\n{"user":"u"}\n${A}\n`,
  ],
  [
    'text before a record is no record',
    `oops ${A}\n${B}${C}\n`,
    1,
    ['1 record after another on the same line'],
    `oops ${A}\n${B}\n${C}\n`,
  ],
])('%s', async (_name, content, lost, details, text) => {
  const found = await looked(content);
  expect(found).toMatchObject({ lost, text });
  expect(found.details ?? []).toEqual(details);
  expect((await looked(gzipSync(content), 'a.json.gz')).text).toBe(text);
});

test('bytes that are no UTF-8 stay as they are', async () => {
  const broken = Buffer.from([0x7b, 0xff, 0xfe, 0x7d]);
  const path = fileOf(Buffer.concat([Buffer.from(`${A}${B}\n`), broken, Buffer.from('\n')]));
  await writeOneALine(table, path, `${path}.new`);
  const expected = Buffer.concat([Buffer.from(`${A}\n${B}\n`), broken, Buffer.from('\n')]);
  expect(readFileSync(`${path}.new`)).toEqual(expected);
});

test('files that are refused as a whole are left alone', async () => {
  const paths = [fileOf(gzipSync(A).subarray(0, 20), 'a.json.gz'), fileOf(A, 'b.json.gz')];
  expect((await oddLayouts(table, paths)).size).toBe(0);
});

test('a large array is looked at in pieces, also where it is one line', async () => {
  const filler = 'x'.repeat(1000);
  const records = Array.from({ length: 18_000 }, (_, i) => record(i).replace('a@b.c', filler));
  for (const [between, lost] of [
    [',', records.length],
    [',\n  ', 1],
  ] as const) {
    const path = fileOf(`[${records.join(between)}]`);
    const layout = (await oddLayouts(table, [path])).get(path);
    expect(layout).toMatchObject({ records: records.length, lost, canRewrite: true });
    await writeOneALine(table, path, `${path}.new`);
    expect(readFileSync(`${path}.new`, 'utf8') === `${records.join('\n')}\n`).toBe(true);
  }
});

test('one that has a line too long to be looked at is named, and not to be rewritten', async () => {
  const path = fileOf(`${A}${B}\n${'x'.repeat(17 << 20)}\n`);
  expect((await oddLayouts(table, [path])).get(path)).toMatchObject({ lost: 1, canRewrite: false });
});

/** What the contract gives of a file. */
async function reading(path: string) {
  const db = await openDatabase();
  try {
    const to = `${path}.rows`;
    const reader = SourceReader.into(to, db, table, join(path, '..'));
    const { accepted, refused } = await reader.read([path]);
    const rows =
      accepted === 0
        ? []
        : await rowsOf(
            db,
            `SELECT ${Object.keys(table.columns).map(quoteName)} FROM ${parquetIn(to)} ORDER BY ALL`,
          );
    const raws = await rowsOf<{ reason: string }>(db, `SELECT reason FROM (${reader.refused}) ORDER BY ALL`);
    return { rows, refused, reasons: raws.map(({ reason }) => reason) };
  } finally {
    db.closeSync();
  }
}

/** What Athena's SerDe makes of lines: the object that each begins with. */
const objectsOfLines = (text: string) =>
  text.split('\n').flatMap((line) => {
    const start = line.trimStart();
    if (!line.startsWith(BOM) && start.startsWith('{'))
      for (let end = start.indexOf('}'); end >= 0; end = start.indexOf('}', end + 1))
        try {
          return [JSON.parse(start.slice(0, end + 1)) as unknown];
        } catch {}
    return [];
  });

/** What may stand between records and tokens. */
const AROUND = /[\s,[\]\ufeff]/g;

test('whatever the file: the same records are read, and Athena loses none that it could read', async () => {
  const good = fc.nat(50).map((n) => record(n));
  const spread = good.map((text) => text.replaceAll(',', ',\n  ').replace('{', '{\n  '));
  const nested = good.map((text) => text.replace('}', ',"more":[{"a":1}\n  ,{"a":"]}, {"}]}'));
  const refused = fc.constantFrom('{"x":1}', '{"user":"u","x":{"a":[1,2]}}');
  const separator = fc.constantFrom('\n', '\r\n', ' ', ',', ',\n', '\n\n', `\n${BOM}`, '\n, ');
  const broken = fc.constantFrom('\n{"user":1,\n', '\n{"a" 1}\n', '\nno JSON\n', '');
  const entry = fc.tuple(
    fc.oneof({ weight: 3, arbitrary: good }, spread, nested, refused),
    separator,
    fc.oneof({ weight: 4, arbitrary: fc.constant('') }, broken),
  );
  const file = fc.record({
    entries: fc.array(entry, { minLength: 1, maxLength: 6 }),
    isArray: fc.boolean(),
    isMarked: fc.boolean(),
  });
  let odd = 0;
  await fc.assert(
    fc.asyncProperty(file, async ({ entries, isArray, isMarked }) => {
      const text = entries.map((parts) => parts.join('')).join('');
      const content = `${isMarked ? BOM : ''}${isArray ? `[${text.replace(/[\s,\ufeff]+$/, '')}]` : text}`;
      const path = fileOf(content);
      const to = fileOf('', 'new.json');
      await writeOneALine(table, path, to);
      const written = readFileSync(to, 'utf8');
      expect(written).not.toContain(BOM);
      const before = await reading(path);
      const after = await reading(to);
      const hasBroken = entries.some(([, , broken]) => broken !== '');
      // What stands apart from a broken text may be read: then there are more rows, never fewer.
      if (hasBroken) expect(after.rows).toEqual(expect.arrayContaining(before.rows));
      else expect(after).toEqual(before);
      expect(written.replaceAll(AROUND, '')).toBe(content.replaceAll(AROUND, ''));
      const layout = (await oddLayouts(table, [path])).get(path);
      if (layout && layout.lost > 0) odd++;
      const again = (await oddLayouts(table, [to])).get(to);
      expect(again?.lost ?? 0).toBe(0);
      if (layout) expect(objectsOfLines(written).length).toBeGreaterThanOrEqual(layout.records);
    }),
    { numRuns: soak(20) },
  );
  expect(odd).toBeGreaterThan(10);
});
