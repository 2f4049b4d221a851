/** How many random inputs or kills a test tries: `npm run test:soak` tries ten times as many, for the night. */
export const soak = (n: number): number => Math.round(n * Number(process.env.SOAK ?? 1));
