import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { readSettings, type Settings, SettingsError, type StackConfig } from '../components/settings';
import { LakeError, UsageError } from '../engines/engine';
import type { Pipeline } from '../model';

/**
 * The settings of a stack by Pulumi's files, which `root` holds. Throws a UsageError for a stack that is none, a LakeError
 * for a bad file.
 */
export async function stackSettings(pipeline: Pipeline, root: string, stack: string): Promise<Settings> {
  const config = await readStack(root, stack);
  try {
    return readSettings(config, pipeline);
  } catch (error) {
    if (error instanceof SettingsError) throw new LakeError(error.message);
    throw error;
  }
}

/** The stacks of a lakehouse's folder, by their files. */
export const stacksIn = async (dir: string): Promise<string[]> =>
  (await readdir(dir)).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []).sort();

/** A stack's configuration as Pulumi's files have it. */
export async function readStack(root: string, stack: string): Promise<StackConfig> {
  const stacks = await stacksIn(root);
  if (!stacks.includes(stack)) {
    const known = stacks.length === 0 ? 'there is none' : `there are ${stacks.join(', ')}`;
    throw new UsageError(`no stack "${stack}", as there is no Pulumi.${stack}.yaml; ${known}`);
  }
  const { name: project } = await readYaml(root, 'Pulumi.yaml');
  if (typeof project !== 'string') throw new LakeError("Pulumi.yaml: has no name; it is the project's");
  const file = `Pulumi.${stack}.yaml`;
  const { config = {} } = await readYaml(root, file);
  if (!isGroup(config)) throw new LakeError(`${file}: config is no group of settings`);
  const { 'aws:region': region } = config;
  const prefix = `${project}:`;
  const values = Object.fromEntries(
    Object.entries(config).flatMap(([key, value]) =>
      key.startsWith(prefix) ? [[key.slice(prefix.length), readable(value)] as const] : [],
    ),
  );
  return { project, stack, values, ...(region !== undefined && { region: String(region) }) };
}

type Group = Readonly<Record<string, unknown>>;

const isGroup = (value: unknown): value is Group =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

async function readYaml(root: string, file: string): Promise<Group> {
  const text = await readFile(join(root, file), 'utf8');
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    // The rest of the message quotes the file.
    throw new LakeError(`${file}: ${(error as Error).message.split('\n')[0]}`);
  }
  if (content === null || content === undefined) return {};
  if (!isGroup(content)) throw new LakeError(`${file}: is no group of keys and values`);
  return content;
}

/** A secret can't be read here; of those that settings may have, the address of the alerts is one. */
function readable(value: unknown): unknown {
  if (!isGroup(value)) return value;
  if (typeof value.secure === 'string' && Object.keys(value).length === 1) return SECRET;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, readable(inner)]));
}

/** Stands for a secret: what is one is text, such as an e-mail address. */
const SECRET = 'secret@example.com';
