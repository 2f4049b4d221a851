import { spawnSync } from 'node:child_process';
import { existsSync, realpathSync, rmSync } from 'node:fs';
import { mkdtemp, readFile, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { LakeError, UsageError } from '../engines/engine';
import { ROOT } from '../engines/root';
import { isAlive } from '../engines/store';
import { type Ran, runProgram } from './processes';

/** Another revision of a lakehouse, in a folder of its own, with its own `lake`. */
export interface Base {
  /** What it is compared with: the commit at which the branch left it. */
  readonly commit: string;
  /** Runs its `lake`, which works on its lakehouse. */
  lake(args: readonly string[]): Promise<Ran>;
}

const NO_HOOKS = ['-c', 'core.hooksPath=/dev/null'];

/** The folder of the git repository that has a lakehouse. Throws a UsageError where there is none. */
export async function repositoryOf(dir: string): Promise<string> {
  const { status, stdout } = await runProgram('git', ['rev-parse', '--show-toplevel'], { cwd: dir });
  if (status !== 0)
    throw new UsageError(`${dir} is in no git repository; lake review compares two of its revisions`);
  return resolve(stdout.trim());
}

/** The branch to compare with where none is given. Throws a UsageError where it is not clear. */
export async function defaultBase(root: string): Promise<string> {
  for (const ref of ['origin/HEAD', 'origin/main', 'main', 'master']) {
    const args = ['rev-parse', '--verify', '--quiet', `${ref}^{commit}`];
    if ((await runProgram('git', args, { cwd: root })).status === 0) return ref;
  }
  throw new UsageError('give --base REF: the branch or commit to compare with');
}

/** Where reviews work, by the process that does. */
const PLACE = /^worktree (.*[\\/]lake-review-(\d+)-[^\\/]+)[\\/]base$/gm;

/**
 * Gives a review a folder to work in, which goes when it ends: also by Ctrl-C or SIGTERM, which kills what `signal` is
 * given to. What a review left that was killed itself goes first.
 */
export async function inPlace<T>(
  root: string,
  work: (place: string, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { stdout } = await runProgram('git', ['worktree', 'list', '--porcelain'], { cwd: root });
  for (const [, left = '', pid] of stdout.matchAll(PLACE)) if (!isAlive(Number(pid))) discard(root, left);
  const place = realpathSync(await mkdtemp(join(tmpdir(), `lake-review-${process.pid}-`)));
  const programs = new AbortController();
  const interrupt = (signal: NodeJS.Signals) => {
    programs.abort();
    discard(root, place);
    process.kill(process.pid, signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const one of signals) process.once(one, interrupt);
  try {
    return await work(place, programs.signal);
  } finally {
    discard(root, place);
    for (const one of signals) process.removeListener(one, interrupt);
  }
}

/** At once, as a process that is to end does nothing later. */
function discard(root: string, place: string): void {
  // By force twice: git locks what it has not checked out wholly.
  const remove = ['worktree', 'remove', '--force', '--force', join(place, 'base')];
  spawnSync('git', [...NO_HOOKS, ...remove], { cwd: root });
  rmSync(place, { recursive: true, force: true, maxRetries: 10 });
}

/**
 * Checks out in `place` where this branch left `ref`, with the packages that its lock file names. Throws a UsageError for a
 * name that git does not know, and a LakeError where its packages cannot be installed.
 */
export async function openBase(
  project: string,
  ref: string,
  place: string,
  signal?: AbortSignal,
): Promise<Base> {
  const root = await repositoryOf(project);
  const run = (file: string, args: readonly string[], cwd: string) =>
    runProgram(file, args, { cwd, ...(signal && { signal }) });
  const git = (...args: string[]) => run('git', [...NO_HOOKS, ...args], root);
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
  for (const dir of foldersBetween(root, project)) {
    const there = join(place, relative(root, dir));
    if (!(await isInstalled(dir, there))) await install(there);
  }
  // This very program, as the base has it; where it is no part of the repository, there is one for both.
  const inside = relative(root, ROOT);
  const own = inside.startsWith('..') ? ROOT : join(place, inside);
  const base = join(place, relative(root, project));
  const lake = (args: readonly string[]) =>
    run(process.execPath, [join(own, 'cli', 'lake.js'), '--project', base, ...args], base);
  return { commit, lake };

  async function install(there: string) {
    const { status, stderr } = await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], there);
    if (status !== 0) throw new LakeError(`npm ci of the base failed: ${stderr.trim().split('\n')[0]}`);
  }
}

/** The lakehouse's folder and those above it, up to the repository's. */
function foldersBetween(root: string, dir: string): string[] {
  return dir === root || dirname(dir) === dir ? [dir] : [dir, ...foldersBetween(root, dirname(dir))];
}

/** The same lock file names the same packages: those that are here serve. */
async function isInstalled(here: string, there: string): Promise<boolean> {
  const lockOf = (dir: string) => readFile(join(dir, 'package-lock.json'), 'utf8').catch(() => undefined);
  const [packages, lock] = [join(here, 'node_modules'), await lockOf(there)];
  if (lock === undefined) return true;
  if (lock !== (await lockOf(here)) || !existsSync(packages)) return false;
  await symlink(packages, join(there, 'node_modules'));
  return true;
}
