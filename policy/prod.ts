import { demand, type Finding, type Rule, stackOf, violation } from './rule';
import { isBucket } from './s3';

const IRREPLACEABLE = [
  // Glue deletes a database with all of its tables.
  'aws:glue/catalogDatabase:CatalogDatabase',
  'aws:glue/catalogTable:CatalogTable',
  'aws:kms/key:Key',
  'aws:secretsmanager/secret:Secret',
];

export const prodProtected: Rule = {
  name: 'prod-protected',
  description:
    'In the stacks named by its setting "stacks", buckets, databases and tables of the catalogue, keys and secrets are protected, and no bucket has forceDestroy.',
  configSchema: {
    properties: {
      stacks: {
        type: 'array',
        items: { type: 'string' },
        default: ['prod'],
        description: 'Names of the stacks whose data must not be lost.',
      },
    },
  },
  check: (resource, { stacks }) => {
    const stack = stackOf(resource);
    const bucket = isBucket(resource);
    if (!Array.isArray(stacks) || !stacks.includes(stack)) return [];
    if (!bucket && !IRREPLACEABLE.includes(resource.type)) return [];
    const unprotected: readonly Finding[] = resource.protect
      ? []
      : [
          violation(
            resource,
            'options.protect',
            'is false',
            `what cannot be made again is protected in ${stack}`,
            'set protect: true in its resource options',
          ),
        ];
    const emptied = bucket
      ? demand(
          resource,
          'forceDestroy',
          (v) => v !== true,
          `a bucket with data is never deleted in ${stack}`,
          'remove it or set it to false',
        )
      : [];
    return [...unprotected, ...emptied];
  },
};
