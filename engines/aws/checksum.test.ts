import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDir } from '../../tests/support/lake';
import { checksumOf, partsOf } from './checksum';

const dir = temporaryDir('checksum');
const file = (name: string, bytes: Buffer | string) => {
  const path = join(dir, name);
  writeFileSync(path, bytes);
  return path;
};
const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64');

test('checksums are those that the catalogues of CRCs give', async () => {
  const path = file('check', '123456789');
  expect(await checksumOf(path, 'CRC32')).toBe(base64('cbf43926'));
  expect(await checksumOf(path, 'CRC64NVME')).toBe(base64('ae8b14860a799888'));
  const empty = file('empty', '');
  expect(await checksumOf(empty, 'CRC32')).toBe(base64('00000000'));
  expect(await checksumOf(empty, 'CRC64NVME')).toBe(base64('0000000000000000'));
});

test.each([
  [1, 3],
  [3, 3],
  [4, 3],
  // Over the ends of what is read at once.
  [(2 << 20) + 5, 1 << 20],
  [(3 << 20) + 5, (1 << 20) + 7],
  [(3 << 20) + 5, 300_001],
])('%i bytes in parts of %i', async (size, partBytes) => {
  const bytes = Buffer.from(Array.from({ length: size }, (_, i) => (i * 31 + (i >> 9)) % 251));
  const path = file('parted', bytes);
  const { parts, checksum } = await partsOf(path, partBytes);
  expect(checksum).toBe(await checksumOf(path, 'CRC32'));
  expect(parts.map(({ number }) => number)).toEqual(parts.map((_, i) => i + 1));
  expect(parts.reduce((total, part) => total + part.size, 0)).toBe(size);
  for (const part of parts) {
    expect(part.start).toBe((part.number - 1) * partBytes);
    if (part.number < parts.length) expect(part.size).toBe(partBytes);
    const own = file('part', bytes.subarray(part.start, part.start + part.size));
    expect(part.checksum).toBe(await checksumOf(own, 'CRC32'));
  }
});
