import { administratorFault } from './lake-formation';

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
