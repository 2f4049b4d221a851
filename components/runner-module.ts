import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import type { BinaryFile } from './asset';

/** Folder of wheels in that of the runner; git ignores it. */
const WHEELS = 'wheels';

/** What the jobs need beside what Glue has, as pip names it: pinned where local Spark gets it from too. */
export function runnerModule(dir: string): string {
  const found = /^duckdb==\S+$/m.exec(readFileSync(join(dir, 'requirements.txt'), 'utf8'));
  if (!found) throw new Error(`${join(dir, 'requirements.txt')} does not pin duckdb`);
  return found[0];
}

/**
 * The wheel of a module, for jobs that cannot ask the registry, with its path from `root`. Throws an Error that says
 * how to get it where it is missing.
 */
export function wheelOf(root: string, dir: string, module: string): BinaryFile {
  const folder = join(dir, WHEELS);
  const start = `${module.replace('==', '-')}-cp311-`;
  const name = (existsSync(folder) ? readdirSync(folder) : []).find(
    (file) => file.startsWith(start) && file.endsWith('x86_64.whl'),
  );
  if (name !== undefined) {
    return { bytes: readFileSync(join(folder, name)), path: relative(root, join(folder, name)) };
  }
  const place = relative(root, folder);
  throw new Error(
    `jobs in a private network cannot fetch ${module} from PyPI, and there is no wheel of it in ${place}; get it by: ` +
      `pip download ${module} --no-deps --only-binary :all: --python-version 3.11 --platform manylinux_2_28_x86_64 --dest ${place}`,
  );
}

/** pip knows a wheel by the name of its file. */
export const fileNameOf = ({ path }: BinaryFile) => basename(path);
