import { execFileSync } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { timed } from './measure';
import { median } from './report';
import { BENCH, inFreshFolder } from './source';

const ROOT = resolve(__dirname, '..');
const RUNS = 5;
const LIMIT = 6;
/** The first job keeps two customers of three, so every job makes other rows. */
const [JOB, CHANGE] = [join('jobs', 'customer_trusted.sql'), "\n  AND c.serialNumber NOT LIKE '%1%'\n"];

const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, stdio: 'pipe' });

/** Times `lake review` of a change to each job's rows beside a `lake run`, on the sample; of what is committed. */
async function main(): Promise<number> {
  await mkdir(BENCH, { recursive: true });
  return inFreshFolder(async (dir) => {
    const change = join(dir, 'change');
    git('worktree', 'add', '--detach', change);
    try {
      await symlink(join(ROOT, 'node_modules'), join(change, 'node_modules'));
      await writeFile(join(change, JOB), (await readFile(join(change, JOB), 'utf8')).trimEnd() + CHANGE);
      const lake = (...args: string[]) =>
        timed(process.execPath, [join(change, 'cli', 'lake.js'), '--project', change, ...args]);
      const data = join(dir, 'sample');
      await lake('sample', '--out', data);
      const [runs, reviews]: [number[], number[]] = [[], []];
      for (let i = 0; i < RUNS; i++) {
        runs.push((await lake('run', '--data', data, '--lake', join(dir, `${i}`))).seconds);
        const { seconds, stdout } = await lake('review', '--base', 'HEAD');
        if (!stdout.includes('5 of 8 tables differ')) throw new Error(stdout);
        reviews.push(seconds);
      }
      const [run, review] = [median(runs), median(reviews)];
      const isMet = review <= LIMIT * run;
      const limit = `${(review / run).toFixed(2)} × (≤ ${LIMIT} ${isMet ? 'ok' : 'OVER'})`;
      const text = `lake review ${review.toFixed(2)} s beside ${run.toFixed(2)} s of a run, ${limit}; median of ${RUNS}\n`;
      process.stdout.write(text);
      return isMet ? 0 : 1;
    } finally {
      git('worktree', 'remove', '--force', change);
    }
  });
}

main().then((status) => {
  process.exitCode = status;
});
