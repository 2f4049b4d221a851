/** How many random inputs or kills a test tries: `npm run test:soak` tries ten times as many, for the night. */
export const soak = (n: number): number => Math.round(n * Number(process.env.SOAK ?? 1));

/** Of so many places one after another, every third, which are odd and even in turn; all of them for the night. */
export const someOf = (places: number): readonly number[] =>
  Array.from({ length: places }, (_, i) => i).filter((i) => soak(1) > 1 || i % 3 === 0 || i === places - 1);
