import { isUtf8 } from 'node:buffer';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { lake } from '../../pipeline';
import { accelerometerLanding, customerLanding } from '../../pipeline/landing';
import { appliesTo, ENTITIES, type Entity, FAULT_KINDS, spoil } from '../../samples';
import { nearlyPlainLine, sourceOf } from './arbitraries';
import { CHUNK_BYTES, MAX_LINE_BYTES } from './pieces';
import { type Refused, readFile, SourceReader } from './read-file';
import { readLine } from './read-line';

const column = { description: '', aliases: [], nullable: false };
const TABLE = sourceOf({
  a: { ...column, type: 'text' },
  n: { ...column, type: 'int', nullable: true, min: 0, max: 99, aliases: ['number'] },
});

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'read-file-'));
});
afterAll(() => rm(dir, { recursive: true }));

interface Outcome {
  readonly accepted: readonly unknown[];
  readonly refused: readonly Refused[];
}

async function read(bytes: Buffer | string, table = TABLE, name = 'file.json'): Promise<Outcome> {
  const path = join(dir, name);
  await writeFile(path, bytes);
  const accepted: string[] = [];
  const refused: Refused[] = [];
  let count = 0;
  for await (const portion of readFile(path, table)) {
    accepted.push(Buffer.concat(portion.accepted.map((piece) => Buffer.from(piece as string))).toString());
    refused.push(...portion.refused);
    count += portion.count;
  }
  const lines = accepted.join('').split('\n');
  expect(lines.pop()).toBe('');
  expect(lines.length).toBe(count);
  return { accepted: lines.map(recordOf), refused };
}

/** A missing key and a null are the same. */
const recordOf = (json: string) =>
  Object.fromEntries(Object.entries(JSON.parse(json)).filter(([, value]) => value !== null));

const plainLines = async (bytes: Buffer | string, name = 'plain.json') => {
  const path = join(dir, name);
  await writeFile(path, bytes);
  return new SourceReader(TABLE).plainLines(path);
};

/** The lines of a file without their ends, all at once and byte by byte. */
function linesOf(file: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let start = 0;
  for (let i = 0; i < file.length; i++) {
    if (file[i] !== 10 && file[i] !== 13) continue;
    lines.push(file.subarray(start, i));
    if (file[i] === 13 && file[i + 1] === 10) i++;
    start = i + 1;
  }
  if (start < file.length) lines.push(file.subarray(start));
  return lines;
}

/** What readFile should give, as simple as can be. */
function reference(file: Buffer): Outcome {
  const accepted: unknown[] = [];
  const refused: Refused[] = [];
  let seen = false;
  for (const [i, line] of linesOf(file).entries()) {
    const bytes = i === 0 && line.subarray(0, 3).toString('latin1') === 'ï»¿' ? line.subarray(3) : line;
    const refuse = (raw: string, refusal: Pick<Refused, 'reason' | 'detail'>) =>
      refused.push({ line: i + 1, raw: raw.slice(0, 65_536), ...refusal });
    if (/^[ \t\f\v]*$/.test(bytes.toString('latin1'))) continue;
    seen = true;
    if (bytes.length > 1_048_576) {
      refuse(bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1'), {
        reason: 'LINE_TOO_LONG',
        detail: 'longer than 1048576 bytes',
      });
    } else if (!isUtf8(bytes)) {
      refuse(bytes.toString('latin1'), { reason: 'INVALID_ENCODING', detail: 'not UTF-8' });
    } else {
      const verdict = readLine(bytes.toString(), TABLE);
      if ('json' in verdict) accepted.push(recordOf(verdict.json));
      else refuse(bytes.toString(), verdict);
    }
  }
  if (!seen) refused.push({ line: 0, raw: '', reason: 'EMPTY_FILE', detail: 'the file holds no line' });
  return { accepted, refused };
}

/** A good line of so many bytes; the reader has no business with its end. */
const ofSize = (bytes: number) => `{"a":"${'x'.repeat(Math.max(bytes - 8, 1))}"}`;

type Segment = (offset: number) => Buffer | string;
const text = (...lines: string[]): fc.Arbitrary<Segment> =>
  fc.constantFrom(...lines).map((line) => () => line);
const content: fc.Arbitrary<Segment> = fc.oneof(
  {
    weight: 8,
    arbitrary: text(
      '{"a":"b","n":1}',
      '{"a": "é", "n": 2}',
      '{"a":"c"}',
      '{"n":3,"A":"d"}',
      '{"a":"e"} ,  ',
      ' {"a":"f","number":4},',
    ),
  },
  {
    weight: 4,
    arbitrary: text(
      '',
      '  \t',
      '{"a":"b"',
      '[1]',
      '{"a":""}',
      '{"a":"b","n":100}',
      '{"a":"b"} x',
      'null',
      '{"a":"b","a":"c"}',
    ),
  },
  {
    weight: 2,
    arbitrary: nearlyPlainLine(TABLE).map(
      (line) => () => Buffer.from(line.filter((c) => c !== 10 && c !== 13)),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(
        Buffer.from([0x7b, 0xff, 0x7d]),
        Buffer.from('{"a":"é"}', 'latin1'),
        Buffer.from('\ufeff{"a":"g"}'),
      )
      .map((line) => () => line),
  },
  { weight: 1, arbitrary: fc.integer({ min: -3, max: 3 }).map((off) => () => ofSize(MAX_LINE_BYTES + off)) },
  // Up to an end of what is read at once, of which the file has many.
  {
    weight: 4,
    arbitrary: fc
      .integer({ min: -4, max: 3 })
      .map((off) => (offset: number) => ofSize(CHUNK_BYTES - (offset % CHUNK_BYTES) + off)),
  },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: -2, max: CHUNK_BYTES })
      .map((more) => () => 'y'.repeat(2 * MAX_LINE_BYTES + more)),
  },
);
const lineEnd = fc.constantFrom('\n', '\n', '\r\n', '\r');

/** Files of all sorts of lines, many of which end where a chunk ends. */
const anyFile: fc.Arbitrary<{ readonly bytes: Buffer }> = fc
  .tuple(fc.boolean(), fc.array(fc.tuple(content, lineEnd), { maxLength: 25 }), fc.boolean())
  .map(([marked, lines, ended]) => {
    const parts: Buffer[] = marked ? [Buffer.from('\ufeff')] : [];
    let offset = parts[0]?.length ?? 0;
    for (const [i, [segment, end]] of lines.entries()) {
      const part = Buffer.concat([
        Buffer.from(segment(offset) as string),
        Buffer.from(i === lines.length - 1 && !ended ? '' : end),
      ]);
      parts.push(part);
      offset += part.length;
    }
    return { bytes: Buffer.concat(parts), [fc.toStringMethod]: () => short(Buffer.concat(parts)) };
  });

/** Long text by its ends, so that a failure can be read. */
const short = (bytes: Buffer) =>
  JSON.stringify(bytes.toString('latin1')).replaceAll(/([xy])\1{30,}/g, (run, c) => `${c}{${run.length}}`);

/** An outcome without hints, and with long text in short. */
const essence = ({ accepted, refused }: Outcome) => ({
  accepted: accepted.map((record) => short(Buffer.from(JSON.stringify(record)))),
  refused: refused.map((r) => ({
    ...r,
    detail: r.detail.replace(/ \(the file .*\)$/, ''),
    raw: short(Buffer.from(r.raw)),
  })),
});

test('a file gives what each of its lines gives, packed or not', async () => {
  await fc.assert(
    fc.asyncProperty(anyFile, async ({ bytes: file }) => {
      const expected = essence(reference(file));
      expect(essence(await read(file))).toEqual(expected);
      expect(essence(await read(gzipSync(file, { level: 1 }), TABLE, 'file.json.gz'))).toEqual(expected);
    }),
    { numRuns: 80 },
  );
}, 120_000);

test('blank lines before a file move its line numbers, and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(anyFile, fc.nat({ max: 9 }), lineEnd, async ({ bytes: file }, k, end) => {
      fc.pre(!file.subarray(0, 3).equals(Buffer.from('\ufeff')));
      // A \r before a \n would be one line end.
      fc.pre(end !== '\r' || file[0] !== 10);
      const alone = essence(await read(file));
      const later = essence(await read(Buffer.concat([Buffer.from(end.repeat(k)), file])));
      const moved = alone.refused.map((r) => (r.line > 0 ? { ...r, line: r.line + k } : r));
      expect(later).toEqual({ accepted: alone.accepted, refused: moved });
    }),
    { numRuns: 40 },
  );
}, 120_000);

describe('a line end around the end of a chunk', () => {
  const escaped = (bytes: number) => `{"a":"\\n${'x'.repeat(bytes - 10)}"}`;
  const lines: [string, string][] = [
    ['a plain line', ofSize(1000)],
    ['the longest plain line', ofSize(MAX_LINE_BYTES)],
    ['the longest line', escaped(MAX_LINE_BYTES)],
    ['the shortest line that is too long', escaped(MAX_LINE_BYTES + 1)],
    ['a line of many chunks', ofSize(2 * MAX_LINE_BYTES + 5)],
  ];
  test.each(lines)(
    '%s',
    async (_, line) => {
      for (const end of ['\n', '\r\n', '\r']) {
        for (const off of [-2, -1, 0, 1, 2]) {
          // The line ends `off` bytes after a chunk does.
          const before = CHUNK_BYTES + ((CHUNK_BYTES + off - (line.length % CHUNK_BYTES)) % CHUNK_BYTES);
          const file = Buffer.from(`${ofSize(before - 1)}\n${line}${end}{"a":""}${end}{"a":"b"}`);
          expect(essence(await read(file))).toEqual(essence(reference(file)));
        }
      }
    },
    60_000,
  );

  test.each([MAX_LINE_BYTES, MAX_LINE_BYTES + 1])(
    'a byte-order mark does not count to the %i bytes of its line',
    async (bytes) => {
      for (const end of ['\n', '\r\n', '\r', '']) {
        const file = Buffer.from(`\ufeff${escaped(bytes)}${end}`);
        expect(essence(await read(file))).toEqual(essence(reference(file)));
      }
    },
    60_000,
  );
});

describe('plainLines', () => {
  test('counts the lines where each is plain and ends with \\n or \\r\\n, and else says nothing', async () => {
    const lines = fc.array(
      fc.tuple(
        fc.oneof(
          { weight: 9, arbitrary: text('{"a":"b","n":1}', '{"a": "é"}', '{"a":"\u{1f600}","n":null}') },
          { weight: 1, arbitrary: content },
        ),
        fc.oneof(
          { weight: 9, arbitrary: fc.constantFrom('\n', '\r\n') },
          { weight: 1, arbitrary: fc.constantFrom('\r', '\n\n', ',\n') },
        ),
      ),
      { maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(lines, fc.boolean(), async (pairs, ended) => {
        let file = Buffer.concat(
          pairs.flatMap(([segment, end]) => [Buffer.from(segment(0) as string), Buffer.from(end)]),
        );
        if (!ended && file.at(-1) === 10) file = file.subarray(0, file.at(-2) === 13 ? -2 : -1);
        const count = await plainLines(file);
        const each = file.toString('latin1').match(/[^\n]*\n|[^\n]+$/g) ?? [];
        // The scanner's own word, line by line, is tested beside it.
        let plain = each.length > 0;
        for (const line of each) {
          plain &&= (await plainLines(Buffer.from(line, 'latin1'))) === 1;
        }
        expect(count).toBe(plain ? each.length : undefined);
      }),
      { numRuns: 100 },
    );
  }, 60_000);

  test.each([
    ['{"a":"b"}\n', 1],
    ['{"a":"b"}', 1],
    ['{"a":"b"}\r\n{"a":"c"}', 2],
    ['', undefined],
    ['\n', undefined],
    ['{"a":"b"}\n\n', undefined],
    ['{"a":"b"}\r{"a":"c"}\r', undefined],
    ['{"a":"b"}{"a":"c"}\n', undefined],
    ['{"a":"b"},\n', undefined],
    ['{"a":"b"} \n', undefined],
    ['\ufeff{"a":"b"}\n', undefined],
    ['{"a":""}\n', undefined],
    [Buffer.from('{"a":"é"}\n', 'latin1'), undefined],
    [gzipSync('{"a":"b"}\n'), undefined],
    [`${ofSize(MAX_LINE_BYTES)}\n{"a":"b"}\n`, 2],
    [`${ofSize(MAX_LINE_BYTES + 1)}\n`, undefined],
    [ofSize(3 * MAX_LINE_BYTES), undefined],
    [`${ofSize(CHUNK_BYTES - 1)}\n`, 1],
    [`${ofSize(CHUNK_BYTES)}\r\n{"a":"b"}`, 2],
    [`${'{"a":"b"}\n'.repeat(100_000)}{"a":"b"}\r\n`, 100_001],
  ])('as declared (%#)', async (file, count) => {
    expect(await plainLines(file)).toBe(count);
  });

  test('what is named .gz is not plain, whatever it holds', async () => {
    expect(await plainLines('{"a":"b"}\n', 'plain.json.gz')).toBeUndefined();
  });

  test('one reader reads file after file, plain or not', async () => {
    const reader = new SourceReader(TABLE);
    const path = join(dir, 'turns.json');
    for (const [file, count] of [
      ['{"a":"longer than what follows"}\n{"a"', undefined],
      ['{"a":"b"}', 1],
      ['{"a":"b"}\n', 1],
      ['', undefined],
    ] as const) {
      await writeFile(path, file);
      expect(await reader.plainLines(path)).toBe(count);
    }
    // What follows in the buffer would complete it.
    await writeFile(path, '{"a"');
    for await (const { count, refused } of reader.read(path)) {
      expect([count, refused.map(({ reason }) => reason)]).toEqual([0, ['TRUNCATED']]);
    }
  });
});

const RECORD =
  '{"customerName":"Ada Byron","email":"ada@example.com","phone":"8015551212","birthDay":"1815-12-10","serialNumber":"50f7b4f3","registrationDate":1655564376361,"lastUpdateDate":1655564376361}';

describe('a file that is something else', () => {
  const gz = gzipSync(`${RECORD}\n`.repeat(1000));
  const RECORD_BYTES = Buffer.from(`${RECORD}\n`);
  const corrupt = Buffer.from(gz);
  corrupt[gz.length - 6] = (corrupt[gz.length - 6] as number) ^ 0xff;
  const hints = {
    csv: 'the file looks like CSV; landing takes JSON lines',
    array: 'the file is a JSON array; write one object a line',
    xml: 'the file is XML or HTML; landing takes JSON lines',
    parquet: 'the file is Parquet; landing takes JSON lines',
    binary: 'the file is binary; landing takes JSON lines',
    utf16: 'the file is UTF-16; landing takes UTF-8',
    pretty: 'the file spreads an object over several lines; write one object a line',
  };
  const notBrace = 'the line does not begin with {';
  const damaged = (how: string) => `the file cannot be unpacked to its end: ${how}; upload it again`;
  const notPacked = 'its name ends in .gz, but it is not packed with gzip; rename it or upload it again';
  const notNamed =
    'packed with gzip, but its name does not end in .gz, by which Spark and Athena tell; rename it';
  const unreadable = (detail: string): [number, string, string] => [0, 'UNREADABLE_FILE', detail];
  test.each<[string, Buffer | string, number, [number, string, string][], string?]>([
    [
      'CSV',
      'name,email\nAda,ada@example.com\n',
      0,
      [
        [1, 'NOT_JSON', `${notBrace} (${hints.csv})`],
        [2, 'NOT_JSON', `${notBrace} (${hints.csv})`],
      ],
    ],
    [
      'packed CSV',
      gzipSync('name;email\nAda;ada@example.com\n'),
      0,
      [
        [1, 'NOT_JSON', `${notBrace} (${hints.csv})`],
        [2, 'NOT_JSON', `${notBrace} (${hints.csv})`],
      ],
      'file.gz',
    ],
    [
      'a JSON array in one line',
      `[${RECORD},${RECORD}]`,
      0,
      [[1, 'NOT_AN_OBJECT', `a JSON array; a line holds one object (${hints.array})`]],
    ],
    [
      'a JSON array, a record a line',
      `[\n${RECORD},\n${RECORD}\n]\n`,
      2,
      [
        [1, 'NOT_JSON', `${notBrace} (${hints.array})`],
        [4, 'NOT_JSON', `${notBrace} (${hints.array})`],
      ],
    ],
    [
      'a JSON array, pretty-printed',
      JSON.stringify([{ a: 1 }], null, 2),
      0,
      [
        [1, 'NOT_JSON', `${notBrace} (${hints.array})`],
        [2, 'TRUNCATED', `the object is not closed (${hints.array})`],
        [3, 'NOT_JSON', `${notBrace} (${hints.array})`],
        [4, 'NOT_JSON', `${notBrace} (${hints.array})`],
        [5, 'NOT_JSON', `${notBrace} (${hints.array})`],
      ],
    ],
    [
      'an object, pretty-printed',
      '{\n  "a": 1\n}',
      0,
      [
        [1, 'TRUNCATED', `the object is not closed (${hints.pretty})`],
        [2, 'NOT_JSON', `${notBrace} (${hints.pretty})`],
        [3, 'NOT_JSON', `${notBrace} (${hints.pretty})`],
      ],
    ],
    [
      'XML',
      '<rows>\n<row/>',
      0,
      [
        [1, 'NOT_JSON', `${notBrace} (${hints.xml})`],
        [2, 'NOT_JSON', `${notBrace} (${hints.xml})`],
      ],
    ],
    [
      'Parquet',
      Buffer.concat([Buffer.from('PAR1'), Buffer.from([0x15, 0, 0xff, 0x15]), Buffer.from('PAR1')]),
      0,
      [[1, 'INVALID_ENCODING', `not UTF-8 (${hints.parquet})`]],
    ],
    ['binary', Buffer.from([0x50, 0x4b, 3, 4, 0, 0]), 0, [[1, 'NOT_JSON', `${notBrace} (${hints.binary})`]]],
    [
      'UTF-16 with its mark',
      Buffer.from('\ufeff{"a":1}', 'utf16le'),
      0,
      [[1, 'INVALID_ENCODING', `not UTF-8 (${hints.utf16})`]],
    ],
    [
      'UTF-16 without a mark',
      Buffer.from('{"a":1}', 'utf16le'),
      0,
      [[1, 'TRAILING_TEXT', `text after the object, from column 14 (${hints.utf16})`]],
    ],
    ['empty', '', 0, [[0, 'EMPTY_FILE', 'the file holds no line']]],
    ['only a byte-order mark', '\ufeff', 0, [[0, 'EMPTY_FILE', 'the file holds no line']]],
    ['only blank lines', '\n \r\n\t\r\r\n', 0, [[0, 'EMPTY_FILE', 'the file holds no line']]],
    ['packed nothing', gzipSync(''), 0, [[0, 'EMPTY_FILE', 'the file holds no line']], 'a.gz'],
    ['an empty .gz', '', 0, [[0, 'EMPTY_FILE', 'the file holds no line']], 'a.gz'],
    ['cut-off .gz', gz.subarray(0, gz.length - 10), 0, [unreadable(damaged('it is cut off'))], 'a.gz'],
    ['the first bytes of a .gz', gz.subarray(0, 2), 0, [unreadable(damaged('it is cut off'))], 'a.gz'],
    ['the first byte of a .gz', gz.subarray(0, 1), 0, [unreadable(notPacked)], 'a.gz'],
    ['corrupted .gz', corrupt, 0, [unreadable(damaged('its bytes are damaged'))], 'a.gz'],
    ['two .gz, one after the other', Buffer.concat([gz, gz]), 2000, [], 'a.gz'],
    [
      'a second .gz that is cut off',
      Buffer.concat([gz, gz.subarray(0, 30)]),
      0,
      [unreadable(damaged('it is cut off'))],
      'a.gz',
    ],
    [
      '.gz and what is none after it',
      Buffer.concat([gz, RECORD_BYTES]),
      0,
      [unreadable(damaged('its bytes are damaged'))],
      'a.gz',
    ],
    [
      '.gz, padding and another .gz',
      Buffer.concat([gz, Buffer.alloc(512), gz]),
      0,
      [unreadable(damaged('its bytes are damaged'))],
      'a.gz',
    ],
    ['.gz and padding', Buffer.concat([gz, Buffer.alloc(512)]), 1000, [], 'a.gz'],
    ['.gz without its suffix', gz, 0, [unreadable(notNamed)], 'file.json'],
    ['.gz with its suffix in capitals', gz, 0, [unreadable(notNamed)], 'file.json.GZ'],
    ['a plain file named .gz', `${RECORD}\n`, 0, [unreadable(notPacked)], 'file.json.gz'],
  ])('%s', async (...row) => {
    const [, bytes, accepted, refused, name] = row;
    const outcome = await read(bytes, customerLanding, name);
    expect(outcome.refused.map((r) => [r.line, r.reason, r.detail])).toEqual(refused);
    expect(outcome.accepted.length).toBe(accepted);
  });

  test('what a file looks like is not said of a record that could be read', async () => {
    const { refused } = await read('a;b\n{"a":"b","n":100}\n{"a"\n');
    expect(refused.map((r) => [r.reason, r.detail.includes('(the file looks like CSV')])).toEqual([
      ['NOT_JSON', true],
      ['OUT_OF_RANGE', false],
      ['TRUNCATED', true],
    ]);
  });
});

describe('the raw text', () => {
  test('of a line that is too long is its beginning, whole characters of it', async () => {
    const long = `{"a":"${'é€'.repeat(300_000)}`;
    const [refused] = (await read(long)).refused;
    expect(refused?.raw).toBe(long.slice(0, 65_536));
    const faces = `"${'\u{1f600}'.repeat(300_000)}`;
    expect((await read(faces)).refused[0]?.raw).toBe(`${faces.slice(0, 65_535)}\ufffd`);
    const bytes = Buffer.alloc(1_100_000, 0xbf);
    expect((await read(bytes)).refused[0]?.raw).toBe('¿'.repeat(65_536));
  });
});

describe('a detail never holds a value', () => {
  // The last two are days that `spoil` puts in.
  const CANARIES = ['CANARYTEXT', '1234321234', '4.3219876', '1815-12', '1999-02', '02/28'];
  const holdsCanary = ({ detail }: Refused) => CANARIES.some((canary) => detail.includes(canary));
  const GOOD: Record<Entity, string> = {
    customer:
      '{"customerName":"CANARYTEXT","email":"CANARYTEXT@example.com","phone":"CANARYTEXT","birthDay":"1815-12-10","serialNumber":"CANARYTEXT","registrationDate":1234321234567,"lastUpdateDate":1234321234567}',
    accelerometer:
      '{"user":"CANARYTEXT@example.com","timestamp":1234321234567,"x":4.3219876,"y":4.3219876,"z":4.3219876}',
    step_trainer: '{"sensorReadingTime":1234321234567,"serialNumber":"CANARYTEXT","distanceFromObject":4321}',
  };
  const tableOf = (entity: Entity) => lake.sources.find((s) => s.entity === entity) as typeof customerLanding;

  test.each(
    ENTITIES.flatMap((entity) =>
      FAULT_KINDS.filter((kind) => appliesTo(kind, entity)).map((kind) => ({ entity, kind })),
    ),
  )('$entity, $kind', async ({ entity, kind }) => {
    const { refused } = await read(Buffer.from(spoil(GOOD[entity], kind, entity) as string), tableOf(entity));
    expect(refused.length).toBe(1);
    expect(refused.filter(holdsCanary)).toEqual([]);
  });

  test('of any line near a good one', async () => {
    const values = [
      '"CANARYTEXT"',
      '1234321234',
      '4.3219876',
      '["CANARYTEXT"]',
      '{"CANARY":1234321234}',
      '"CANARYTEXT',
      '1234321234x',
      '1234321234.5e999',
    ];
    const keys = ['user', 'timestamp', 'timeStamp', 'TIMESTAMP', 'x', 'y', 'z', 'other'];
    const line = fc
      .array(fc.tuple(fc.constantFrom(...keys), fc.constantFrom(...values)), { maxLength: 7 })
      .chain((pairs) => {
        const json = `{${pairs.map(([k, v]) => `"${k}":${v}`).join(',')}}`;
        return fc
          .tuple(fc.nat({ max: json.length }), fc.nat({ max: 3 }))
          .map(([i, size]) => json.slice(0, i) + json.slice(i + size));
      });
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 20 }), async (lines) => {
        const { refused } = await read(lines.join('\n'), accelerometerLanding);
        expect(refused.filter(holdsCanary)).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });
});
