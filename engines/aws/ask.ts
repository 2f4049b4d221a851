import { setTimeout as wait } from 'node:timers/promises';
import { toldError } from './errors';
import type { Stack } from './stack';

/** Waits so many milliseconds. Tests give their own. */
export type Pause = (milliseconds: number) => Promise<void>;

export const pause: Pause = (milliseconds) => wait(milliseconds);

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
