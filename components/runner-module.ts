import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import type { BinaryFile } from './asset';
import { GLUE } from './constants';

/** Folder of wheels in that of the runner; git ignores it. */
const WHEELS = 'wheels';
/** Beside it: their names and SHA-256, as `sha256sum` writes them. */
const SUMS = 'wheels.sha256';
const TAG = `cp${GLUE.python.replace('.', '')}`;

/** What the jobs need beside what Glue has, as pip names it: pinned where local Spark gets it from too. */
export function runnerModule(dir: string): string {
  const found = /^duckdb==\S+$/m.exec(readFileSync(join(dir, 'requirements.txt'), 'utf8'));
  if (!found) throw new Error(`${join(dir, 'requirements.txt')} does not pin duckdb`);
  return found[0];
}

/** The wheel of a module that is pinned for Glue's Python: its SHA-256 and its name. Throws an Error where there is none. */
export function pinnedWheel(dir: string, module: string): { readonly sha256: string; readonly name: string } {
  const lines = readFileSync(join(dir, SUMS), 'utf8').split('\n');
  const start = `${module.replace('==', '-')}-${TAG}-`;
  const [sha256, name] =
    lines.map((line) => line.split('  ')).find(([, file]) => file?.startsWith(start)) ?? [];
  if (sha256 === undefined || name === undefined)
    throw new Error(`${join(dir, SUMS)} pins no wheel of ${module} for Glue's Python ${GLUE.python}`);
  return { sha256, name };
}

/**
 * The wheel of a module, for jobs that cannot ask the registry, with its path from `root`. Nothing is fetched: throws an
 * Error that says how to get it where it is missing, or another one than the pinned.
 */
export function wheelOf(root: string, dir: string, module: string): BinaryFile {
  const { sha256, name } = pinnedWheel(dir, module);
  const file = join(dir, WHEELS, name);
  const path = relative(root, file);
  const remedy =
    `get it by: pip download ${module} --no-deps --only-binary :all: --python-version ${GLUE.python} ` +
    `--platform manylinux_2_28_x86_64 --dest ${relative(root, join(dir, WHEELS))}`;
  if (!existsSync(file))
    throw new Error(
      `jobs in a private network cannot fetch ${module} from PyPI, and there is no ${path}; ${remedy}`,
    );
  const bytes = readFileSync(file);
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== sha256)
    throw new Error(
      `${path} has the SHA-256 ${found}, and ${relative(root, join(dir, SUMS))} pins ${sha256}; delete it and ${remedy}`,
    );
  return { bytes, path };
}

/** pip knows a wheel by the name of its file. */
export const fileNameOf = ({ path }: BinaryFile) => basename(path);
