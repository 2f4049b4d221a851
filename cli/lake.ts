import { resolve } from 'node:path';
import { CommanderError } from 'commander';
import { Interrupted, LakeError, UsageError } from '../engines/engine';
import { DEFINITION, findProject, loadProject } from '../engines/project';
import { DefinitionError } from '../model';
import { outside, program } from './commands';
import { message } from './text';

async function main(): Promise<number> {
  let status = 0;
  try {
    const { words, project } = projectOf(process.argv.slice(2));
    const command = project
      ? program(loadProject(project), (code) => {
          status = code;
        })
      : outside(process.cwd());
    await command.parseAsync(words, { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (isWrongCall(error)) return complain(error.message, 2);
    if (error instanceof Interrupted) return complain(error.message, 130);
    return complain(isToldAsIs(error) ? error.message : systemError(error), 1);
  }
}

/** Takes `--project DIR` out of the words of a call, wherever it stands: what the others mean, the lakehouse says. */
function projectOf(words: readonly string[]): { words: string[]; project: string | undefined } {
  const end = words.includes('--') ? words.indexOf('--') : words.length;
  const at = words.findIndex((word, i) => i < end && /^--project(?:=|$)/.test(word));
  if (at < 0) {
    // A folder that is to become a lakehouse is none, wherever it is.
    return { words: [...words], project: words[0] === 'init' ? undefined : findProject('') };
  }
  const [, inWord] = /^--project=(.*)$/.exec(words[at] as string) ?? [];
  const dir = inWord ?? words[at + 1] ?? '';
  if (dir === '' || findProject(dir) !== resolve(dir))
    throw new UsageError(`--project ${dir || 'DIR'}: the folder of a lakehouse has a ${DEFINITION}`);
  return { words: words.toSpliced(at, inWord === undefined ? 2 : 1), project: resolve(dir) };
}

/** A SampleError by its name: its module is loaded only where it is used. */
const isWrongCall = (error: unknown): error is Error =>
  error instanceof UsageError || (error instanceof Error && error.name === 'SampleError');

const isToldAsIs = (error: unknown): error is Error =>
  error instanceof LakeError || error instanceof DefinitionError;

function complain(text: string, status: number): number {
  process.stderr.write(message(`lake: ${text}\n`));
  return status;
}

/** What the codes of the file system mean to whoever gave a path. */
const CODES: Readonly<Record<string, string>> = {
  EACCES: 'this user may not do that there',
  EEXIST: 'a file stands where a folder should be',
  EISDIR: 'it is a folder, where a file should be',
  ENOENT: 'there is no such file or folder',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a file stands where a folder should be',
  EPERM: 'this user may not do that there',
  EROFS: 'nothing can be written there',
};

/** An error of the file system says what and where; of any other only its name is told: it may quote data. */
function systemError(error: unknown): string {
  const { code, path, syscall, name, stack, message } = error as NodeJS.ErrnoException;
  if (code && syscall) {
    const what = path === undefined ? syscall : `${syscall} ${path}`;
    return `${what} failed with ${code}: ${CODES[code] ?? 'check the path, its permissions and the disk'}`;
  }
  if (code === 'MODULE_NOT_FOUND') return `${message.split('\n')[0]}; run npm ci`;
  const place = /\n\s*at (?:.*\()?(.*?:\d+:\d+)\)?/.exec(stack ?? '')?.[1] ?? 'an unknown place';
  return `${name} in ${place}: a fault of lake itself, please report it`;
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that ends early, such as head, is no fault.
  process.exit(error.code === 'EPIPE' ? 0 : complain(`the output cannot be written: ${error.code}`, 1));
});

main().then((status) => {
  process.exitCode = status;
});
