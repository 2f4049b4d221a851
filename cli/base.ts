import { type ExecFileException, execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, symlink } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { LakeError, UsageError } from '../engines/engine';
import { ROOT } from '../engines/root';

const MOST_OUTPUT = 256 * 1024 ** 2;

interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const run = (file: string, args: readonly string[], cwd: string) =>
  new Promise<Ran>((done) => {
    execFile(
      file,
      args,
      { cwd, maxBuffer: MOST_OUTPUT, encoding: 'utf8' },
      (error: ExecFileException | null, stdout, stderr) =>
        done({
          status: error === null ? 0 : typeof error.code === 'number' ? error.code : 1,
          stdout,
          stderr: stderr || (error?.message ?? ''),
        }),
    );
  });

/** Another revision of a lakehouse, in a folder of its own, with its own `lake`. */
export interface Base {
  /** What it is compared with: the commit at which the branch left it. */
  readonly commit: string;
  /** Runs its `lake`, which works on its lakehouse. */
  lake(args: readonly string[]): Promise<Ran>;
  remove(): Promise<void>;
}

/** The folder of the git repository that has a lakehouse. Throws a UsageError where there is none. */
export async function repositoryOf(dir: string): Promise<string> {
  const { status, stdout } = await run('git', ['rev-parse', '--show-toplevel'], dir);
  if (status !== 0)
    throw new UsageError(`${dir} is in no git repository; lake review compares two of its revisions`);
  return resolve(stdout.trim());
}

/** The branch to compare with where none is given. Throws a UsageError where it is not clear. */
export async function defaultBase(root: string): Promise<string> {
  for (const ref of ['origin/HEAD', 'origin/main', 'main', 'master'])
    if ((await run('git', ['rev-parse', '--verify', '--quiet', `${ref}^{commit}`], root)).status === 0)
      return ref;
  throw new UsageError('give --base REF: the branch or commit to compare with');
}

/**
 * Checks out in `place` where this branch left `ref`, with the packages that its lock file names. Throws a UsageError for a
 * name that git does not know, and a LakeError where its packages cannot be installed.
 */
export async function openBase(project: string, ref: string, place: string): Promise<Base> {
  const root = await repositoryOf(project);
  const git = (...args: string[]) => run('git', ['-c', 'core.hooksPath=/dev/null', ...args], root);
  const known = await git('rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`);
  if (known.status !== 0)
    throw new UsageError(
      `--base ${ref}: git knows no such commit; fetch it (actions/checkout takes fetch-depth: 0)`,
    );
  const left = await git('merge-base', known.stdout.trim(), 'HEAD');
  const commit = (left.status === 0 ? left.stdout : known.stdout).trim();
  const made = await git('worktree', 'add', '--detach', place, commit);
  if (made.status !== 0)
    throw new LakeError(`${ref} cannot be checked out: ${made.stderr.trim().split('\n').at(-1)}`);
  const remove = async () => {
    await git('worktree', 'remove', '--force', place);
  };
  try {
    for (const dir of foldersBetween(root, project))
      await givePackages(dir, join(place, relative(root, dir)));
  } catch (error) {
    await remove();
    throw error;
  }
  // This very program, as the base has it; where it is no part of the repository, there is one for both.
  const inside = relative(root, ROOT);
  const own = inside.startsWith('..') ? ROOT : join(place, inside);
  const base = join(place, relative(root, project));
  const lake = (args: readonly string[]) =>
    run(process.execPath, [join(own, 'cli', 'lake.js'), '--project', base, ...args], base);
  return { commit, lake, remove };
}

/** The lakehouse's folder and those above it, up to the repository's. */
function foldersBetween(root: string, dir: string): string[] {
  return dir === root || dirname(dir) === dir ? [dir] : [dir, ...foldersBetween(root, dirname(dir))];
}

const LOCK = 'package-lock.json';

/** The same lock file names the same packages: those that are here serve. */
async function givePackages(here: string, there: string): Promise<void> {
  if (!existsSync(join(there, LOCK))) return;
  const lock = (dir: string) => readFile(join(dir, LOCK), 'utf8').catch(() => '');
  const packages = join(here, 'node_modules');
  if ((await lock(here)) === (await lock(there)) && existsSync(packages)) {
    await symlink(packages, join(there, 'node_modules'));
    return;
  }
  const { status, stderr } = await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], there);
  if (status !== 0) throw new LakeError(`npm ci of the base failed: ${stderr.trim().split('\n')[0]}`);
}
