import { recordOf } from './names';

const FEW = { emails: 5, serialNumbers: 30 };

test('every e-mail comes with every serial number', () => {
  const pairs = new Set<string>();
  for (let i = 0; i < 150; i++) {
    const { email, serialNumber } = recordOf('customer', i, FEW) as Record<string, string>;
    pairs.add(`${email} ${serialNumber}`);
  }
  expect(pairs.size).toBe(150);
});

test('as many e-mails as records are distinct', () => {
  const names = { emails: 1000, serialNumbers: 1000 };
  const emails = Array.from({ length: 1000 }, (_, i) => recordOf('accelerometer', i, names));
  expect(new Set(emails.map((reading) => (reading as { user: string }).user)).size).toBe(1000);
});
