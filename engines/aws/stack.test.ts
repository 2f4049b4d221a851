import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { lake as pipeline } from '../../pipeline';
import { temporaryDir } from '../../tests/support/lake';
import { outputsOf } from '../../tests/support/stack';
import { LakeError, UsageError } from '../engine';
import { ROOT } from '../root';
import { openStack } from './stack';

const dir = temporaryDir('stack');
const outputs = outputsOf(pipeline);
const OUTPUTS = join(dir, 'outputs.json');
writeFileSync(OUTPUTS, JSON.stringify({ ...outputs, console: { workflow: 'https://x' } }));

const { PATH } = process.env;
afterEach(() => {
  process.env.PATH = PATH;
});

/** A `pulumi` on PATH that does what a shell script says. */
function withPulumi(script: string): void {
  const bin = join(dir, 'bin');
  mkdirSync(bin, { recursive: true });
  const file = join(bin, 'pulumi');
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  process.env.PATH = `${bin}${delimiter}${PATH}`;
}

const failure = async (options: Parameters<typeof openStack>[0]): Promise<Error> => {
  try {
    await openStack(options);
  } catch (error) {
    return error as Error;
  }
  throw new Error('it was opened');
};

test('Pulumi is asked for the outputs, in the folder of the program', async () => {
  const asked = join(dir, 'asked');
  withPulumi(`pwd > '${asked}'; echo "$@" >> '${asked}'; cat '${OUTPUTS}'`);
  const stack = await openStack({ dir: ROOT, stack: 'dev' });
  expect(stack).toMatchObject({ name: 'dev', outputs, client: { region: 'us-east-1', maxAttempts: 8 } });
  expect(stack.client).not.toHaveProperty('profile');
  expect(readFileSync(asked, 'utf8')).toBe(`${ROOT}\nstack output --json --stack dev --non-interactive\n`);
});

test('a file of outputs needs no Pulumi', async () => {
  process.env.PATH = join(dir, 'empty');
  const stack = await openStack({
    dir: ROOT,
    stack: 'dev',
    outputs: OUTPUTS,
    region: 'eu-west-1',
    profile: 'work',
  });
  expect(stack.outputs).toEqual(outputs);
  expect(stack.client).toMatchObject({ region: 'eu-west-1', profile: 'work' });
});

test.each<readonly [string, string, new (message: string) => Error, RegExp]>([
  [
    'no such stack',
    `echo "error: no stack named 'dev' found" >&2; exit 255`,
    UsageError,
    /^no stack "dev"; pulumi stack ls lists those there are$/,
  ],
  [
    'a login that is missing',
    'echo "" >&2; echo "error: PULUMI_ACCESS_TOKEN must be set for login" >&2; echo more >&2; exit 255',
    LakeError,
    /^Pulumi could not be asked for the stack dev: PULUMI_ACCESS_TOKEN must be set for login$/,
  ],
  [
    'a failure without a word',
    'exit 3',
    LakeError,
    /^Pulumi could not be asked for the stack dev: exit status 3$/,
  ],
  [
    'no outputs',
    'echo "{}"',
    LakeError,
    /^the stack dev has no outputs; deploy it first: pulumi up --stack dev$/,
  ],
  [
    'no JSON',
    'echo "Current stack outputs"',
    LakeError,
    /^the outputs of the stack dev are no JSON; look at: pulumi stack output --json --stack dev$/,
  ],
  [
    'other outputs',
    `echo '{"name":"x","region":"us-east-1","account":"1","jobs":[]}'`,
    LakeError,
    /^the stack dev does not export what this version needs: account, database, buckets, workflow, jobs, crawler, workgroups\. Deploy it again: pulumi up --stack dev$/,
  ],
])('%s is told', async (_, script, type, words) => {
  withPulumi(script);
  const error = await failure({ dir: ROOT, stack: 'dev' });
  expect(error).toBeInstanceOf(type);
  expect(error.message).toMatch(words);
});

test('a stack whose name begins with a hyphen is no option of Pulumi', async () => {
  withPulumi('echo "$@" >&2; exit 1');
  const error = await failure({ dir: ROOT, stack: '--show-secrets' });
  expect(error).toBeInstanceOf(UsageError);
  expect(error.message).toMatch(/^"--show-secrets" is no name of a stack/);
});

test('a Pulumi that is not installed is told, and the way without', async () => {
  process.env.PATH = join(dir, 'empty');
  const error = await failure({ dir: ROOT, stack: 'dev' });
  expect(error).toBeInstanceOf(LakeError);
  expect(error.message).toBe(
    'Pulumi is needed to find the stack dev, and is not installed; or give --outputs FILE with what "pulumi stack output --json" printed',
  );
});

test.each([
  ['that is missing', join(dir, 'none.json')],
  ['that is a folder', dir],
])('a file of outputs %s is told', async (_, file) => {
  const error = await failure({ dir: ROOT, stack: 'dev', outputs: file });
  expect(error).toBeInstanceOf(UsageError);
  expect(error.message).toMatch(
    /^--outputs .* cannot be read \((?:ENOENT|EISDIR)\); write it by: pulumi stack output/,
  );
});

test.each([
  ['text', 'Current stack outputs', /is no JSON; write it by: pulumi stack output --json --stack dev > /],
  [
    'something else',
    '{"name":"stedi-lakehouse"}',
    /is not what the stack dev exports: region, account, .*if it is, deploy/,
  ],
  [
    'those of another stack',
    JSON.stringify(outputsOf(pipeline, 'stedi-lakehouse-prod')),
    /tells of stedi-lakehouse-prod, which is not the stack dev; give one of them$/,
  ],
])('a file of outputs that is %s is a wrong call', async (_, text, words) => {
  const file = join(dir, 'wrong.json');
  writeFileSync(file, text);
  const error = await failure({ dir: ROOT, stack: 'dev', outputs: file });
  expect(error).toBeInstanceOf(UsageError);
  expect(error.message.startsWith(file)).toBe(true);
  expect(error.message).toMatch(words);
});

test('a stack may be named with its organisation and project', async () => {
  const stack = await openStack({ dir: ROOT, stack: 'acme/stedi-lakehouse/dev', outputs: OUTPUTS });
  expect(stack.outputs.name).toBe('stedi-lakehouse-dev');
});
