import { SampleError } from '../error';

/** The three sources, by the folder each writes to: `<entity>/landing/`. */
export const ENTITIES = ['customer', 'accelerometer', 'step_trainer'] as const;
export type Entity = (typeof ENTITIES)[number];

export interface SampleOptions {
  /** How many people register, from 1. A tenth of them leave more than one record. */
  readonly customers: number;
  /** A whole number from 0 to 4,294,967,295. The same options give the same bytes. */
  readonly seed: number;
  /** Share of each source's lines that are faulty, 0 to 1. */
  readonly dirty: number;
}

const MAX_SEED = 0xffff_ffff;

/** Throws a SampleError that names every option out of bounds. */
export function checkOptions({ customers, seed, dirty }: SampleOptions): void {
  const wrong = [
    !(Number.isSafeInteger(customers) && customers >= 1) &&
      `customers is ${customers}; give a whole number from 1`,
    !(Number.isInteger(seed) && seed >= 0 && seed <= MAX_SEED) &&
      `seed is ${seed}; give a whole number from 0 to ${MAX_SEED}`,
    !(dirty >= 0 && dirty <= 1) && `dirty is ${dirty}; give a share from 0 to 1`,
  ].filter((fault) => fault !== false);
  if (wrong.length > 0) throw new SampleError(`No sample can be made: ${wrong.join('. ')}.`);
}
