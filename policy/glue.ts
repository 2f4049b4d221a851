import { demand, type Finding, type Rule, violation } from './rule';
import { at, isList, isValues, Unknown, unknownsIn, type Value } from './values';

const LONGEST_MINUTES = 480;
const OLDEST_GLUE = '6.0';
const SECRET_NAME = /key|secret|password|token/i;
const ARN = /^arn:[\w-]+:[\w-]+:/;

/** Versions compare by number: 5.10 is later than 5.9. */
export const isAtLeast = (version: Value | undefined, oldest: string): boolean => {
  if (typeof version !== 'string' || !/^\d+(\.\d+)*$/.test(version)) return false;
  const parts = version.split('.').map(Number);
  const wanted = oldest.split('.').map(Number);
  for (let i = 0; i < Math.max(parts.length, wanted.length); i++) {
    const difference = (parts[i] ?? 0) - (wanted[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
};

export const glueJobLimits: Rule = {
  name: 'glue-job-limits',
  description: `A Glue job stops within ${LONGEST_MINUTES} minutes, runs on Glue ${OLDEST_GLUE} or later, doesn't retry and isn't FLEX when its runs queue, and holds no secret in its arguments.`,
  check: (resource) => {
    if (resource.type !== 'aws:glue/job:Job') return [];
    const queues = resource.props.jobRunQueuingEnabled;
    const secretIn = (args: string): readonly Finding[] => {
      const values = resource.props[args];
      if (values instanceof Unknown) return [values];
      return Object.entries(isValues(values) ? values : {}).flatMap(([name, value]): readonly Finding[] => {
        if (!SECRET_NAME.test(name)) return [];
        if (value instanceof Unknown) return [value];
        if (typeof value === 'string' && ARN.test(value)) return [];
        // The value is not shown: it may be the secret.
        const found = 'has a plain value';
        const rule = "a job's arguments can be read by all who may see the job";
        const remedy = 'pass the ARN of a secret and read it in the job';
        return [violation(resource, `${args}["${name}"]`, found, rule, remedy)];
      });
    };
    return [
      ...demand(
        resource,
        'timeout',
        (v) => typeof v === 'number' && v > 0 && v <= LONGEST_MINUTES,
        `a job stops within ${LONGEST_MINUTES} minutes (Glue's own limit is two days)`,
        `set it to a number from 1 to ${LONGEST_MINUTES}`,
      ),
      ...demand(
        resource,
        'glueVersion',
        (v) => isAtLeast(v, OLDEST_GLUE),
        `jobs run on Glue ${OLDEST_GLUE} or later`,
        `set it to "${OLDEST_GLUE}"`,
      ),
      ...(queues === true
        ? [
            ...demand(
              resource,
              'maxRetries',
              (v) => v === undefined || v === 0,
              'runs of a job with retries do not queue (jobRunQueuingEnabled is true)',
              'set it to 0',
            ),
            ...demand(
              resource,
              'executionClass',
              (v) => v !== 'FLEX',
              'flexible runs do not queue (jobRunQueuingEnabled is true)',
              'set it to "STANDARD", or jobRunQueuingEnabled to false',
            ),
          ]
        : []),
      ...unknownsIn(queues),
      ...secretIn('defaultArguments'),
      ...secretIn('nonOverridableArguments'),
    ];
  },
};

export const crawlerDoesNotChangeTables: Rule = {
  name: 'crawler-does-not-change-tables',
  description: 'A crawler of catalogue tables logs what it finds: deleteBehavior and updateBehavior are LOG.',
  check: (resource) => {
    if (resource.type !== 'aws:glue/crawler:Crawler') return [];
    const targets = resource.props.catalogTargets;
    if (targets instanceof Unknown) return [targets];
    if (!isList(targets) || targets.length === 0) return [];
    return ['deleteBehavior', 'updateBehavior'].flatMap((behavior) =>
      demand(
        resource,
        `schemaChangePolicy.${behavior}`,
        (v) => v === 'LOG',
        'only the program changes its tables',
        'set it to "LOG"',
      ),
    );
  },
};

const isAbsent = (value: Value | undefined): boolean =>
  value === undefined || value === null || (isValues(value) && Object.keys(value).length === 0);

export const icebergOwnedByProgram: Rule = {
  name: 'iceberg-owned-by-program',
  description:
    'A CatalogTable with openTableFormatInput sets its schema and properties only there: no parameters, tableType, storageDescriptor or description.',
  check: (resource) =>
    resource.type !== 'aws:glue/catalogTable:CatalogTable' ||
    isAbsent(at(resource.props, 'openTableFormatInput'))
      ? []
      : ['parameters', 'tableType', 'storageDescriptor', 'description'].flatMap((property) =>
          demand(
            resource,
            property,
            isAbsent,
            'Glue keeps it for an Iceberg table, and a second source makes every preview differ',
            'remove it; put schema and properties in openTableFormatInput',
          ),
        ),
};
