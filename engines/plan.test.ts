import { type Expectation, expectation, int, lakehouse, parameter, unique } from '../model';
import { UsageError } from './engine';
import { inSql, planOf, requireSql } from './plan';

const words = lakehouse(['raw', 'clean']);
const consent = parameter('consent', 'C.', ['granted', 'since-grant']);
const pairing = parameter('pairing', 'P.', ['customer', 'timestamp']);
const columns = { id: int('I.') };

const source = (name: string, expectations: readonly Expectation<'id'>[] = []) =>
  words.source({ name, zone: 'raw', entity: name, description: 'S.', columns, expectations });
const table = (name: string) => words.table({ name, zone: 'clean', description: 'T.', columns });
const comparedWith = (other: { name: string }): Expectation<'id'> =>
  expectation({
    name: `as_${other.name}`,
    severity: 'warn',
    description: 'D.',
    columns: ['id'],
    reads: [other],
    sql: (from) => `SELECT t.* FROM ${from} t`,
  });

// far is compared with by near, and near by people: none but people is a job's input.
const far = source('far');
const near = source('near', [comparedWith(far)]);
const people = source('people', [comparedWith(near), unique(['id'], { description: 'D.' })]);
const steps = source('steps');
// Nothing reads it yet; whoever lands all, lands it too.
const spare = source('spare');
const trusted = table('trusted');
const walked = table('walked');
const paired = table('paired');

const pipeline = words.pipeline(
  words.zone('raw', {
    description: 'R.',
    tables: [people, steps, near, far, spare],
    jobs: [],
  }),
  words.zone('clean', {
    description: 'C.',
    tables: [paired, walked, trusted],
    jobs: [
      words.job({ output: paired, inputs: [walked, trusted], parameters: [pairing], description: 'J.' }),
      words.job({ output: walked, inputs: [steps, trusted], parameters: [consent], description: 'J.' }),
      words.job({ output: trusted, inputs: [people], parameters: [consent], description: 'J.' }),
    ],
  }),
);

/** A plan in names. */
function plan(request: Parameters<typeof planOf>[1]) {
  const { sources, jobs, parameters, published } = planOf(pipeline, request);
  const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name);
  return { sources: names(sources), jobs: names(jobs), parameters, published };
}

const defaults = { consent: 'granted', pairing: 'customer' };

test('everything, with data', () => {
  expect(plan({ data: 'd' })).toEqual({
    sources: ['people', 'steps', 'near', 'far', 'spare'],
    jobs: ['trusted', 'walked', 'paired'],
    parameters: defaults,
    published: [],
  });
});

test('everything, on the sources that are published', () => {
  expect(plan({ parameters: { consent: 'since-grant' } })).toEqual({
    sources: [],
    jobs: ['trusted', 'walked', 'paired'],
    parameters: { consent: 'since-grant', pairing: 'customer' },
    published: ['people', 'steps'],
  });
});

test('some jobs run in the order of the pipeline, and read what they do not make', () => {
  expect(plan({ only: ['paired', 'walked', 'paired'] })).toMatchObject({
    sources: [],
    jobs: ['walked', 'paired'],
    published: ['steps', 'trusted'],
  });
});

test('with data, some jobs read their own sources anew, and no others', () => {
  expect(plan({ data: 'd', only: ['walked'] })).toMatchObject({
    sources: ['steps'],
    jobs: ['walked'],
    published: ['trusted'],
  });
  expect(plan({ data: 'd', only: ['paired'] })).toMatchObject({
    sources: [],
    published: ['walked', 'trusted'],
  });
});

test('a source is read together with those that its expectations compare it with', () => {
  expect(plan({ data: 'd', only: ['trusted'] })).toEqual({
    sources: ['people', 'near', 'far'],
    jobs: ['trusted'],
    parameters: { consent: 'granted' },
    published: [],
  });
});

test('every name and value that is not known is told at once', () => {
  const request = {
    only: ['trusted', 'people', 'nobody'],
    parameters: { consent: 'always', mood: 'good', pairing: 'timestamp', toString: 'x' },
  };
  expect(() => plan(request)).toThrow(UsageError);
  expect(() => plan(request)).toThrow(
    new UsageError(
      [
        'no job "people"; there are trusted, walked, paired',
        'no job "nobody"; there are trusted, walked, paired',
        'consent is "always"; it takes granted or since-grant',
        'no parameter "mood"; there are pairing, consent',
        'no parameter "toString"; there are pairing, consent',
        'pairing changes nothing in trusted; it is for paired',
      ].join('\n'),
    ),
  );
});

test('a pipeline without parameters says so', () => {
  const plain = words.pipeline(
    words.zone('raw', { description: 'R.', tables: [steps], jobs: [] }),
    words.zone('clean', { description: 'C.', tables: [], jobs: [] }),
  );
  expect(() => planOf(plain, { parameters: { a: 'b' } })).toThrow(
    new UsageError('no parameter "a"; there are none'),
  );
});

test('no job at all is not the same as all', () => {
  expect(() => plan({ only: [] })).toThrow(
    new UsageError('only names no job; there are trusted, walked, paired'),
  );
});

describe('jobs in Python', () => {
  const { jobs } = pipeline;
  /** The same with some jobs in Python: paired reads walked, and both read trusted. */
  const withPython = (...names: readonly string[]) => ({
    ...pipeline,
    jobs: jobs.map((job) => (names.includes(job.name) ? { ...job, language: 'python' as const } : job)),
  });
  const required = (names: readonly string[], only?: readonly string[]) => () => {
    const given = withPython(...names);
    requireSql(given, planOf(given, { ...(only && { only }) }));
  };

  test('what DuckDB makes reads nothing of them', () => {
    const namesOf = (...names: readonly string[]) => {
      const { tables, jobs } = inSql(withPython(...names));
      const derived = [...tables.values()].filter(({ format }) => format === 'iceberg');
      return [derived, jobs].map((all) => all.map(({ name }) => name));
    };
    const all = ['trusted', 'walked', 'paired'];
    expect(namesOf()).toEqual([all, all]);
    expect(namesOf('walked')).toEqual([['trusted'], ['trusted']]);
    expect(namesOf('trusted')).toEqual([[], []]);
  });

  test('DuckDB says which it cannot run, and the ways out', () => {
    expect(required([])).not.toThrow();
    expect(required(['paired'], ['trusted', 'walked'])).not.toThrow();
    expect(required(['walked'])).toThrow(
      new UsageError(
        'DuckDB runs SQL only: walked is in Python, paired reads walked. Give --engine spark, or leave them out: --data DIR --only trusted',
      ),
    );
    expect(required(['walked'], ['paired'])).toThrow(
      new UsageError('DuckDB runs SQL only: paired reads walked. Give --engine spark'),
    );
  });
});
