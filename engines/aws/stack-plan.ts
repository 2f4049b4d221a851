import { basename } from 'node:path';
import { paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { hasPseudonyms, type Job, sqlInstant, type Table } from '../../model';
import { forgets } from '../../model/manifest';
import { type Place, prefixOf, SUPPRESSED_PREFIX, suppressedUri } from '../../model/places';
import type { TablePlan, TableSummary } from '../engine';
import { HIDDEN } from '../landing/files';
import {
  digest,
  digestOfFiles,
  icebergMetadata,
  keptTables,
  type Published,
  planTables,
  publishedIn,
} from '../provenance';
import { codeVersion } from '../version';
import { ask } from './ask';
import { decoded } from './bucket';
import { bucketOf, Catalog } from './catalog';
import { type GlueRuns, valuesIn } from './glue-runs';
import { s3Client } from './s3-client';
import type { Stack } from './stack';

/** What a run of jobs on a stack would do. */
export interface StackPlan {
  readonly tables: readonly TablePlan[];
  /** What is said of the tables that stay, and of their sources. */
  readonly kept: ReadonlyMap<string, TableSummary>;
}

/**
 * What a run of jobs on a stack would do, and why: by what the last one left with the tables, and by listings. Nothing is
 * started. The key of pseudonyms is not asked for: a run itself sees that it is another one.
 */
export async function planStack(
  stack: Stack,
  runs: GlueRuns,
  jobs: readonly Job[],
  parameters: Readonly<Record<string, string>>,
): Promise<StackPlan> {
  const catalog = new Catalog(stack);
  const published = await publishedOn(catalog, jobs);
  const { artifacts } = stack.outputs.buckets;
  const list = async () => {
    const files = await filesIn(stack, { bucket: artifacts, prefix: SUPPRESSED_PREFIX });
    const uri = suppressedUri(artifacts);
    return files.some(([name]) => name === basename(uri)) ? digest(await catalog.text(uri)) : '';
  };
  const forgotten = jobs.some(forgets) ? await list() : '';
  const digests = new Map<string, string>();
  const digestOf = async (source: Table) => {
    const place = { bucket: bucketOf(stack, source.zone), prefix: prefixOf(source) };
    const found = digests.get(source.name) ?? digestOfFiles(await filesIn(stack, place));
    digests.set(source.name, found);
    return [source.name, found] as const;
  };
  const time = sqlInstant(new Date());
  const tables = await planTables(jobs, published, time, async (job, before) => {
    const { NonOverridableArguments: fixed = {}, DefaultArguments: own = {} } = await runs.deployed(job.name);
    const sources = job.inputs.filter(({ format }) => format !== 'iceberg');
    return {
      version: codeVersion(),
      contracts: digestIn(fixed['--manifest']),
      code: digestIn(fixed['--code']),
      values: { ...valuesIn(own['--parameters']), ...parameters },
      files: Object.fromEntries(await Promise.all(sources.map(digestOf))),
      ...(forgets(job) && { forgotten }),
      ...(hasPseudonyms(job.output) && { key: before?.of.key ?? '' }),
    };
  });
  return { tables, kept: keptTables(jobs, published) };
}

async function publishedOn(catalog: Catalog, jobs: readonly Job[]): Promise<ReadonlyMap<string, Published>> {
  const names = new Set(jobs.flatMap(({ output, inputs }) => [output, ...inputs]).map(({ name }) => name));
  const found = new Map<string, Published>();
  for (const { Name = '', Parameters: { metadata_location: at } = {} } of await catalog.tables()) {
    if (at === undefined || !names.has(Name)) continue;
    const state = publishedIn(icebergMetadata(await catalog.text(at)));
    if (state) found.set(Name, state);
  }
  return found;
}

/** The files of a folder that are read, by name from there, each with what changes if it does. */
async function filesIn(stack: Stack, { bucket, prefix }: Place): Promise<[string, string][]> {
  const where = { Bucket: bucket, Prefix: prefix, EncodingType: 'url' } as const;
  return ask(stack, 's3:ListBucket', `${bucket}/${prefix}`, async () => {
    const files: [string, string][] = [];
    for await (const { Contents = [], EncodingType } of paginateListObjectsV2(
      { client: s3Client(stack.client) },
      where,
    )) {
      for (const { Key = '', Size, ETag } of Contents) {
        const name = decoded(Key, EncodingType).slice(prefix.length);
        const isHidden = name.split('/').some((part) => HIDDEN.test(part));
        if (!isHidden && !name.endsWith('/')) files.push([name, `${Size} ${ETag}`]);
      }
    }
    return files;
  });
}

/** The digest that names an asset of a stack. */
const digestIn = (uri = '') => basename(uri).replace(/\..*$/, '');
