import { setTimeout as wait } from 'node:timers/promises';
import { toldError } from './errors';
import type { Stack } from './stack';

/** Waits so many milliseconds. Tests give their own. */
export type Pause = (milliseconds: number) => Promise<void>;

export const pause: Pause = (milliseconds) => wait(milliseconds);

const WAIT_MS = { least: 1_000, most: 20_000 };

/** Milliseconds to wait before the next of some attempts, from 1. */
export const backOff = (attempt: number) =>
  Math.min(WAIT_MS.least * 2 ** (attempt - 1), WAIT_MS.most) * (0.75 + Math.random() / 2);

/** Asks AWS. What goes wrong is thrown as a person is told it; `action` is in IAM's words. */
export async function ask<T>(
  { client: { region, profile } }: Stack,
  action: string,
  resource: string,
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw toldError(error, { action, resource, region, profile });
  }
}

/** How often something is looked for that may not show at once. */
const LOOKS = 4;

/** Looks a few times for what may not show at once. */
export async function lookFor<T>(find: () => Promise<T | undefined>, pause: Pause): Promise<T | undefined> {
  for (let look = 1; look <= LOOKS; look++) {
    await pause(backOff(look));
    const found = await find();
    if (found !== undefined) return found;
  }
  return undefined;
}
