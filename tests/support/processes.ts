// Processes that others have started.
import { spawnSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';

/** The processes that a process has started and that are there. */
export const childrenOf = (pid: number | undefined) =>
  spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((line) => line !== '')
    .map(Number);

const lives = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Waits for processes to end, as they do when nobody waits for them. */
export async function untilGone(pids: readonly number[]): Promise<void> {
  const until = performance.now() + 300_000;
  while (pids.some(lives)) {
    if (performance.now() > until) throw new Error('the runner goes on although nobody waits for it');
    await pause(50);
  }
}
