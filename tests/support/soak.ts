/** How many random inputs or kills a test tries: `npm run test:soak` tries ten times as many, for the night. */
export const soak = (n: number): number => Math.round(n * Number(process.env.SOAK ?? 1));

/** Of places one after another, every third is tried, which are odd and even in turn; all of them for the night. */
export const STRIDE = soak(1) > 1 ? 1 : 3;

/** Those of so many places, and the last. */
export const someOf = (places: number): readonly number[] =>
  Array.from({ length: places }, (_, i) => i).filter((i) => i % STRIDE === 0 || i === places - 1);
