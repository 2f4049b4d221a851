import { given, told, unknown } from './given';
import { tags, takesTags } from './tags';
import type { Value, Values } from './values';

const all = { project: 'stedi', stack: 'dev', 'managed-by': 'pulumi' };
const job = (props: Values, provider: Values = {}) =>
  told(tags.check(given('aws:glue/job:Job', props, { provider }), {}));
const missing = (tag: string, found = 'not set') =>
  `it.tags["${tag}"]: is ${found}; costs and owners are told by the tags; set it, best in the provider's defaultTags`;

describe('tags', () => {
  it('accepts them on the resource, on its provider, or some on each', () => {
    const { stack, ...rest } = all;
    expect(job({ tags: all })).toEqual([]);
    expect(job({}, { defaultTags: JSON.stringify({ tags: all }) })).toEqual([]);
    expect(job({}, { defaultTags: { tags: all } })).toEqual([]);
    expect(job({ tags: { stack } }, { defaultTags: JSON.stringify({ tags: rest }) })).toEqual([]);
  });

  it('names each that is missing or empty', () => {
    expect(job({})).toEqual([missing('project'), missing('stack'), missing('managed-by')]);
    expect(job({ tags: { ...all, stack: '' } })).toEqual([missing('stack', '""')]);
    expect(job({ tags: { ...all, stack: ' ' } })).toEqual([missing('stack', '" "')]);
    expect(job({ tags: { project: '' } }, { defaultTags: { tags: all } })).toEqual([
      missing('project', '""'),
    ]);
    expect(job({}, { defaultTags: '{}' })).toHaveLength(3);
  });

  it('does not judge what is unknown, and does judge the rest', () => {
    expect(job({ tags: { ...all, project: unknown, stack: '' } })).toEqual([
      '(unknown)',
      missing('stack', '""'),
    ]);
    expect(job({ tags: unknown })).toEqual(['(unknown)', '(unknown)', '(unknown)']);
    expect(job({}, { defaultTags: unknown })).toHaveLength(3);
    expect(job({ tags: all }, { defaultTags: unknown })).toEqual([]);
  });

  it.each<[string, boolean]>([
    ['aws:athena/workgroup:Workgroup', true],
    ['aws:cloudwatch/eventRule:EventRule', true],
    ['aws:cloudwatch/logGroup:LogGroup', true],
    ['aws:glue/crawler:Crawler', true],
    ['aws:glue/mLTransform:MLTransform', true],
    ['aws:glue/trigger:Trigger', true],
    ['aws:iam/role:Role', true],
    ['aws:kms/key:Key', true],
    ['aws:s3/bucket:Bucket', true],
    ['aws:sns/topic:Topic', true],
    ['aws:athena/namedQuery:NamedQuery', false],
    ['aws:cloudwatch/eventTarget:EventTarget', false],
    ['aws:glue/catalogTable:CatalogTable', false],
    ['aws:iam/rolePolicy:RolePolicy', false],
    ['aws:kms/alias:Alias', false],
    ['aws:s3/bucketVersioning:BucketVersioning', false],
  ])('knows of %s whether it takes tags: %p', (type, takes) => {
    expect(takesTags(type)).toBe(takes);
    expect(told(tags.check(given(type, {}), {}))).toHaveLength(takes ? 3 : 0);
  });

  it.each<Value>(['aws:glue/nothing:Nothing', 'aws:nothing/job:Job', 'aws:glue/job:Jab'])(
    'says so where a type is not known: %s',
    (type) => {
      expect(told(tags.check(given(String(type), {}), {}))).toEqual([
        `it.tags: ${type} is not in @pulumi/aws; costs and owners are told by the tags; install the @pulumi/aws that the program uses`,
      ]);
    },
  );
});
