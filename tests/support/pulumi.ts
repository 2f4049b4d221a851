// The real Pulumi engine in tests: see pulumi-stack.ts for what a stack is here.
import { findPulumi, Stack, type StackOptions } from './pulumi-stack';

export * from './pulumi-stack';

/**
 * The folder of the Pulumi CLI; without one, tests that need it are skipped, and in CI they fail, unless .ci/run found
 * that there is none to be had.
 */
export function pulumiOrSkip(): string | undefined {
  const found = findPulumi();
  if (found !== undefined) return found;
  const reason =
    'there is no Pulumi CLI: neither on PATH, nor in ../shared/tools/pulumi, nor where PULUMI_TOOLS says';
  if (process.env.CI === 'true' && process.env.PULUMI_UNREACHABLE !== 'true') throw new Error(reason);
  process.stderr.write(`tests of the Pulumi program are skipped: ${reason}\n`);
  return undefined;
}

/** `describe` for tests that need the Pulumi CLI. */
export const withPulumi = pulumiOrSkip() === undefined ? describe.skip : describe;

/** A new stack for a test file, disposed of after its tests. */
export async function stackIn(options: StackOptions): Promise<Stack> {
  const made = await Stack.in(options);
  stacks.push(made);
  return made;
}
const stacks: Stack[] = [];
afterAll(() => {
  for (const made of stacks.splice(0)) made.dispose();
});
