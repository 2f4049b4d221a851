import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { LakeError, UsageError } from '../engine';
import { type StackOutputs, stackOutputs } from './outputs';

export interface StackOptions {
  /** The stack's name, as Pulumi knows it. */
  readonly stack: string;
  /** Folder of the Pulumi program. */
  readonly dir: string;
  /** File with what `pulumi stack output --json` prints. Default: Pulumi is asked. */
  readonly outputs?: string;
  /** Default: the one that the stack is in. */
  readonly region?: string;
  /** Profile of the AWS configuration. Default: as the SDK finds credentials. */
  readonly profile?: string;
}

/** What every client of the SDK is made with. */
export interface ClientSettings {
  readonly region: string;
  readonly profile?: string;
  readonly maxAttempts: number;
  /** So that a connection that died without a word is no hang. */
  readonly requestHandler?: { readonly connectionTimeout: number; readonly socketTimeout: number };
}

/** A deployed stack and how to speak to it. */
export interface Stack {
  readonly name: string;
  readonly outputs: StackOutputs;
  readonly client: ClientSettings;
}

/** Of a call that AWS throttles or loses: the waits between them grow to 20 s, so the last comes after about a minute. */
const ATTEMPTS = 8;
/** In milliseconds; a socket's is of silence. */
const TIMEOUTS = { connectionTimeout: 10_000, socketTimeout: 60_000 };

// The SDK warns of Node 20, which Pulumi's own SDK still takes, at every start.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

/**
 * Opens a stack. Throws a UsageError where there is none of that name, and a LakeError where Pulumi cannot be asked,
 * or what it says is not what this program exports.
 */
export async function openStack(options: StackOptions): Promise<Stack> {
  const { stack, profile } = options;
  // Pulumi would take it for an option of its own.
  if (stack.startsWith('-')) throw new UsageError(`"${stack}" is no name of a stack`);
  const text =
    options.outputs === undefined
      ? await askPulumi(stack, options.dir)
      : await readFileOf(options.outputs, stack);
  const outputs = readOutputs(text, stack, options.outputs);
  const region = options.region ?? outputs.region;
  return {
    name: stack,
    outputs,
    client: {
      region,
      maxAttempts: ATTEMPTS,
      requestHandler: TIMEOUTS,
      ...(profile !== undefined && { profile }),
    },
  };
}

async function readFileOf(file: string, stack: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(
      `--outputs ${file} cannot be read (${(error as NodeJS.ErrnoException).code}); write it by: pulumi stack output --json --stack ${stack}`,
    );
  }
}

function readOutputs(text: string, stack: string, file?: string): StackOutputs {
  const how = `pulumi stack output --json --stack ${stack}`;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    if (file !== undefined) throw new UsageError(`${file} is no JSON; write it by: ${how} > ${file}`);
    throw new LakeError(`the outputs of the stack ${stack} are no JSON; look at: ${how}`);
  }
  const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  if (isEmpty) {
    throw new LakeError(`the stack ${stack} has no outputs; deploy it first: pulumi up --stack ${stack}`);
  }
  const found = stackOutputs.safeParse(value);
  if (!found.success) {
    const missing = [...new Set(found.error.issues.map(({ path }) => path.join('.') || 'all'))].join(', ');
    if (file !== undefined) {
      throw new UsageError(
        `${file} is not what the stack ${stack} exports: ${missing}. Write it by: ${how} > ${file}; if it is, deploy the stack again`,
      );
    }
    throw new LakeError(
      `the stack ${stack} does not export what this version needs: ${missing}. Deploy it again: pulumi up --stack ${stack}`,
    );
  }
  const { name } = found.data;
  // Pulumi knows stacks as organisation/project/stack, too.
  if (!name.endsWith(`-${stack.split('/').at(-1)}`)) {
    throw new UsageError(
      `${file ?? 'Pulumi'} tells of ${name}, which is not the stack ${stack}; give one of them`,
    );
  }
  return found.data;
}

function askPulumi(stack: string, cwd: string): Promise<string> {
  const args = ['stack', 'output', '--json', '--stack', stack, '--non-interactive'];
  return new Promise((done, fail) => {
    execFile('pulumi', args, { cwd, env: process.env }, (error, stdout, stderr) => {
      if (!error) return done(stdout);
      if (error.code === 'ENOENT') {
        return fail(
          new LakeError(
            `Pulumi is needed to find the stack ${stack}, and is not installed; or give --outputs FILE with what "pulumi stack output --json" printed`,
          ),
        );
      }
      const said =
        stderr
          .split('\n')
          .find((line) => line.trim() !== '')
          ?.trim() ?? `exit status ${error.code}`;
      if (/no stack named/i.test(stderr))
        return fail(new UsageError(`no stack "${stack}"; pulumi stack ls lists those there are`));
      fail(
        new LakeError(`Pulumi could not be asked for the stack ${stack}: ${said.replace(/^error: /, '')}`),
      );
    });
  });
}
