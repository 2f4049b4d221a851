import { randomUUID } from 'node:crypto';
import { portabilityFaults } from './known-portable';

const judge = jest.fn();
jest.mock('./portable-sql', () => ({ portabilityFaults: (...given: unknown[]) => judge(...given) }));
afterEach(() => judge.mockReset());

test('SQL that was found portable is not looked at again, any other is', () => {
  judge.mockReturnValue([]);
  const [sql, other] = [`SELECT '${randomUUID()}'`, `SELECT '${randomUUID()}'`];
  expect([portabilityFaults(sql, {}), portabilityFaults(sql, {})]).toEqual([[], []]);
  expect(judge.mock.calls).toEqual([[sql, {}]]);
  portabilityFaults(other, {});
  portabilityFaults(sql, { class: 'CONSTANT' });
  expect(judge).toHaveBeenCalledTimes(3);
});

test('a fault is told each time', () => {
  judge.mockReturnValue([{ line: 1, message: 'ILIKE' }]);
  const sql = `SELECT '${randomUUID()}'`;
  for (let i = 0; i < 2; i++) expect(portabilityFaults(sql, {})).toEqual([{ line: 1, message: 'ILIKE' }]);
});
