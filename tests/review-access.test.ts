// The rights that a review speaks of are those that the policies of a stack give.
import { hasQuarantine } from '../model';
import { lake } from '../pipeline';
import { analystRights, jobRights } from '../review/access';
import { type Emitted, emitted } from './support/emitted';
import { allows, type NamedPolicy, ofType, type Policies, policiesOf } from './support/iam';

const ACCOUNT = '123456789012';
const NAME = 'stedi-lakehouse-prod';
const ANALYST = `arn:aws:iam::${ACCOUNT}:role/analyst`;

/** Folder of each table, and of what it refuses. */
const FOLDERS = new Map(
  [...lake.tables.values()].flatMap((table) => {
    const bucket = `arn:aws:s3:::${NAME}-${table.zone}-${ACCOUNT}`;
    const folder = table.format === 'json' ? `${table.entity}/landing` : table.name;
    const quarantine = [`${table.name}_quarantine`, `${bucket}/quarantine/${table.name}/x`] as const;
    return [[table.name, `${bucket}/${folder}/x`] as const, ...(hasQuarantine(table) ? [quarantine] : [])];
  }),
);

const may = (identity: readonly NamedPolicy[], action: string, resource: string) =>
  allows({ principal: ANALYST, identity, account: ACCOUNT, action, resource });

describe('by IAM', () => {
  let resources: readonly Emitted[];
  let policies: Policies;
  beforeAll(async () => {
    ({ resources } = await emitted('prod', {}));
    policies = policiesOf(resources);
  });

  test.each(lake.jobs.map(({ name }) => name))(
    'the job %s reads and writes what is said, and no more',
    async (job) => {
      const { policies: own = [] } = policies.roles.find(({ name }) => name === `${NAME}-${job}`) ?? {};
      const said = jobRights(lake).filter(({ who }) => who === `the job ${job}`);
      const of = (right: string) => said.filter((one) => one.may === right).map(({ what }) => what);
      for (const [table, file] of FOLDERS) {
        const writes = await may(own, 's3:PutObject', file);
        expect([table, writes]).toEqual([table, of('write').includes(table)]);
        // Who writes may read, as Iceberg does.
        const reads = await may(own, 's3:GetObject', file);
        expect([table, reads]).toEqual([table, writes || of('read').includes(table)]);
      }
      const [secret] = ofType(resources, 'aws:secretsmanager/secret:Secret');
      const uses = await may(own, 'secretsmanager:GetSecretValue', String(secret?.arn));
      expect(uses).toBe(of('use').includes('the key of pseudonyms'));
      const list = await may(
        own,
        's3:GetObject',
        `arn:aws:s3:::${NAME}-artifacts-${ACCOUNT}/suppressed/list.json`,
      );
      expect(list).toBe(of('read').includes('the list of who was forgotten'));
    },
  );

  test('analysts query the tables that are said, and no others', async () => {
    const own = policies.managed.filter(({ name }) => name === `${NAME}-analyst`);
    const open = new Set(analystRights(lake, { permissions: 'iam', analysts: [] }).map(({ what }) => what));
    for (const [table, file] of FOLDERS)
      expect([table, await may(own, 's3:GetObject', file)]).toEqual([table, open.has(table)]);
  });
});

test('by Lake Formation, analysts query the columns that are said, and no others', async () => {
  const { resources } = await emitted('prod', { permissions: 'lake-formation', analysts: [ANALYST] });
  const granted = ofType(resources, 'aws:lakeformation/permissions:Permissions').flatMap(({ inputs }) => {
    const { principal, tableWithColumns: at } = inputs as {
      principal: string;
      tableWithColumns?: { name: string; columnNames: readonly string[] };
    };
    return principal === ANALYST && at ? at.columnNames.map((column) => `${at.name}.${column}`) : [];
  });
  const said = analystRights(lake, { permissions: 'lake-formation', analysts: [ANALYST] });
  expect(said.map(({ what, column }) => `${what}.${column}`).toSorted()).toEqual(granted.toSorted());
});
