import { resolve } from 'node:path';
import type { RunSummary } from '../engines/engine';
import { type Measured, measureNode } from './measure';
import { inFreshFolder } from './source';
import type { Volume } from './spellings';

export const CLI = resolve(__dirname, '..', 'cli', 'lake.js');

/** `lake run` on the data, into a lake of its own. */
export const runLake = (data: string, ...options: readonly string[]): Promise<Measured & Volume> =>
  inFreshFolder(async (lake) => {
    const args = [CLI, 'run', ...options, '--data', data, '--lake', lake, '--json'];
    const measured = await measureNode(args);
    const { tables } = JSON.parse(measured.stdout) as RunSummary;
    return {
      ...measured,
      read: Object.fromEntries(tables.filter((t) => t.job === null).map((t) => [t.table, t.read])),
      counts: Object.fromEntries(tables.map((t) => [t.table, t.written])),
    };
  });
