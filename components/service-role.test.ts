import { output } from '@pulumi/pulumi';
import type { Statement } from './access';
import { roleName, ServiceRole } from './service-role';
import type { Site } from './site';
import { deployed, KEY, keyed, site } from './testing';

const ROLE = 'aws:iam/role:Role';
const POLICY = 'aws:iam/rolePolicy:RolePolicy';
const statements: Statement[] = [
  { Sid: 'Run', Effect: 'Allow', Action: ['glue:StartJobRun'], Resource: ['*'] },
];
const args = {
  site,
  purpose: 'runner',
  service: 'glue.amazonaws.com',
  description: 'Lets Glue run.',
  statements,
};

test('a role is for one service of this account, with a policy of its own', async () => {
  const { resources } = await deployed(() => new ServiceRole('run', args));
  expect(resources).toStrictEqual([
    {
      type: ROLE,
      name: 'run-role',
      parent: 'run',
      inputs: {
        name: 'acme-test-runner',
        description: 'Lets Glue run.',
        assumeRolePolicy: {
          json: {
            Version: '2012-10-17',
            Statement: [
              {
                Effect: 'Allow',
                Principal: { Service: 'glue.amazonaws.com' },
                Action: 'sts:AssumeRole',
              },
            ],
          },
        },
        tags: { project: 'acme', team: 'data' },
      },
      after: [],
    },
    {
      type: POLICY,
      name: 'run-policy',
      parent: 'run',
      inputs: {
        role: 'acme-test-runner',
        policy: { json: { Version: '2012-10-17', Statement: statements } },
      },
      after: ['run-role'],
    },
    {
      type: 'lakehouse:access:ServiceRole',
      name: 'run',
      inputs: {},
      after: [],
      outputs: { arn: 'run-role.arn' },
    },
  ]);
});

test('the right to the key is a policy apart', async () => {
  const of = (at: Site) => deployed(() => new ServiceRole('run', { ...args, site: at }));
  const [plain, withKey] = [await of(site), await of({ ...keyed, key: output(KEY) })];
  expect(withKey.list.filter((one) => !plain.list.includes(one))).toEqual([`${POLICY} run-key-policy`]);
  expect(withKey.inputs(POLICY, 'run-policy')).toStrictEqual(plain.inputs(POLICY, 'run-policy'));
  expect(withKey.one(POLICY, 'run-key-policy').parent).toBe('run');
});

test('who takes the role waits for its policies', async () => {
  const { one } = await deployed(() => {
    const first = new ServiceRole('first', { ...args, site: keyed });
    const named = { ...site, tags: { first: first.arn as unknown as string } };
    return new ServiceRole('second', { ...args, site: named, purpose: 'second' });
  });
  expect(one(ROLE, 'second-role').after).toEqual(['first-key-policy', 'first-policy', 'first-role']);
});

describe('the name of a role', () => {
  const fill = 64 - `${site.name}-`.length;

  test('stays as it is up to 64 characters', () => {
    const purpose = 'p'.repeat(fill);
    expect(roleName(site, purpose)).toBe(`acme-test-${purpose}`);
  });

  test('keeps its beginning and gets a hash of the whole above that', () => {
    const purpose = 'p'.repeat(fill + 1);
    const name = roleName(site, purpose);
    expect(name).toBe(`acme-test-${'p'.repeat(45)}-075f1085`);
    expect(name).toHaveLength(64);
    expect(roleName(site, `${purpose}p`)).not.toBe(name);
    expect(roleName({ ...site, name: 'acme-prod' }, purpose).slice(-9)).not.toBe(name.slice(-9));
  });

  test('is the one that the role gets', async () => {
    const purpose = `${'long-'.repeat(12)}optimizer`;
    const { inputs } = await deployed(() => new ServiceRole('run', { ...args, purpose }));
    expect(inputs(ROLE).name).toBe(roleName(site, purpose));
    expect(inputs(POLICY).role).toBe(roleName(site, purpose));
  });
});
