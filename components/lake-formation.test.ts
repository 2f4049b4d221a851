import { double, type Table } from '../model';
import { GlueTable } from './glue-table';
import { administratorFault, LakeFormation } from './lake-formation';
import { deployed, RAW, reading, readingRaw, site, words } from './testing';

describe('who sets up Lake Formation', () => {
  const ADMINS = [
    'arn:aws:iam::111122223333:user/team/ana',
    'arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123',
  ];

  test.each([
    ['arn:aws:iam::111122223333:user/team/ana'],
    ['arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123/ana@example.com'],
  ])('is an administrator: %s', (caller) => {
    expect(administratorFault(caller, ADMINS)).toBeUndefined();
  });

  test.each([
    // A role of the name of a user is another one.
    ['arn:aws:sts::111122223333:assumed-role/ana/session', 'role ana'],
    ['arn:aws:iam::111122223333:user/AWSReservedSSO_Admin_0123', 'user AWSReservedSSO_Admin_0123'],
    ['arn:aws:sts::111122223333:assumed-role/deploy/bob@example.com', 'role deploy'],
  ])('is none: %s', (caller, named) => {
    const fault = administratorFault(caller, ADMINS);
    expect(fault?.path).toBe('permissions');
    expect(fault?.message).toContain(`${named} is none in this account and region`);
    // The name of a session may be somebody's address.
    expect(fault?.message).not.toContain('@');
  });
});

test('an open source is granted as it stands in the catalog, and a table by its columns', async () => {
  const openRaw = words.source({
    name: 'value_raw',
    zone: 'raw',
    entity: 'value',
    description: 'A value.',
    columns: { value: double('What.', { from: 'inner.value' }) },
  });
  const { resources } = await deployed(() => {
    const tables = [openRaw, readingRaw, reading].map(
      (table) =>
        new GlueTable<Table>(table.name, {
          site,
          table,
          bucket: RAW,
          bucketName: RAW,
          optimize: false,
          protect: false,
          keep: false,
        }),
    );
    const analysts = ['arn:aws-cn:iam::123456789012:role/analyst'];
    new LakeFormation('lf', { site, analysts, database: site.database, tables, others: [], writers: {} });
  });
  const granted = resources.flatMap(({ type, inputs: { permissions, table, tableWithColumns } }) =>
    type.endsWith(':Permissions') && String(permissions) === 'SELECT' ? [table ?? tableWithColumns] : [],
  );
  expect(granted).toEqual([
    { databaseName: site.database, name: 'reading', columnNames: ['readAt', 'value'] },
    { databaseName: site.database, name: 'value_raw' },
  ]);
});
