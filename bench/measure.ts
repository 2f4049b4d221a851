import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

export interface Measured {
  /** Wall time of the whole process, its start included. */
  readonly seconds: number;
  /** The most memory the process held at once (resident). A process that it starts itself does not count. */
  readonly peakBytes: number;
  /** What its threads took of processors: other work beside it counts little. */
  readonly cpuSeconds: number;
  readonly stdout: string;
}

interface Finished {
  readonly pid: number;
  readonly seconds: number;
  readonly stdout: string;
}

/** Runs a command to its end. Throws with the end of its stderr where it fails. */
export async function timed(
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Finished> {
  const started = performance.now();
  const child = spawn(command, args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-2000);
  });
  const code = await new Promise<number | null>((done, fail) => {
    child.once('error', fail);
    child.once('close', done);
  });
  const seconds = (performance.now() - started) / 1000;
  if (code !== 0) {
    throw new Error(`${[command, ...args].join(' ')} ended with ${code}:\n${stderr || stdout.slice(-2000)}`);
  }
  return { pid: child.pid ?? 0, seconds, stdout };
}

/** Runs a Node script to its end with `peak.cjs` preloaded. */
export async function measureNode(args: readonly string[]): Promise<Measured> {
  const peaks = await mkdtemp(join(tmpdir(), 'bench-peak-'));
  try {
    const { pid, seconds, stdout } = await timed(process.execPath, args, {
      NODE_OPTIONS: `--require ${JSON.stringify(join(__dirname, 'peak.cjs'))}`,
      BENCH_PEAK_DIR: peaks,
    });
    return { seconds, stdout, ...JSON.parse(await readFile(join(peaks, String(pid)), 'utf8')) };
  } finally {
    await rm(peaks, { recursive: true, force: true });
  }
}
