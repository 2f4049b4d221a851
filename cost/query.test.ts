import { queryPrice } from './query';

const MB = 1024 ** 2;

test.each([
  [0, 10],
  [10 * MB, 10],
  [10 * MB + 1, 11],
  [1024 * MB, 1024],
])('%i bytes are billed as %i MB', (bytes, megabytes) => {
  expect(queryPrice(bytes)).toBeCloseTo((5 * megabytes) / MB, 12);
});

test('a terabyte costs 5 USD', () => expect(queryPrice(1024 ** 4)).toBe(5));
