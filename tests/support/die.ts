import fs from 'node:fs/promises';

/** The calls of the file system that a lake in a folder makes. */
const CALLS = [
  'chmod',
  'copyFile',
  'link',
  'mkdir',
  'open',
  'readdir',
  'readFile',
  'rename',
  'rm',
  'rmdir',
  'writeFile',
] as const;
type Call = (typeof CALLS)[number];

/**
 * Lets what goes on die, as a killed process would, at its nth call of the file system, from 0 and from the first on
 * that `isFirst`; default: from now on.
 */
export function dieAt(nth: number, isFirst: (name: Call, args: readonly unknown[]) => boolean = () => true) {
  let calls = -1;
  const spies = CALLS.map((name) => {
    const real = fs[name] as (...args: unknown[]) => Promise<unknown>;
    return jest.spyOn(fs, name).mockImplementation(((...args: unknown[]) => {
      if (calls >= 0 || isFirst(name, args)) calls++;
      return calls >= nth ? Promise.reject(new Error('dead')) : real.apply(fs, args);
    }) as never);
  });
  /** Ends it. Tells whether it came to that call. */
  return () => {
    for (const spy of spies) spy.mockRestore();
    return calls >= nth;
  };
}
