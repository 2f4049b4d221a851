// The real Pulumi engine in tests: see pulumi-stack.ts for what a stack is here.
import { pulumiOrSkip } from './pulumi-engine';
import { Stack, type StackOptions, stopServing } from './pulumi-stack';

export * from './pulumi-stack';

/** `describe` for tests that need the Pulumi CLI; without it they are skipped, and in CI they fail. */
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
  stopServing();
});
