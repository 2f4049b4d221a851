import { open, rename } from 'node:fs/promises';

/**
 * Puts a file in the place of another in one step: a reader sees the old one or the new one, whole. `temporary` takes it
 * until it is whole, on the same disk.
 */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
  temporary = `${path}.tmp`,
  mode?: number,
): Promise<void> {
  const file = await open(temporary, 'w', mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
