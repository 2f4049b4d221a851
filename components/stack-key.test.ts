import { StackKey } from './stack-key';
import { deployed, site } from './testing';

const KEY = 'aws:kms/key:Key';

// What it allows: tests/access.test.ts.
const POLICY = { json: expect.objectContaining({ Version: '2012-10-17' }) };

test.each([
  { protect: true, keep: true },
  { protect: true, keep: false },
  { protect: false, keep: false },
])(
  'a key that rotates, with a name and a policy (protect $protect, keep $keep)',
  async ({ protect, keep }) => {
    const { resources } = await deployed(() => new StackKey('stack', { site, protect, keep }));
    expect(resources).toStrictEqual([
      {
        type: 'aws:kms/alias:Alias',
        name: 'stack-alias',
        parent: 'stack',
        inputs: { name: 'alias/acme-test', targetKeyId: 'stack-key.keyId' },
        after: ['stack-key'],
      },
      {
        type: KEY,
        name: 'stack-key',
        parent: 'stack',
        inputs: {
          description: 'Data, logs and alerts of acme-test.',
          enableKeyRotation: true,
          deletionWindowInDays: 30,
          policy: POLICY,
          tags: { project: 'acme', team: 'data' },
        },
        after: [],
        protect,
        retainOnDelete: keep,
      },
      {
        type: 'lakehouse:security:StackKey',
        name: 'stack',
        inputs: {},
        after: [],
        outputs: { arn: 'stack-key.arn' },
      },
    ]);
  },
);

test('a transform changes neither rotation nor policy', async () => {
  const { inputs } = await deployed(
    () =>
      new StackKey('stack', {
        site,
        protect: true,
        keep: true,
        transform: {
          key: { enableKeyRotation: false, policy: '{}', multiRegion: true, deletionWindowInDays: 7 },
        },
      }),
  );
  expect(inputs(KEY)).toStrictEqual({
    description: 'Data, logs and alerts of acme-test.',
    enableKeyRotation: true,
    deletionWindowInDays: 7,
    policy: POLICY,
    multiRegion: true,
    tags: site.tags,
  });
});
