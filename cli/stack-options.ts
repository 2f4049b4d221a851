import { type Command, Option } from 'commander';
import type { Stack } from '../engines/aws/stack';
import { UsageError } from '../engines/engine';

/** What `withStack` adds to a command. */
export interface StackFlags {
  /** Folder of the lakehouse. */
  readonly project?: string;
  readonly stack?: string;
  readonly outputs?: string;
  readonly region?: string;
  readonly profile?: string;
}

/** Gives a command of a lakehouse's folder the options that say which deployed stack it works on. */
export const withStack = (command: Command, project: string): Command =>
  command
    .setOptionValue('project', project)
    .addOption(new Option('--stack <name>', 'work on this deployed stack'))
    .addOption(
      new Option('--outputs <file>', 'what "pulumi stack output --json" printed; default: Pulumi is asked'),
    )
    .addOption(new Option('--region <region>', 'default: the one that the stack is in'))
    .addOption(new Option('--profile <profile>', 'profile of the AWS configuration'));

/** Opens the stack that the options name; nothing of AWS is loaded before. Throws a UsageError where they name none. */
export async function stackOf(options: StackFlags): Promise<Stack> {
  const { stack, outputs, region, profile, project = '' } = options;
  if (stack === undefined) throw new UsageError('give --stack NAME: the stack, as pulumi stack ls lists it');
  const { openStack } = require('../engines/aws/stack') as typeof import('../engines/aws/stack');
  return openStack({
    stack,
    dir: project,
    ...(outputs !== undefined && { outputs }),
    ...(region !== undefined && { region }),
    ...(profile !== undefined && { profile }),
  });
}

/** Options by their names in the code, such as `maxScan`. */
interface Scopes {
  /** Of a lake on this machine. */
  readonly local: readonly string[];
  /** Of a stack, besides those of `withStack`. */
  readonly stack: readonly string[];
}

/** Throws a UsageError of an option that was given and says nothing here: with `--stack`, or without it. */
export function checkScopes(command: Command, { local, stack }: Scopes): void {
  const given = (name: string) => command.getOptionValueSource(name) === 'cli';
  const flag = (name: string) =>
    `--${command.getOptionValue(name) === false ? 'no-' : ''}${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const isStack = given('stack');
  const wrong = (isStack ? local : ['outputs', 'region', 'profile', ...stack]).filter(given).map(flag);
  if (wrong.length === 0) return;
  const those = wrong.join(' and ');
  throw new UsageError(
    isStack
      ? `--stack works on a deployed lake, so leave out ${those}, which says something of one on this machine`
      : `give --stack NAME with ${those}: without it, the lake on this machine is meant`,
  );
}

/** The words that name the stack in a command. */
export const stackFlags = ({ stack, outputs, region, profile }: StackFlags) =>
  Object.entries({ stack, outputs, region, profile })
    .flatMap(([name, value]) => (value === undefined ? [] : [`--${name} ${quoted(value)}`]))
    .join(' ');

const quoted = (word: string) => (/^[\w./~:-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
