import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Finding, type Rule, violation } from './rule';
import { at, isValues, show, Unknown, type Value, type Values } from './values';

const REQUIRED = ['project', 'stack', 'managed-by'];
const WHY = 'costs and owners are told by the tags';

const root = dirname(require.resolve('@pulumi/aws/package.json'));
const answers = new Map<string, boolean | undefined>();

/** The files of some types are spelled otherwise: mLTransform in mltransform.js, index in index_.js. */
const codeOf = (type: string): string | undefined => {
  const [, module = '', name = ''] = /^aws:(\w+)\/(\w+):/.exec(type) ?? [];
  const spellings = [`${name}.js`, `${name}_.js`].map((file) => file.toLowerCase());
  const folder = join(root, module);
  if (!existsSync(folder)) return undefined;
  return readdirSync(folder)
    .filter((file) => spellings.includes(file.toLowerCase()))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .find((text) => text.includes(`'${type}'`));
};

/**
 * Whether a type of @pulumi/aws takes tags; undefined where the installed one has no such type. Its own code
 * says, so that no list here can fall behind.
 */
export const takesTags = (type: string): boolean | undefined => {
  if (!answers.has(type)) answers.set(type, codeOf(type)?.includes('resourceInputs["tags"] = args?.tags;'));
  return answers.get(type);
};

/** The tags that a provider adds. Pulumi hands a provider's nested settings over as JSON text. */
const defaultTagsOf = (provider: Values): Value | undefined => {
  const { defaultTags } = provider;
  if (typeof defaultTags !== 'string') return at(provider, 'defaultTags.tags');
  const settings: Value = JSON.parse(defaultTags);
  return isValues(settings) ? settings.tags : undefined;
};

export const tags: Rule = {
  name: 'tags',
  description: `Every resource that takes tags has ${REQUIRED.join(', ')}, by itself or from its provider's defaultTags.`,
  check: (resource) => {
    if (!resource.type.startsWith('aws:')) return [];
    const takes = takesTags(resource.type);
    if (takes === undefined) {
      const remedy = 'install the @pulumi/aws that the program uses';
      return [violation(resource, 'tags', `${resource.type} is not in @pulumi/aws`, WHY, remedy)];
    }
    if (!takes) return [];
    const defaults = defaultTagsOf(resource.provider);
    const own = resource.props.tags;
    return REQUIRED.flatMap((tag): readonly Finding[] => {
      const value = [own, defaults]
        .map((source) => (isValues(source) ? source[tag] : source instanceof Unknown ? source : undefined))
        .find((found) => found !== undefined);
      if (value instanceof Unknown) return [value];
      if (typeof value === 'string' && value.trim() !== '') return [];
      return [
        violation(
          resource,
          `tags["${tag}"]`,
          `is ${show(value)}`,
          WHY,
          "set it, best in the provider's defaultTags",
        ),
      ];
    });
  },
};
