import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import fc from 'fast-check';
import { date, double, epochMillis, int, isoDate, lakehouse, parameter, pseudonym, text } from '../model';
import { casesFile, readCases } from './cases';

const words = lakehouse(['raw', 'clean']);
const mode = parameter('mode', 'How.', ['on', 'off']);
const raw = words.source({
  name: 'raw',
  zone: 'raw',
  entity: 'raw',
  description: 'R.',
  columns: {
    id: int('I.'),
    at: epochMillis('A.'),
    born: isoDate('B.', { nullable: true }),
    note: text('N.', { nullable: true }),
  },
});
const known = words.table({ name: 'known', zone: 'clean', description: 'K.', columns: { id: int('I.') } });
const made = words.table({
  name: 'made',
  zone: 'clean',
  description: 'M.',
  columns: { who: pseudonym('W.'), x: double('X.', { nullable: true }), on: date('O.', { nullable: true }) },
});
const job = words.job({ output: made, inputs: [raw, known], parameters: [mode], description: 'J.' });

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cases-'));
});
afterAll(() => rm(dir, { recursive: true }));

async function read(yaml: string) {
  await writeFile(casesFile(dir, job), yaml);
  const { cases, faults } = await readCases(dir, job);
  return { cases, faults: faults.map((f) => `${f.path.replace(/^.*\//, '')} ${f.message}`) };
}
/** What is told of a file, whose faults keep every case of it from running. */
async function told(yaml: string) {
  const { cases, faults } = await read(yaml);
  expect(cases).toEqual([]);
  return faults;
}

const GOOD = `defaults:
  raw: { at: 2023-05-01T10:00:00.000Z, note: a note }
  made: { who: somebody }
cases:
  - name: turns rows around
    given:
      raw:
        - { id: 1, born: 2000-02-29, note: null }
        - id: 2
          at: '1969-12-31T23:59:59.999Z'
      known: []
    expect:
      - { x: 1.5, on: 2000-02-29 }
      - { who: '2025550100', x: -1 }
  - name: leaves all out
    parameters: { mode: off }
    given: { raw: [], known: [{ id: 0 }] }
    expect: []
`;

test('rows are whole: defaults first, then NULL where the contract allows it', async () => {
  expect(await read(GOOD)).toEqual({
    faults: [],
    cases: [
      {
        name: 'turns rows around',
        parameters: { mode: 'on' },
        given: {
          raw: [
            { id: 1, at: '2023-05-01T10:00:00.000Z', born: '2000-02-29', note: null },
            { id: 2, at: '1969-12-31T23:59:59.999Z', born: null, note: 'a note' },
          ],
          known: [],
        },
        expect: [
          { who: 'somebody', x: 1.5, on: '2000-02-29' },
          { who: '2025550100', x: -1, on: null },
        ],
      },
      {
        name: 'leaves all out',
        parameters: { mode: 'off' },
        given: { raw: [], known: [{ id: 0 }] },
        expect: [],
      },
    ],
  });
});

test('a missing file is told by its path', async () => {
  const other = words.job({
    output: words.table({ name: 'unwritten', zone: 'clean', description: 'U.', columns: { id: int('I.') } }),
    inputs: [known],
    description: 'J.',
  });
  expect(await readCases(dir, other)).toEqual({
    cases: [],
    faults: [
      {
        path: relative('', join(dir, 'unwritten.cases.yaml')),
        message: 'is missing: write the cases that define unwritten',
      },
    ],
  });
});

test.each([
  ['an empty file', '', ['made.cases.yaml:1 cases has no case; a case is { name, given, expect }']],
  ['no case', 'cases: []\n', ['made.cases.yaml:1 cases has no case; a case is { name, given, expect }']],
  [
    'a list',
    '- name: x\n',
    [
      'made.cases.yaml:1 the file should be a map of names to values',
      'made.cases.yaml:1 cases has no case; a case is { name, given, expect }',
    ],
  ],
  [
    'a syntax error',
    'cases:\n  - name: x\n    given: { raw: [\n',
    [
      'made.cases.yaml:4 Flow sequence in block collection must be sufficiently indented and end with a ]',
      'made.cases.yaml:4 Flow map in block collection must be sufficiently indented and end with a }',
    ],
  ],
  [
    'a key that stands twice',
    'cases:\n  - name: x\n    given: { raw: [], known: [] }\n    expect: []\n    name: y\n',
    ['made.cases.yaml:5 Map keys must be unique'],
  ],
])('%s', async (_what, yaml, faults) => {
  expect(await told(yaml)).toEqual(faults);
});

test('all faults at once, each with its line', async () => {
  expect(
    await told(`default: {}
defaults:
  raw: { at: yesterday, when: 1 }
  other: { id: 1 }
  known: [1]
cases:
  - name: ' '
    parameters: { mode: maybe, mood: on }
    given:
      raw:
        - { id: 1.5, born: 2023-02-30 }
        - at: 2023-05-01T10:00:00.000Z
        - 7
      made: []
    expect: none
  - name: twice
    given:
      raw:
      known: [{ id: '1' }]
    expect:
      - { who: 1, x: .nan }
      - { on: 2023-5-1, constructor: 1 }
    then: []
  - nothing
  - name: twice
    given: { raw: [], known: [] }
`),
  ).toEqual([
    'made.cases.yaml:1 default is not known here; it can be defaults, cases',
    'made.cases.yaml:4 other is not known here; it can be raw, known, made',
    'made.cases.yaml:3 when is not known here; it can be id, at, born, note',
    'made.cases.yaml:3 at is "yesterday"; it should be an instant like 2023-05-01T10:00:00.000Z',
    'made.cases.yaml:5 known should be a map of names to values',
    'made.cases.yaml:7 case 1 needs a name that says what the job must do',
    'made.cases.yaml:8 mood is not known here; it can be mode',
    'made.cases.yaml:8 mode is "maybe"; it takes on or off',
    'made.cases.yaml:14 made is not known here; it can be raw, known',
    'made.cases.yaml:9 given leaves out the input known; write [] where it has no row',
    'made.cases.yaml:11 id is 1.5; it should be a whole number',
    'made.cases.yaml:11 born is "2023-02-30"; it should be a day like 2023-05-01',
    'made.cases.yaml:12 row 2 of raw has no id, which raw requires',
    'made.cases.yaml:13 row 3 of raw should be a map of names to values',
    'made.cases.yaml:15 expect should be a list of rows',
    'made.cases.yaml:23 then is not known here; it can be name, parameters, given, expect',
    'made.cases.yaml:18 raw should be a list of rows; write [] where it has none',
    'made.cases.yaml:19 id is "1"; it should be a whole number',
    'made.cases.yaml:21 who is 1; it should be a string, in the clear',
    'made.cases.yaml:21 x is NaN; it should be a number',
    'made.cases.yaml:22 constructor is not known here; it can be who, x, on',
    'made.cases.yaml:22 on is "2023-5-1"; it should be a day like 2023-05-01',
    'made.cases.yaml:22 row 2 of expect has no who, which made requires',
    'made.cases.yaml:24 case 3 should be a map of names to values',
    'made.cases.yaml:25 expect should be a list of rows; write [] where it has none',
    'made.cases.yaml:25 case 4 has the name of case 2; say how they differ',
  ]);
});

const caseWith = (instant: unknown) =>
  `cases: [{ name: n, given: { raw: [{ id: 1, at: ${JSON.stringify(instant)} }], known: [] }, expect: [] }]`;

describe('instants and days', () => {
  test('every instant is taken as ISO 8601 with milliseconds and Z, and in no other form', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31'), noInvalidDate: true }),
        fc.constantFrom('', '+00:00', 'z', ' '),
        async (instant, ending) => {
          const iso = instant.toISOString();
          expect((await read(caseWith(iso))).faults).toEqual([]);
          const other = iso.replace('Z', ending);
          expect(await told(caseWith(other))).toEqual([
            `made.cases.yaml:1 at is ${JSON.stringify(other)}; it should be an instant like 2023-05-01T10:00:00.000Z`,
          ]);
        },
      ),
      { numRuns: 30 },
    );
  });

  test.each(['2023-05-01', '2023-05-01T10:00:00Z', '2023-02-30T10:00:00.000Z', 1682935200000])(
    '%s is no instant',
    async (value) => {
      expect(await told(caseWith(value))).toEqual([
        `made.cases.yaml:1 at is ${JSON.stringify(value)}; it should be an instant like 2023-05-01T10:00:00.000Z`,
      ]);
    },
  );
});
