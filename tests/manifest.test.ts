// A manifest, of a job or of an erasure, is checked twice, by zod where it is made and by the runner where it is read: both take and refuse the
// same, and say where.
import * as fc from 'fast-check';
import type { Job } from '../model';
import { erasureOf, erasureSchema, manifestOf, manifestSchema } from '../model/manifest';
import { lake } from '../pipeline';
import { python, withPython } from './support/python';

const placed = (job: Job) =>
  manifestOf(job, {
    database: 'd',
    location: ({ name }) => `s3://data/${name}/`,
    quarantine: ({ name }) => `s3://refused/${name}/`,
    suppressed: 's3://suppressed/list.json',
    runs: 's3://runs/',
    metricsNamespace: 'N',
  });

/** Real manifests in which everything is that a manifest may have. */
const manifests: readonly unknown[] = lake.jobs.map((job) => {
  const { output, ...rest } = placed(job);
  return { ...rest, output: { ...output, quarantine: 's3://refused/' } };
});

const erasure = erasureOf({
  jobs: [{ manifest: 's3://jobs/m.json', sql: 's3://jobs/q.sql', parameters: { consent: 'granted' } }],
  suppressed: 's3://suppressed/list.json',
  receipts: 's3://receipts/',
});

const KINDS = {
  manifest: { schema: manifestSchema, real: lake.jobs.map(placed), whole: manifests },
  erasure: {
    schema: erasureSchema,
    real: [erasure],
    whole: [erasure],
  },
};
type Kind = keyof typeof KINDS;
const kinds = Object.keys(KINDS) as Kind[];

const told = (path: readonly PropertyKey[]) =>
  path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');

/** The paths of everything that zod finds wrong. */
function faultsHere(kind: Kind, text: string): string[] {
  const issues = KINDS[kind].schema.safeParse(JSON.parse(text)).error?.issues ?? [];
  const paths = issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path],
  );
  // Zod has two faults of an empty array in place of a text.
  return [...new Set(paths.map((path) => told(path) || 'the manifest'))].sort();
}

/** The paths of everything that the runner finds wrong with each text. */
function faultsThere(kind: Kind, texts: readonly string[]): string[][] {
  const program = `
import json, sys
from lakehouse_runner.manifest import ManifestError, read_${kind}
for text in json.load(sys.stdin):
    try:
        read_${kind}(text)
        print("[]")
    except ManifestError as error:
        print(json.dumps([line.split(": ")[0] for line in str(error).split("\\n")]))
`;
  return python(program, { input: JSON.stringify(texts) })
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as string[]).sort());
}

type Path = readonly (string | number)[];

/** The path of every value in a value, its own too. */
function pathsIn(value: unknown): Path[] {
  if (typeof value !== 'object' || value === null) return [[]];
  const members = Array.isArray(value) ? value.map((each, i) => [i, each] as const) : Object.entries(value);
  return [[], ...members.flatMap(([key, each]) => pathsIn(each).map((path) => [key, ...path]))];
}

const GONE = Symbol('gone');
/** The value with another one at a path. */
function replaced(value: unknown, [key, ...rest]: Path, by: (old: unknown) => unknown): unknown {
  if (key === undefined) return by(value);
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<
    string | number,
    unknown
  >;
  const made = replaced(copy[key], rest, by);
  if (made !== GONE) copy[key] = made;
  else if (Array.isArray(copy)) copy.splice(key as number, 1);
  else delete copy[key];
  return copy;
}

const other = fc.constantFrom<unknown>(
  null,
  true,
  false,
  0,
  1,
  2,
  -0.5,
  1e300,
  '',
  'x',
  [],
  [[]],
  {},
  { x: 1 },
);
const change = fc.oneof(
  fc.constant(() => GONE),
  other.map((value) => () => value),
  fc.tuple(fc.constantFrom('more', 'Name', 'min', 'type', 'x y'), other).map(
    ([key, value]) =>
      (old: unknown) =>
        Array.isArray(old) ? [...old, value] : typeof old === 'object' ? { ...old, [key]: value } : `${old}x`,
  ),
);
const mutantOf = (kind: Kind) =>
  fc
    .constantFrom<unknown>(...KINDS[kind].whole)
    .chain((manifest) => fc.tuple(fc.constant(manifest), fc.constantFrom(...pathsIn(manifest)), change))
    .map(([manifest, path, by]) =>
      JSON.stringify(replaced(manifest, path, by), (_, v) => (v === GONE ? null : v)),
    );

withPython.each(kinds)('a manifest: %s', (kind) => {
  test('of the definition is one to the runner too', () => {
    const texts = [...KINDS[kind].real, ...KINDS[kind].whole].map((each) => JSON.stringify(each));
    expect(texts.map((text) => faultsHere(kind, text))).toEqual(texts.map(() => []));
    expect(faultsThere(kind, texts)).toEqual(texts.map(() => []));
  });

  test('is refused by both for the same, wherever something is changed', () => {
    const texts = fc.sample(mutantOf(kind), { numRuns: 600, seed: 20230501 });
    const here = texts.map((text) => faultsHere(kind, text));
    const there = faultsThere(kind, texts);
    texts.forEach((text, i) => {
      if (JSON.stringify(here[i]) === JSON.stringify(there[i])) return;
      throw new Error(`zod: ${here[i]?.join() || 'fine'}\nrunner: ${there[i]?.join() || 'fine'}\n${text}`);
    });
    // Of both there are enough to tell.
    const refused = here.filter((faults) => faults.length > 0).length;
    expect(refused).toBeGreaterThan(200);
    expect(texts.length - refused).toBeGreaterThan(40);
  });
});
