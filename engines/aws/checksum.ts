import { createReadStream } from 'node:fs';
import { crc32 } from 'node:zlib';
import { Crc64Nvme } from '@aws-sdk/checksums/crc';

/**
 * Checksums of a whole object that are compared. What is uploaded here gets a CRC32, as by the SDKs: of those that S3
 * gives of the whole even for an upload in parts, it is the one that Node computes itself, at 3 GB/s. What came by S3's
 * console, by its command line or without any has a CRC64NVME.
 */
export const ALGORITHMS = ['CRC64NVME', 'CRC32'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** A CRC32 as S3 writes it: its four bytes, the highest first, in base64. */
export function writtenCrc32(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes.toString('base64');
}

const readChunks = (path: string): AsyncIterable<Buffer> =>
  createReadStream(path, { highWaterMark: 1 << 20 });

/** The checksum of a file as S3 writes it. Throws what the file system throws. */
export async function checksumOf(path: string, algorithm: Algorithm): Promise<string> {
  if (algorithm === 'CRC32') {
    let value = 0;
    for await (const chunk of readChunks(path)) value = crc32(chunk, value);
    return writtenCrc32(value);
  }
  const sum = new Crc64Nvme();
  for await (const chunk of readChunks(path)) sum.update(chunk);
  return Buffer.from(await sum.digest()).toString('base64');
}
