import { lake } from '../pipeline';
import { policies } from '../policy/index';
import { ROOT } from './support/lake';
import { type Operation, PSEUDONYM_KEY, type Stack, stackIn, withPulumi } from './support/pulumi';

const deployed = (stack: string, config: Readonly<Record<string, unknown>> = {}) =>
  stackIn({ program: ROOT, stack, config, secrets: { pseudonymKey: PSEUDONYM_KEY } });

const told = ({ violations, stdout, stderr }: Operation) =>
  violations.length > 0 ? violations : stdout + stderr;

/** One edit for each policy, of what the components promise, and what the policy then says. */
const BROKEN: Readonly<Record<string, { file: string; from: string; to: string; says: RegExp }>> = {
  's3-no-public-access': {
    file: 'components/bucket.ts',
    from: 'blockPublicPolicy: true',
    to: 'blockPublicPolicy: false',
    says: /blockPublicPolicy/,
  },
  's3-encrypted': {
    file: 'components/bucket.ts',
    from: "sseAlgorithm: 'AES256'",
    to: "sseAlgorithm: ''",
    says: /sseAlgorithm/,
  },
  's3-versioned': {
    file: 'components/bucket.ts',
    from: "versioningConfiguration: { status: 'Enabled' }",
    to: "versioningConfiguration: { status: 'Suspended' }",
    says: /Suspended/,
  },
  's3-lifecycle': {
    file: 'components/bucket.ts',
    from: 'abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },',
    to: '',
    says: /abort/i,
  },
  's3-tls-only': {
    file: 'components/bucket.ts',
    from: "'aws:SecureTransport': 'false'",
    to: "'aws:SecureTransport': 'true'",
    says: /SecureTransport/,
  },
  'iam-no-wildcards': {
    file: 'components/access.ts',
    from: "['s3:GetObject']",
    to: "['s3:*']",
    says: /s3:\*/,
  },
  'iam-trust': {
    file: 'components/access.ts',
    from: "Condition: { StringEquals: { 'aws:SourceAccount': site.account } },",
    to: '',
    says: /SourceAccount/,
  },
  tags: {
    file: 'components/settings.ts',
    from: "'managed-by': 'pulumi'",
    to: "'managed-by': ''",
    says: /managed-by/,
  },
  'glue-job-limits': {
    file: 'components/spark-job.ts',
    from: 'timeout: settings.timeoutMinutes',
    to: 'timeout: 2880',
    says: /2880/,
  },
  'crawler-does-not-change-tables': {
    file: 'components/crawler.ts',
    from: "updateBehavior: 'LOG'",
    to: "updateBehavior: 'UPDATE_IN_DATABASE'",
    says: /UPDATE_IN_DATABASE/,
  },
  'iceberg-owned-by-program': {
    file: 'components/glue-table.ts',
    from: '// Everything of the schema stands here',
    to: 'description: table.description,\n          // Everything of the schema stands here',
    says: /description/,
  },
  'log-retention': {
    file: 'components/spark-job.ts',
    from: 'retentionInDays: logDays',
    to: 'retentionInDays: 0',
    says: /retentionInDays/,
  },
  'athena-limits': {
    file: 'components/workgroup.ts',
    from: 'enforceWorkgroupConfiguration: true',
    to: 'enforceWorkgroupConfiguration: false',
    says: /enforceWorkgroupConfiguration/,
  },
};

withPulumi('the policy pack, by the real engine', () => {
  it.each([
    { stack: 'dev', config: {} },
    { stack: 'prod', config: {} },
    { stack: 'prod', config: { network: {}, start: 'files', dashboard: true } },
  ])('lets stack $stack with $config through, in preview and up', async ({ stack, config }) => {
    const made = await deployed(stack, config);
    const preview = await made.preview({ policyPack: 'policy' });
    expect(preview.violations.filter(({ level }) => level !== 'advisory')).toEqual([]);
    expect(preview.status).toBe(0);
    const up = await made.up({ policyPack: 'policy' });
    // Nothing is unknown any more, so nothing was left unchecked.
    expect(up.violations).toEqual([]);
    expect(up.status).toBe(0);
  });

  describe('on a program that breaks what the components promise', () => {
    let refused: Operation;
    beforeAll(async () => {
      // With a role that EventBridge takes.
      const stack: Stack = await deployed('dev', { start: 'files' });
      for (const { file, from, to } of Object.values(BROKEN)) {
        stack.edit(file, (text) => text.replace(from, () => to));
      }
      refused = await stack.preview({ policyPack: 'policy' });
    });

    it('fails the preview', () => {
      expect(refused.status).not.toBe(0);
    });

    it.each(Object.entries(BROKEN))('%s says what is wrong', (policy, { says }) => {
      const mandatory = refused.violations.filter((v) => v.policy === policy && v.level === 'mandatory');
      if (mandatory.length === 0) throw new Error(`${policy} said nothing: ${JSON.stringify(told(refused))}`);
      expect(mandatory.map(({ message }) => message).join('\n')).toMatch(says);
    });
  });

  it('prod-protected says what of prod is not protected', async () => {
    const refused = await (await deployed('prod', { protect: false })).preview({ policyPack: 'policy' });
    expect(refused.status).not.toBe(0);
    const names = refused.violations.filter(({ level }) => level === 'mandatory').map(({ policy }) => policy);
    expect([...new Set(names)]).toEqual(['prod-protected']);
    // Buckets with those of artifacts and of the trail, the database, tables with those of refused lines, key and secret.
    expect(names).toHaveLength(lake.zones.length + 2 + 1 + lake.tables.size + lake.sources.length + 2);
  });

  it('has a broken program for each of its policies', () => {
    expect([...Object.keys(BROKEN), 'prod-protected'].sort()).toEqual(
      policies.map(({ name }) => name).sort(),
    );
  });
});
