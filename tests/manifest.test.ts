// What the definition's TypeScript writes, the runner reads: whole manifests of their format, and no other.
import type { Job } from '../model';
import { erasureOf, manifestOf } from '../model/manifest';
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
const manifests = lake.jobs.map((job) => {
  const { output, ...rest } = placed(job);
  return { ...rest, output: { ...output, quarantine: 's3://refused/' } };
});
const erasure = erasureOf({
  jobs: [{ manifest: 's3://jobs/m.json', code: 's3://jobs/q.sql', parameters: { consent: 'granted' } }],
  suppressed: 's3://suppressed/list.json',
  receipts: 's3://receipts/',
});

/** What the runner says of each text: nothing where it takes it. */
function said(kind: 'manifest' | 'erasure', values: readonly object[]): string[] {
  const program = `
import json, sys
from lakehouse_runner.manifest import ManifestError, read_${kind}
for text in json.load(sys.stdin):
    try:
        read_${kind}(text)
        print("")
    except ManifestError as error:
        print(error)
`;
  const input = JSON.stringify(values.map((value) => JSON.stringify(value)));
  return python(program, { input }).replace(/\n$/, '').split('\n');
}

withPython('a manifest', () => {
  test.each([
    ['manifest', [...lake.jobs.map(placed), ...manifests]],
    ['erasure', [erasure]],
  ] as const)('of a %s is one to the runner too, and one of another format is not', (kind, real) => {
    expect(said(kind, real)).toEqual(real.map(() => ''));
    const other = real.map((each) => ({ ...each, version: each.version + 1 }));
    for (const text of said(kind, other))
      expect(text).toMatch(
        /^the manifest is of format \d+, and this runner reads \d+; deploy the stack again$/,
      );
  });
});
