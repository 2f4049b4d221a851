import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Job } from '../model';
import { LakeError } from './engine';
import { venvTool } from './python';
import { RUNNER } from './root';

const PROGRAM = join(RUNNER, 'lakehouse_runner', 'syntax.py');

/** Whether there is a Python that can read a job's. What starts Spark installs it. */
export const hasPython = (): boolean => existsSync(venvTool('python'));

/** What is wrong with a job's Python by its text, each with its line; nothing where there is no Python to read it. */
export function syntaxFaults(job: Job, code: string): readonly (readonly [line: number, message: string])[] {
  if (!hasPython()) return [];
  const names = (all: readonly { readonly name: string }[]) => all.map(({ name }) => name);
  const input = JSON.stringify({ code, inputs: names(job.inputs), parameters: names(job.parameters) });
  // Isolated, as the runner's own modules stand beside the program.
  const options = { input, encoding: 'utf8' } as const;
  const { status, stdout, stderr } = spawnSync(venvTool('python'), ['-I', '-X', 'utf8', PROGRAM], options);
  if (status !== 0)
    throw new LakeError(`the Python of .venv cannot read that of ${job.name}: ${stderr.trim()}`);
  return JSON.parse(stdout);
}
