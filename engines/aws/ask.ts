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
