import { appendFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readingOf } from '../../model';
import { accelerometerLanding as readings, stepTrainerLanding as steps } from '../../pipeline/landing';
import { type Outcome, readingTests } from '../../tests/support/reading';
import { LakeError } from '../engine';
import { sourceOf } from './arbitraries';
import { SourceReader } from './reader';

const { read, write, db } = readingTests();
const { pieceBytes } = readingOf(readings);

const START = 1655564376361;
const sample = (i: number) => ({
  user: 'a@example.com',
  timestamp: START + 1000 * i,
  x: 0.5,
  y: -1.25,
  z: 0.5,
});
const reading = (i: number) => JSON.stringify(sample(i));
const step = (i: number) =>
  JSON.stringify({ sensorReadingTime: START + 1000 * i, serialNumber: 'sn-1', distanceFromObject: 200 + i });
const of = (count: number, record: (i: number) => string, from = 0) =>
  Array.from({ length: count }, (_, i) => record(from + i));

const instants = ({ rows }: Outcome) =>
  rows
    .map((row) => (Number(row.timestamp ?? row.sensorReadingTime) - START) / 1000)
    .toSorted((a, b) => a - b);
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);
const places = ({ refused }: Outcome) =>
  refused.map(({ file, line, record, reason }) => [file, line, record, reason]);

describe('files in shapes from the field', () => {
  const pretty = (i: number) => JSON.stringify(sample(i), null, 2);
  const FILES: readonly (readonly [name: string, text: string])[] = [
    ['array on one line', `[${of(10, reading).join(',')}]`],
    ['pretty-printed array', JSON.stringify(upTo(10).map(sample), null, 2)],
    ['pretty-printed objects', of(10, pretty).join('\n')],
    [
      'byte-order marks where files were joined',
      `\ufeff${of(5, reading).join('\n')}\n\ufeff${of(5, reading, 5).join('\n')}\n`,
    ],
    ['one more key', of(10, reading).join('\n').replaceAll('}', ',"firmware":"2.1.0"}')],
    [
      'nested keys',
      of(10, reading).join('\n').replaceAll('}', ',"meta":{"list":[{"user":"}{"},[1,{"x":2}]]}}'),
    ],
    [
      'other order',
      upTo(10)
        .map((i) => `{"z":0.5,"y":-1.25,"x":0.5,"timestamp":${START + 1000 * i},"user":"a@example.com"}`)
        .join('\n'),
    ],
    ['alias', of(10, reading).join('\r\n').replaceAll('timestamp', 'timeStamp')],
    ['other case', of(10, reading).join('\n').replaceAll('"x"', '"X"').replaceAll('"user"', '"USER"')],
    ['escapes and blank lines', of(10, reading).join('\n\n \n').replaceAll('a@', '\\u0061@')],
    [
      'objects of many keys that no contract names',
      of(10, reading)
        .join('\n')
        .replaceAll(
          '}',
          `${upTo(300)
            .map((k) => `,"k${k}":${k}`)
            .join('')}}`,
        ),
    ],
    [
      'a key for each record',
      upTo(10)
        .map((i) => reading(i).replace('}', `,"k${i}":"v"}`))
        .join('\n'),
    ],
  ];

  test.each(FILES)('%s', async (_, text) => {
    const outcome = await read(readings, { 'a.json': text, 'b.json.gz': gzipSync(text) });
    expect(outcome.refused).toEqual([]);
    expect(instants(outcome)).toEqual(upTo(10).flatMap((i) => [i, i]));
    for (const row of outcome.rows)
      expect(row).toMatchObject({ user: 'a@example.com', x: 0.5, y: -1.25, z: 0.5 });
  });

  test('objects without a line end, as Firehose writes them, also behind lines and with commas', async () => {
    const outcome = await read(steps, {
      'concatenated.json': of(40, step).join(''),
      'mixed.json': `${of(20, step, 40).join('\n')}\n${of(20, step, 60).join(',')}`,
    });
    expect(outcome.refused).toEqual([]);
    expect(instants(outcome)).toEqual(upTo(80));
    expect(
      outcome.rows.every(
        (row) => row.distanceFromObject === 200 + (Number(row.sensorReadingTime) - START) / 1000,
      ),
    ).toBe(true);
  });

  test('whole numbers with a fraction of nothing or an exponent', async () => {
    const texts = ['1655564376361.0', '1.655564377361E12', '1655564378361.5'];
    const lines = texts.map((text, i) => reading(i).replace(/\d{13}/, text));
    const outcome = await read(readings, { 'a.json': lines.join('\n') });
    expect(instants(outcome)).toEqual([0, 1]);
    expect(places(outcome)).toEqual([['a.json', 3, null, 'WRONG_TYPE']]);
  });

  test('NaN is named with its place', async () => {
    const lines = of(41, reading);
    lines[20] = (lines[20] as string).replace('-1.25', 'NaN');
    const outcome = await read(readings, { 'a.json': lines.join('\n') });
    expect(outcome.refused).toEqual([
      {
        file: 'a.json',
        line: 21,
        record: null,
        reason: 'WRONG_TYPE',
        detail: 'y is NaN, which is no number in JSON',
        raw: lines[20],
      },
    ]);
    expect(outcome.landed).toMatchObject({ read: 41, accepted: 40, failure: null });
  });

  test('30,000 objects on one line beside 28,000 good lines', async () => {
    const outcome = await read(readings, {
      'a.json': `${of(28_000, reading).join('\n')}\n`,
      'b.json': of(30_000, reading, 28_000).join(''),
      'c.json': `${of(1000, reading, 58_000).join('\n')}\n${of(30_000, reading, 59_000).join(', ')}`,
    });
    expect(outcome.refused).toEqual([]);
    expect(instants(outcome)).toEqual(upTo(89_000));
  });

  test.each([
    ['an array', (records: object[]) => JSON.stringify(records, null, 2)],
    ['records on end', (records: object[]) => records.map((one) => JSON.stringify(one, null, 2)).join(' ')],
  ])(
    'a large pretty-printed file with one bad record: %s',
    async (_, write) => {
      const records = of(45_000, reading).map((line) => JSON.parse(line) as object);
      const text = write(records.with(100, { ...records[100], x: 99 }));
      // More than one piece of usual size.
      expect(text.length).toBeGreaterThan(4 << 20);
      const outcome = await read(readings, { 'a.json': text });
      expect(outcome.refused.map(({ reason }) => reason)).toEqual(['OUT_OF_RANGE']);
      expect(outcome.rows).toHaveLength(44_999);
    },
    60_000,
  );

  test.each([
    ['a form feed between tokens', reading(1).replace('{', '{\f'), 'NOT_JSON'],
    ['a record separator in a text', reading(1).replace('a@', 'a\x1e@'), 'NOT_JSON'],
  ])('%s is no JSON', async (_, line, reason) => {
    const outcome = await read(readings, { 'a.json': `${reading(0)}\n${line}\n${reading(2)}\n` });
    expect(outcome.refused.map((one) => [one.line, one.reason])).toEqual([[2, reason]]);
    expect(instants(outcome)).toEqual([0, 2]);
  });

  test('folders that are named as columns', async () => {
    const line = reading(0).replace('a@', '\\u0061@');
    const outcome = await read(readings, { 'content=1/a.json': line, 'filename=b/c.json': line });
    expect(outcome.refused).toEqual([]);
    expect(instants(outcome)).toEqual([0, 0]);
  });
});

describe('files that are no text', () => {
  const good = `${of(20, reading).join('\n')}\n`;
  const bytes = (hex: string) => Buffer.concat([Buffer.from(hex, 'hex'), Buffer.from(good)]);
  const packed = gzipSync(good);
  const damaged = Buffer.from(packed);
  damaged.fill(0x55, 40, 60);
  test.each([1, 9000])('a file of %d blank lines is empty, packed or not', async (count) => {
    const blank = ' \n'.repeat(count);
    const outcome = await read(readings, {
      'a.json': blank,
      'b.json.gz': gzipSync(blank),
      'c.json': blank + good,
      'd.json.gz': gzipSync(blank + good),
    });
    expect(outcome.landed).toMatchObject({ read: 40, accepted: 40, refused: 0, reasons: { EMPTY_FILE: 2 } });
    expect(places(outcome).toSorted()).toEqual([
      ['a.json', null, null, 'EMPTY_FILE'],
      ['b.json.gz', null, null, 'EMPTY_FILE'],
    ]);
  });

  test.each([
    ['it is a zip archive', 'a.json', bytes('504b0304')],
    ['it is packed with bzip2', 'a.json.bz2', bytes('425a68')],
    ['it is packed with zstd', 'a.json', bytes('28b52ffd')],
    ['it is Parquet', 'a.json', bytes('50415231')],
    ['it is UTF-16 text', 'a.json', Buffer.from(`\ufeff${good}`, 'utf16le')],
    ['it is UTF-16 text', 'a.json', Buffer.from(good, 'utf16le')],
    ['its name does not end in .gz', 'a.json', packed],
    ['it is not packed with gzip', 'a.json.gz', Buffer.from(good)],
    ['packed with gzip twice', 'a.json.gz', gzipSync(packed)],
    ['it is cut off', 'a.json.gz', packed.subarray(0, -20)],
    ['its bytes are damaged', 'a.json.gz', damaged],
    ['its bytes are damaged', 'a.json.gz', Buffer.concat([packed, Buffer.from('\0\0more')])],
    ['CSV or another table', 'a.csv', 'user,x\na@example.com,1\n'],
    ['XML or HTML', 'a.json', '<html>'],
    ['text without any JSON object', 'a.json', 'Access denied'],
    ['text without any JSON object', 'a.json', `${' \n'.repeat(5000)}Access denied`],
  ] as const)('%s: %s fails the run, which names it', async (why, name, content) => {
    const others = upTo(8).map((i) => [`good-${i}.json`, good]);
    const outcome = await read(readings, { ...Object.fromEntries(others), [name]: content });
    expect(outcome.landed).toMatchObject({ read: 160, accepted: 160, refused: 0 });
    expect(places(outcome)).toEqual([[name, null, null, 'UNREADABLE_FILE']]);
    expect(outcome.landed.failure).toContain('1 file cannot be read.');
    expect(outcome.landed.failure).toContain(`\n  ${name}: UNREADABLE_FILE, `);
    expect(outcome.landed.failure).toContain(why);
  });

  test('all of them are named, before refused records', async () => {
    const files = Object.fromEntries(upTo(5).map((i) => [`z${i}.json`, bytes('504b0304')]));
    const { landed } = await read(readings, { ...files, 'a.json': '{"user":1}\n{}' });
    expect(landed.failure?.split('\n').map((line) => /^ {2}(\S+):/.exec(line)?.[1])).toEqual([
      undefined,
      ...Object.keys(files),
    ]);
  });
});

describe('how much may be refused', () => {
  const table = { ...readings, maxQuarantinedShare: 0.05 };
  test.each([
    [
      'records',
      [...of(18, reading), '{"user":"a"}', '{}'],
      '2 of 20 records are refused, 10 %, which are 1 % of the bytes; the limit is 5 %.',
    ],
    [
      'bytes',
      [...of(99, reading), `{"user":"${'x'.repeat(5000)}"}`],
      '1 of 100 records are refused, 1 %, which are 39.7 % of the bytes; the limit is 5 %.',
    ],
    [
      'records, a half rounded up',
      [...of(15, reading), '{}'],
      '1 of 16 records are refused, 6.3 %, which are 0.2 % of the bytes; the limit is 5 %.',
    ],
    ['neither', [...of(99, reading), '{}'], null],
  ])('by %s, whichever is larger', async (_, lines, said) => {
    const { landed } = await read(table, { 'a.json': lines.join('\n') });
    if (said === null) expect(landed.failure).toBeNull();
    else
      expect(landed.failure).toMatch(
        new RegExp(`^${said.replaceAll('.', '\\.')} The table accelerometer_landing_quarantine `),
      );
  });

  test('the first are named by place, without a value', async () => {
    const { landed } = await read(table, {
      'b.json': '{"user":"secret"}{}',
      'a.json': '\n{"user":"secret","x":"secret"}\n{"secret',
    });
    expect(landed.failure?.split('\n').slice(1)).toEqual([
      '  a.json, line 2: MISSING_REQUIRED, timestamp is missing',
      '  a.json, line 3: TRUNCATED, the object is not closed',
      '  b.json, line 1, record 1: MISSING_REQUIRED, timestamp is missing',
    ]);
    expect(landed.failure).not.toContain('secret');
  });
});

describe('odd bytes', () => {
  const lines = (...texts: (string | Buffer)[]) =>
    Buffer.concat(texts.flatMap((text) => [Buffer.from(text), Buffer.from('\n')]));
  const latin1 = Buffer.from(reading(1).replace('a@', 'é@'), 'latin1');
  test.each([
    ['no UTF-8', latin1, 'INVALID_ENCODING', latin1.toString()],
    ['a NUL', reading(1).replace('a@', '\0@'), 'NOT_JSON', reading(1).replace('a@', '\0@')],
    ['a NUL as an escape', reading(1).replace('a@', '\\u0000@'), 'INVALID_ENCODING', undefined],
    ['half a surrogate pair', reading(1).replace('a@', '\\ud83d@'), 'INVALID_ENCODING', undefined],
    ['a control character', reading(1).replace('a@', '\u0001@'), 'NOT_JSON', undefined],
    [
      'half a surrogate pair in bytes',
      Buffer.concat([Buffer.from('{"user":"'), Buffer.from('eda0bd', 'hex'), Buffer.from('"}')]),
      'INVALID_ENCODING',
      undefined,
    ],
  ] as const)('%s: its line alone is refused', async (_, bad, reason, raw) => {
    const outcome = await read(readings, { 'a.json': lines(reading(0), bad, reading(1)) });
    expect(instants(outcome)).toEqual([0, 1]);
    expect(places(outcome)).toEqual([['a.json', 2, null, reason]]);
    if (raw !== undefined) expect(outcome.refused[0]?.raw).toBe(raw);
  });

  test('text keeps its characters and numbers their value to the last one, in every way of reading', async () => {
    const column = { description: '', aliases: [], nullable: true };
    const table = sourceOf({
      d: { ...column, type: 'double' },
      i: { ...column, type: 'int' },
      t: { ...column, type: 'text' },
    });
    const doubles = [
      '0.1',
      '-0.0',
      '0',
      '5e-324',
      '2.2250738585072014e-308',
      '1.7976931348623157e308',
      '-1.7976931348623157E+308',
    ];
    doubles.push(
      '0.30000000000000004',
      '123456789012345.67890123456789012345',
      '9007199254740993',
      '123456789012345678901234567890',
    );
    doubles.push(
      `0.${'0'.repeat(320)}12345`,
      `1${'0'.repeat(300)}`,
      '1e23',
      '8.41e21',
      '18446744073709551616',
      '-9223372036854775809',
    );
    const ints = ['0', '-1', '999999999999999', '9007199254740991', '-9007199254740991'];
    const texts = [
      '',
      ' ',
      '\x7f',
      '\u2028\u2029',
      '\ufeff',
      '\u{1f600}',
      'null',
      '1',
      "'",
      '-',
      'x'.repeat(100_000),
    ];
    const all = [
      ...doubles.map((d) => `{"d":${d},"i":1,"t":"t"}`),
      ...ints.map((i) => `{"d":1,"i":${i},"t":"t"}`),
      ...texts.map((t) => `{"d":1,"i":1,"t":${JSON.stringify(t)}}`),
    ];
    const expected = all.map((line) => JSON.stringify(JSON.parse(line)).replace('-0', '0')).toSorted();
    for (const text of [
      all.join('\n'),
      `${all.join('\n')}\n{"t":"\\n"}`,
      `[${all.join(',\n')}]`,
      `${all.join('\n')},`,
    ]) {
      const { rows, refused } = await read(table, { 'a.json': text });
      expect(refused).toEqual([]);
      const found = rows
        .filter(({ t }) => t !== '\n')
        .map((row) => JSON.stringify(row))
        .toSorted();
      expect(found).toEqual(expected);
    }
  });

  test('a refused record is kept to 65,536 characters', async () => {
    const bad = (size: number) => `{"user":"${'é'.repeat(size - 11)}"}`;
    const { refused } = await read(readings, {
      'a.json': lines(bad(65_536), bad(65_537), `${bad(70_000)}{}`),
    });
    expect(refused.map(({ raw }) => raw.length)).toEqual([65_536, 65_536, 65_536, 2]);
    expect(refused[0]?.raw).toBe(bad(65_536));
    expect(refused[1]?.raw).toBe(bad(65_537).slice(0, 65_536));
  });
});

test('indented records on adjacent lines are each refused on their own line, whatever stands above', async () => {
  const twice = (i: number) => ` ${reading(i).slice(0, -1)},"user":"b"},`;
  const outcome = await read(readings, {
    'a.json': [
      twice(0).trim(),
      ...['[', `${reading(1)},`, reading(2), ']'],
      ...[` ${reading(3)},`, twice(4), twice(5), '[1,{}]'],
    ].join('\n'),
  });
  expect(instants(outcome)).toEqual([1, 2, 3]);
  expect(places(outcome)).toEqual([
    ['a.json', 1, null, 'DUPLICATE_KEY'],
    ['a.json', 7, null, 'DUPLICATE_KEY'],
    ['a.json', 8, null, 'DUPLICATE_KEY'],
    ['a.json', 9, 1, 'NOT_AN_OBJECT'],
    ['a.json', 9, 2, 'MISSING_REQUIRED'],
  ]);
});

describe('lines longer than a piece', () => {
  const long = (before: string) => `${before.slice(0, -1)},"pad":"${'.'.repeat(pieceBytes + 1000)}"}`;

  test('with a fault: refused, and all others are read, with their numbers', async () => {
    const outcome = await read(readings, {
      'a.json': `${reading(0)}\n${reading(1)},\n${long('{"user":"a"}')}\n${reading(2)}\n{}\n${reading(3)}`,
    });
    expect(instants(outcome)).toEqual([0, 1, 2, 3]);
    expect(places(outcome)).toEqual([
      ['a.json', 3, null, 'LINE_TOO_LONG'],
      ['a.json', 5, null, 'MISSING_REQUIRED'],
    ]);
    expect(outcome.refused[0]?.raw).toHaveLength(65_536);
    expect(outcome.landed.refusedBytes).toBe(long('{"user":"a"}').length + 2);
    expect(outcome.landed.failure).toContain('100 % of the bytes');
  });

  test('of many objects: read, and a refused one by its number in the file', async () => {
    const count = Math.ceil((pieceBytes * 1.1) / reading(0).length);
    const records = of(count, reading);
    records[count - 2] = '{"user":"a"}';
    const outcome = await read(readings, { 'a.json': records.join(''), 'b.json': `${reading(count)}\n{}\n` });
    expect(outcome.landed).toMatchObject({ read: count + 2, accepted: count });
    expect(places(outcome)).toEqual([
      ['a.json', null, count - 1, 'MISSING_REQUIRED'],
      ['b.json', 2, null, 'MISSING_REQUIRED'],
    ]);
  });
});

test.each([
  ['grows', (path: string) => appendFileSync(path, `${reading(3)}\n`)],
  [
    'gets other lines, as many as before',
    (path: string) => writeFileSync(path, `${of(3, reading, 5).join('\n')}\n`),
  ],
  [
    'gets other lines at the time that it had',
    (path: string) => {
      writeFileSync(path, `${of(3, reading, 5).join('\n')}\n`);
      utimesSync(path, 1, 1);
    },
  ],
])('a file that %s while it is read fails the run, which names it', async (_, change) => {
  for (const text of [of(3, reading).join('\n'), of(3, reading).join(',\n')]) {
    const root = await write({ 'a.json': `${text}\n`, 'b.json': `${text}\n` });
    const reader = new SourceReader(db(), readings, root);
    const run = jest.spyOn(db(), 'run');
    // Files are named to DuckDB, or cut into pieces, once they were looked at.
    run.mockImplementation(async (sql, ...values) => {
      if (
        /^SET VARIABLE _files|^CREATE OR REPLACE TEMP TABLE _sent/.test(sql) &&
        run.mock.calls.filter(([s]) => s === sql).length === 1
      )
        change(join(root, 'b.json'));
      return Object.getPrototypeOf(db()).run.call(db(), sql, ...values);
    });
    try {
      const error = await reader.read([join(root, 'a.json'), join(root, 'b.json')]).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(LakeError);
      expect((error as Error).message).toBe(
        `changed while it was read: ${join(root, 'b.json')}. Nothing of it is published; run again once it is written`,
      );
    } finally {
      run.mockRestore();
    }
  }
});
