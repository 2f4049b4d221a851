import { mkdirSync } from 'node:fs';
import { deliveries } from './deliveries';
import { BENCH } from './source';

// By day a few hundred customers, whose rows are what counts; at night a million, and what their runs take.
const isSoak = process.env.SOAK !== undefined;
const CUSTOMERS = isSoak ? 1_000_000 : 600;
const MOST_BYTES = 4 * 2 ** 30;

test('ten deliveries and a withdrawal give what a run of everything gives', async () => {
  mkdirSync(BENCH, { recursive: true });
  const { runs, withdrawal } = await deliveries(CUSTOMERS, isSoak ? 10 : 3);
  expect(withdrawal.tables.filter(({ part }) => part).map(({ table }) => table)).toContain(
    'customers_curated',
  );
  if (!isSoak) return;
  for (const { peakBytes } of [...runs, withdrawal]) expect(peakBytes).toBeLessThan(MOST_BYTES);
  const [first, last] = [runs[0]?.seconds ?? 0, runs.at(-1)?.seconds ?? 0];
  expect(last).toBeLessThan(2 * first);
  expect(withdrawal.seconds).toBeLessThan(first);
});
