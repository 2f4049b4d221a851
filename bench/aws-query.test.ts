import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const measured = (rows: number): { rows: number; peakBytes: number } => {
  const args = ['--require', './cli/typescript.js', join(__dirname, 'aws-query.ts'), String(rows)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect({ status, stderr: stderr.replace(/query id \S+/, 'query id …') }).toEqual({
    status: 0,
    stderr: 'scanned 0 bytes, about USD 0.00005; query id …\n',
  });
  return JSON.parse(stdout);
};

// As text they are 60 MB, and as objects several times that.
test('200,000 rows of a query on a stack become CSV in the memory of a thousand and some garbage', () => {
  const few = measured(1000);
  const many = measured(200_000);
  expect([few.rows, many.rows]).toEqual([1000, 200_000]);
  expect(many.peakBytes - few.peakBytes).toBeLessThan(100 * 1024 ** 2);
});
