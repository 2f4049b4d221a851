import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDir } from '../../tests/support/lake';
import { checksumOf } from './checksum';

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
