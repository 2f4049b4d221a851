import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import { anySource, nearlyPlainLine, plainPairs, sourceOf, written } from '../engines/landing/arbitraries';
import { MAX_LINE_BYTES } from '../engines/landing/pieces';
import { SourceReader } from '../engines/landing/read-file';
import { double, epochMillis, int, isoDate, type SourceTable, text } from '../model';
import { lake } from '../pipeline';
import { appliesTo, FAULT_KINDS, sampleLines, spoil } from '../samples';

const ROOT = join(__dirname, '..');
const PYTHON = join(
  ROOT,
  '.venv',
  ...(process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python']),
);

function isMissing(): boolean {
  const { status, error, stderr } = spawnSync(PYTHON, ['-c', 'import pyarrow'], { encoding: 'utf8' });
  if (status === 0) return false;
  const reason = `${PYTHON} has no pyarrow (npm run lint:python sets it up): ${error?.message ?? stderr.trim().split('\n').at(-1)}`;
  if (process.env.CI === 'true') throw new Error(reason);
  process.stderr.write(`tests that the readers agree are skipped: ${reason}\n`);
  return true;
}

type Value = string | number | null;

/** What a reader says of a line; the row as a job sees it, with microseconds as text and days as numbers. */
type Verdict =
  | { readonly blank: true }
  | { readonly reason: string; readonly detail: string; readonly raw: string }
  | { readonly values: readonly Value[]; readonly row: readonly Value[] };
/** With the row of the plain reader, where it takes the line. */
type PythonVerdict = Verdict & { readonly plain: readonly Value[] | null };

const describeReaders = isMissing() ? describe.skip : describe;

describeReaders('the reader of the Spark runner gives the verdicts of the reader in TypeScript', () => {
  let dir: string;
  let python: ChildProcess;
  let answers: AsyncIterator<string>;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'readers-agree-'));
    python = spawn(PYTHON, [join(ROOT, 'jobs', 'runner', 'tests', 'judge_lines.py')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    answers = createInterface({ input: python.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  });
  afterAll(() => {
    python.stdin?.end();
    rmSync(dir, { recursive: true });
  });

  async function inPython({ columns }: SourceTable, lines: readonly Buffer[]): Promise<PythonVerdict[]> {
    const contract = Object.entries(columns).map(([name, { type, nullable, aliases, min, max }]) => [
      name,
      { type, nullable, aliases, min, max },
    ]);
    const request = { columns: Object.fromEntries(contract), lines: lines.map((l) => l.toString('base64')) };
    python.stdin?.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await answers.next();
    if (done) throw new Error('judge_lines.py has ended; its error stands above');
    return JSON.parse(value);
  }

  async function inTypeScript(table: SourceTable, lines: readonly Buffer[]): Promise<Verdict[]> {
    // The first line tells nothing about the file, so no detail has a hint; and no line has a byte-order mark.
    const file = Buffer.concat([Buffer.from('{}'), ...lines.flatMap((line) => [Buffer.from('\n'), line])]);
    const path = join(dir, 'lines.json');
    writeFileSync(path, file);
    const accepted: string[] = [];
    const refused = new Map<number, Verdict>();
    for await (const portion of new SourceReader(table).read(path)) {
      accepted.push(
        ...Buffer.concat(portion.accepted.map((piece) => Buffer.from(piece as string)))
          .toString()
          .split('\n')
          .slice(0, -1),
      );
      for (const { line, reason, detail, raw } of portion.refused) refused.set(line, { reason, detail, raw });
    }
    const records = accepted.values();
    if (!refused.has(1)) records.next();
    const verdicts = lines.map((line, i): Verdict => {
      const refusal = refused.get(i + 2);
      if (refusal) return refusal;
      if (/^[ \t\f\v]*$/.test(line.toString('latin1'))) return { blank: true };
      return acceptedOf(table, JSON.parse(records.next().value as string));
    });
    expect(records.next().done).toBe(true);
    return verdicts;
  }

  /** Compares the readers line by line, and gives what they say. */
  async function compared(table: SourceTable, lines: readonly Buffer[]): Promise<PythonVerdict[]> {
    const expected = await inTypeScript(table, lines);
    const found = await inPython(table, lines);
    for (const [i, { plain, ...verdict }] of found.entries()) {
      const line = short(lines[i] as Buffer);
      expect({ line, ...verdict }).toEqual({ line, ...expected[i] });
      // Whatever is plain is good, and gives the same row.
      if (plain) expect({ line, row: plain }).toEqual({ line, row: 'row' in verdict ? verdict.row : 'none' });
    }
    expect(found.length).toBe(lines.length);
    return found;
  }
  const isPlain = ({ plain }: PythonVerdict) => plain !== null;
  const reasonOf = (v: Verdict) => ('reason' in v ? v.reason : 'none');

  test('of lines at and near good ones, by any contract', async () => {
    let plain = 0;
    const reasons = new Map<string, number>();
    const lines = anySource.chain((table) =>
      fc.tuple(
        fc.constant(table),
        fc.array(fc.oneof(nearlyPlainLine(table), oddLine(table)), {
          minLength: 1,
          maxLength: 60,
          size: 'max',
        }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(lines, async ([table, all]) => {
        for (const v of await compared(table, all.map(withoutEnds))) {
          plain += Number(isPlain(v));
          reasons.set(reasonOf(v), (reasons.get(reasonOf(v)) ?? 0) + 1);
        }
      }),
      { numRuns: 500 },
    );
    // Else the lines say little.
    expect(plain).toBeGreaterThan(300);
    const seen = ['none', 'NOT_JSON', 'TRUNCATED', 'NOT_AN_OBJECT', 'TRAILING_TEXT', 'INVALID_ENCODING'];
    seen.push('DUPLICATE_KEY', 'MISSING_REQUIRED', 'WRONG_TYPE', 'OUT_OF_RANGE');
    expect(seen.filter((reason) => (reasons.get(reason) ?? 0) < 10)).toEqual([]);
  });

  test('of good lines, most of which are plain', async () => {
    let plain = 0;
    let all = 0;
    const lines = anySource.chain((table) =>
      fc.tuple(
        fc.constant(table),
        fc.array(
          fc.tuple(
            plainPairs(table),
            fc.constantFrom('compact' as const, 'spaced' as const, 'loose' as const),
          ),
          { minLength: 1, maxLength: 40, size: 'max' },
        ),
      ),
    );
    await fc.assert(
      fc.asyncProperty(lines, async ([table, records]) => {
        const found = await compared(
          table,
          records.map(([pairs, style]) => Buffer.from(written(pairs, style))),
        );
        expect(found.map(reasonOf)).toEqual(found.map(() => 'none'));
        plain += found.filter(isPlain).length;
        all += found.length;
      }),
      { numRuns: 300 },
    );
    expect(plain / all).toBeGreaterThan(0.5);
  });

  test('of keys that stand twice, at any depth, with values of any kind', async () => {
    const table = sourceOf({ a: text('A.', { nullable: true }) });
    const line = fc
      .tuple(doubled, fc.option(fc.tuple(fc.nat(), fc.constantFrom('', ...'{}[],:"x0 '))))
      .map(([object, edit]) => {
        if (!edit) return Buffer.from(object);
        const at = edit[0] % object.length;
        return Buffer.from(object.slice(0, at) + edit[1] + object.slice(at + 1));
      });
    const reasons = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 20, maxLength: 100, size: 'max' }), async (lines) => {
        for (const v of await compared(table, lines)) reasons.add(reasonOf(v));
      }),
      { numRuns: 300 },
    );
    expect([...reasons]).toEqual(expect.arrayContaining(['none', 'DUPLICATE_KEY', 'NOT_JSON', 'TRUNCATED']));
  });

  test.each(lake.sources)('of $name and every fault of its lines', async (table) => {
    const sample = sampleLines({ seed: 1, customers: 40, dirty: 0.1 });
    const lines: Buffer[] = [];
    let kinds = 0;
    for (const { entity, text: content, fault } of sample) {
      if (entity !== table.entity || lines.length > 3000) continue;
      lines.push(Buffer.from(content as string));
      if (fault !== undefined || kinds > 20) continue;
      kinds++;
      for (const kind of FAULT_KINDS) {
        if (kind !== 'over_a_mebibyte' && appliesTo(kind, entity))
          lines.push(Buffer.from(spoil(String(content), kind, entity) as string));
      }
    }
    expect(kinds).toBeGreaterThan(5);
    const found = await compared(table, lines.map(withoutEnds));
    expect(found.filter(isPlain).length).toBeGreaterThan(30);
  });

  test('of lines of about a mebibyte', async () => {
    const table = sourceOf({ a: text('A.'), b: text('B.', { nullable: true }) });
    const ofSize = (bytes: number, unit: Buffer, before: string) => {
      const room = bytes - before.length - 2;
      const units = Buffer.alloc(room - (room % unit.length), unit);
      return Buffer.concat([
        Buffer.from(before),
        units,
        Buffer.alloc(room % unit.length, 'x'),
        Buffer.from('"}'),
      ]);
    };
    const units = [
      ...['x', 'é', '€', '\u{1f600}'].map((c) => Buffer.from(c)),
      Buffer.from([0xbf]),
      Buffer.from([0xe2, 0x82]),
    ];
    const lines = units.flatMap((unit) => [
      ofSize(MAX_LINE_BYTES, unit, '{"a":"'),
      ...[0, 1, 2, 3].map((shift) => ofSize(MAX_LINE_BYTES + 1, unit, `{${' '.repeat(shift)}"a":"`)),
      // What quarantine keeps ends within these.
      ...[65_540, 131_072, 131_080, 262_150].map((bytes) => ofSize(bytes, unit, '{"b": "')),
    ]);
    lines.push(Buffer.alloc(MAX_LINE_BYTES, ' '), Buffer.alloc(MAX_LINE_BYTES + 1, ' '));
    const found = await compared(table, lines);
    expect(new Set(found.map(reasonOf))).toEqual(
      new Set(['none', 'LINE_TOO_LONG', 'INVALID_ENCODING', 'MISSING_REQUIRED']),
    );
  });

  test('of what JavaScript and Python see differently', async () => {
    const table = sourceOf({
      kiss: text('Text.', { aliases: ['Größe', 'İ'] }),
      n: int('Whole.', { nullable: true, min: -1e18, max: 1e18 }),
      d: double('Double.', { nullable: true }),
      t: epochMillis('Instant.', { nullable: true }),
      day: isoDate('Day.', { nullable: true }),
      tiny: double('Range.', { nullable: true, min: -0, max: 1e-7 }),
      huge: double('Range.', { nullable: true, min: 1e20, max: 1.5e21 }),
      narrow: double('Range.', { nullable: true, min: 0.000001, max: 123456789012345680000 }),
    });
    const lines = [
      ...KEYS.map((k) => `{${JSON.stringify(k)}:"v"}`),
      ...NUMBERS.flatMap((n) =>
        ['n', 'd', 't', 'tiny', 'huge', 'narrow'].map((k) => `{"kiss":"v","${k}":${n}}`),
      ),
      ...STRINGS.flatMap((s) => [`{"kiss":${s}}`, `{"kiss":"v","extra":${s}}`, `{${s}:1,"kiss":"v"}`]),
      ...DAYS.map((d) => `{"kiss":"v","day":"${d}"}`),
      ...SPACES.flatMap((s) => [
        `${s}{"kiss":"v"}${s},${s}`,
        `{${s}"kiss"${s}:${s}"v"${s}}`,
        s,
        `${s}x`,
        `{"kiss":"v"},${s},`,
      ]),
      ...WHOLE_LINES,
    ].map((line) => Buffer.from(line));
    await compared(table, lines.map(withoutEnds));
  });

  /** The values of accepted JSON, and the row that they are to a job. */
  function acceptedOf({ columns }: SourceTable, record: Record<string, string | number>): Verdict {
    const values = Object.keys(columns).map((name) => record[name] ?? null);
    const row = Object.values(columns).map(({ type }, i) => {
      const value = values[i] ?? null;
      if (value === null) return null;
      if (type === 'epochMillis') return String(BigInt(value) * 1000n);
      return type === 'isoDate' ? dayNumber(value as string) : value;
    });
    return { values, row };
  }
});

function dayNumber(day: string): number {
  const [year = 0, month = 0, dayOfMonth = 0] = day.split('-').map(Number);
  return new Date(0).setUTCFullYear(year, month - 1, dayOfMonth) / 86_400_000;
}

const withoutEnds = (line: Buffer) => Buffer.from(line.filter((c) => c !== 10 && c !== 13));

/** Long text by its beginning and its size, so that a failure can be read. */
const short = (line: Buffer) =>
  line.length > 5000 ? `${line.toString('latin1', 0, 100)}… ${line.length} bytes` : line.toString('latin1');

/** Letters that become ASCII letters in some way, or two letters, in the lower or upper case of some language. */
const KEYS = [
  'kiss',
  'KISS',
  '\u212aiss',
  'ki\u017f\u017f',
  'KI\u1e9e',
  'k\u0131ss',
  'K\u0130SS',
  'ki\u0307ss',
  'Größe',
  'GRÖßE',
  'gRöße',
  '\u0130',
  'i\u0307',
  'kiss\u0000',
  ' kiss',
  'ΚISS',
];
const NUMBERS = [
  '0',
  '-0',
  '0.0',
  '-0.0',
  '1',
  '1.0',
  '1e5',
  '1E5',
  '1e-5',
  '0e0',
  '-0e9',
  '1e999',
  '-1e999',
  '1e-999',
  '1e400',
  'NaN',
  'Infinity',
  '-Infinity',
  '-NaN',
  '+1',
  '01',
  '-01',
  '1.',
  '.5',
  '-',
  '1e',
  '1e+',
  '1.e5',
  '0x10',
  '1_000',
  '\u0661',
  '1\u0661',
  '9007199254740991',
  '9007199254740992',
  '-9007199254740991',
  '9007199254740993',
  '1e20',
  '100000000000000000000',
  '1.5e21',
  '1.5000000000000001e21',
  '0.0000001',
  '1e-7',
  '0.00000010000000000000001',
  '123456789012345',
  '999999999999999',
  '1234567890123456',
  '2.2250738585072011e-308',
  '1.7976931348623158e308',
  '1.7976931348623159e308',
  '0.1000000000000000055511151231257827021181583404541015625',
  '9'.repeat(400),
  `0.${'1'.repeat(400)}`,
  '8640000000000001',
];
const STRINGS = [
  '""',
  '"\\u0000"',
  '"\\ud83d"',
  '"\\ude00"',
  '"\\ud83d\\ude00"',
  '"\\ud83d\\ud83d\\ude00"',
  '"\\ude00\\ud83d"',
  '"\\ud83dx\\ude00"',
  '"\\uD83D\u{1f600}"',
  '"\\u00e9"',
  '"\\u00E9\\/\\b\\f\\n\\r\\t\\"\\\\"',
  '"\\x41"',
  '"\\u 041"',
  '"\\u+041"',
  '"\\u0x41"',
  '"\\u00g1"',
  '"\\u004"',
  '"\\u"',
  '"\\',
  '"\\"',
  '"a\tb"',
  '"a\u0001b"',
  '"\x7f\x80\u2028\u2029\ufeff"',
  "'a'",
  '"a\0b"',
  '"\\U0041"',
  '"\\a"',
  '"\\\u{1f600}"',
];
const DAYS = [
  '2000-02-29',
  '1900-02-29',
  '2100-02-29',
  '2024-02-29',
  '967-01-01',
  '0967-01-01',
  '067-01-01',
  '0067-01-01',
  '000-01-01',
  '0000-01-01',
  '0001-01-01',
  '001-01-01',
  '9999-12-31',
  '10000-01-01',
  '2000-04-31',
  '2000-04-30',
  '2000-13-01',
  '2000-00-01',
  '2000-01-00',
  '2000-01-32',
  '2000-1-1',
  '\u0662000-01-01',
  '1582-10-10',
  '2000-01-01 ',
  '2000-06-31',
  '2000-02-30',
  '2000-01-31',
  '1000-01-01',
  '0999-12-31',
];
const SPACES = [
  ' ',
  '\t',
  '\f',
  '\v',
  '\u00a0',
  '\ufeff',
  '\u2028',
  '\u0085',
  '\x1c',
  '\x1f',
  '\u3000',
  '\0',
  ' \t\f\v ',
];
const nested = (levels: number, open = '[', close = ']') => open.repeat(levels) + close.repeat(levels);
const WHOLE_LINES = [
  ...[199, 200, 201, 1000, 100_000].flatMap((n) => [
    nested(n),
    `[${'['.repeat(n)}`,
    `{"kiss":"v","x":${nested(n)}}`,
    `{"kiss":"v","x":${nested(n, '{"x":', '}')}}`,
    `{"kiss":"v","x":${'['.repeat(n)}}`,
    `{"kiss":"v","x":"${nested(n)}"}`,
    `{"kiss":"v"}${nested(n)}`,
    `x${nested(n)}`,
    `"x"${nested(n)}`,
  ]),
  `{"kiss":"v","x":${nested(199, '[1,', ']')},"x":${nested(199, '[1,', ']')}}`,
  `{"kiss":"v","x":${nested(198, '[', ']')},"x":${nested(198, '[', ']')}}`,
  `{"kiss":"v","x":${nested(197, '{"x":[', ']}')}}`,
  `{"kiss":"v","x":${nested(99, '{"x":[', ']}')},"x":${nested(99, '{"x":[', ']}')}}`,
  '{"kiss":"\u{1f600}"} x',
  '{"kiss":"v"',
  '{"kiss":"v',
  '{"kiss":"v\\',
  '{]',
  '{"kiss":"v"]',
  '{"kiss":1,"kiss":2 x}',
  '{"kiss":1 x,"kiss":2}',
  ...[
    '1.',
    '1e',
    '1e+',
    '1.e5',
    '-',
    '1.5.',
    '1e5.',
    '1e5e',
    '01',
    'tru',
    'truer',
    '"',
    '"\\x"',
    '[1',
    '[1,]',
    '{"a":1,}',
    '{',
  ].map((value) => `{"kiss":"v","x":2,"x":${value}}`),
  '{"x":{"a":1,"a":2},"kiss":',
  '{"kiss":"v","KISS":"v"}',
  '{"kiss":"v","Größe":"v"}',
  '{"__proto__":{"kiss":"v"}}',
  '{"kiss":"v","x":[],"x":{}}',
  '{"kiss":"v","x":[1],"x":{"0":1}}',
  '{"kiss":"v","x":1,"x":1.0}',
  '{"kiss":"v","x":true,"x":1}',
  '{"kiss":"v","x":1,"x":{"value":"1","isLosslessNumber":true}}',
  'null',
  'null,',
  'null,,',
  '1',
  'NaN',
  '-',
  '"',
  '"a"',
  'true false',
  '[1,]',
  '[,1]',
  '{"kiss":"v",}',
  '{,"kiss":"v"}',
  '{kiss:"v"}',
];

/** Keys that objects, arrays and numbers have in JavaScript, or that lossless-json gives them. */
const doubledKey = fc.constantFrom(
  'a',
  'b',
  '0',
  '1',
  'value',
  'isLosslessNumber',
  '__proto__',
  'length',
  'constructor',
  'toString',
  '\\u0061',
);
const leaf = fc.constantFrom(
  '1',
  '1.0',
  '0',
  '"1"',
  '"a"',
  '""',
  'true',
  'false',
  'null',
  '[]',
  '{}',
  '[1]',
  '{"0":1}',
  '{"value":"1","isLosslessNumber":true}',
  '{"__proto__":{}}',
  '{"__proto__":[]}',
  '{"__proto__":null}',
  '{"__proto__":{"__proto__":null}}',
  '[{}]',
  '{"0":[]}',
);

/** Objects in which keys often stand twice, and often with values that are equal in some way. */
const { doubled } = fc.letrec<{ doubled: string; value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    tie('doubled'),
    fc.array(tie('value'), { maxLength: 2 }).map((items) => `[${items.join(',')}]`),
  ),
  doubled: fc
    .array(fc.tuple(doubledKey, tie('value')), { maxLength: 3 })
    .map((pairs) => `{${pairs.map(([k, v]) => `"${k}":${v}`).join(', ')}}`),
}));

/** Lines of pieces of JSON, with the keys of the table and keys like them. */
const oddLine = (table: SourceTable): fc.Arbitrary<Buffer> => {
  const names = Object.keys(table.columns);
  const like = [/k/gi, /s/gi, /i/gi].flatMap((letter, i) =>
    names.map((n) => n.replace(letter, ['\u212a', '\u017f', '\u0130'][i] as string)),
  );
  const piece = fc.oneof(
    fc.constantFrom(...[...names, ...like].map((n) => `"${n}":`)),
    fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      ' ',
      '\t',
      '\v',
      '\f',
      'null',
      'true',
      '1',
      '-0',
      '1e5',
      '"a"',
      '{"a":1,"a":2}',
      '\ufeff',
      '\u{1f600}',
      ...NUMBERS.slice(0, 30),
      ...STRINGS,
    ),
    doubled,
  );
  return fc
    .tuple(fc.boolean(), fc.array(piece, { maxLength: 12 }))
    .map(([open, pieces]) => Buffer.from((open ? '{' : '') + pieces.join('') + (open ? '}' : '')));
};
