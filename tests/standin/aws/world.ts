// What exists: a JSON file that outlives the engine's processes, so that a test can look at it after an operation,
// and put into it what the stack is to find there.
import { mkdirSync, readFileSync, renameSync, rmdirSync, writeFileSync } from 'node:fs';
import type { Values } from './values';

export interface Thing {
  /** The resource that made it; absent for what a test put there. */
  readonly urn?: string;
  readonly id: string;
  readonly inputs: Values;
  readonly state: Values;
}

/** All that exists, by type, then by what AWS knows it by. */
export type World = Record<string, Record<string, Thing>>;

const file = process.env.STANDIN_WORLD;
const memory: World = {};

export function worldNow(): World {
  if (file === undefined) return memory;
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

/** Empties the world of a process that has no file for it. */
export function newWorld() {
  for (const type of Object.keys(memory)) delete memory[type];
}

/** Changes the world; if the change throws, nothing has happened. */
export function changeWorld<T>(change: (world: World) => T): T {
  if (file === undefined) return change(memory);
  // An explicit provider is a process of its own, beside the default one's: they take turns.
  const lock = `${file}.lock`;
  for (let tries = 0; !locked(lock); tries++) {
    if (tries > 1000) throw new Error(`${lock} is left over from a provider that was killed: remove it`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
  }
  try {
    const world = worldNow();
    const result = change(world);
    const written = `${file}.${process.pid}`;
    writeFileSync(written, `${JSON.stringify(world, null, 1)}\n`);
    renameSync(written, file);
    return result;
  } finally {
    rmdirSync(lock);
  }
}

function locked(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
