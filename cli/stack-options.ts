import { type Command, Option } from 'commander';
import type { Stack } from '../engines/aws/stack';
import { UsageError } from '../engines/engine';

/** What `withStack` adds to a command. */
export interface StackFlags {
  readonly stack?: string;
  readonly outputs?: string;
  readonly region?: string;
  readonly profile?: string;
}

/** Gives a command the options that say which deployed stack it works on. */
export const withStack = (command: Command): Command =>
  command
    .addOption(new Option('--stack <name>', 'work on this deployed stack'))
    .addOption(
      new Option('--outputs <file>', 'what "pulumi stack output --json" printed; default: Pulumi is asked'),
    )
    .addOption(new Option('--region <region>', 'default: the one that the stack is in'))
    .addOption(new Option('--profile <profile>', 'profile of the AWS configuration'));

/** Opens the stack that the options name; nothing of AWS is loaded before. Throws a UsageError where they name none. */
export async function stackOf(options: StackFlags): Promise<Stack> {
  const { stack, outputs, region, profile } = options;
  if (stack === undefined) throw new UsageError('give --stack NAME: the stack, as pulumi stack ls lists it');
  const { openStack } = require('../engines/aws/stack') as typeof import('../engines/aws/stack');
  return openStack({
    stack,
    ...(outputs !== undefined && { outputs }),
    ...(region !== undefined && { region }),
    ...(profile !== undefined && { profile }),
  });
}

/** What an option of `--stack` alone means without it. Throws a UsageError. */
export function refuseStackFlags(options: StackFlags): void {
  for (const name of ['outputs', 'region', 'profile'] as const) {
    if (options[name] !== undefined)
      throw new UsageError(`--${name} says something of a stack; give --stack`);
  }
}
