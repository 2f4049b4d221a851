// What exists, so that a test can look at it after an operation, and put into it what a stack is to find there.
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

let current: World = {};

/** Changes the world; if the change throws, nothing has happened. */
export const changeWorld = <T>(change: (world: World) => T): T => change(current);

/** Has what follows happen in this world, which is empty if it is none yet. */
export function enter(world: World = {}) {
  current = world;
}
