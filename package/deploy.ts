import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { getVpcEndpointService } from '@pulumi/aws/ec2/getVpcEndpointService';
import { getCallerIdentity } from '@pulumi/aws/getCallerIdentity';
import { getPartition } from '@pulumi/aws/getPartition';
import { getRegion } from '@pulumi/aws/getRegion';
import { getDataLakeSettings } from '@pulumi/aws/lakeformation/getDataLakeSettings';
import { getProject, getStack, type Input, interpolate, RunError, runtime } from '@pulumi/pulumi';
import {
  administratorFault,
  consoleLinks,
  dashboardLink,
  Lakehouse,
  readConfig,
  type Settings,
  SettingsError,
  type StackConfig,
} from '../components';
import { availabilityZoneOf, endpointsOf } from '../components/availability-zone';
import { runnerArchive } from '../components/runner-archive';
import { runnerModule, wheelOf } from '../components/runner-module';
import type { StackOutputs } from '../engines/aws/outputs';
import { bindProject } from '../engines/check';
import { readCode } from '../engines/job-code';
import { loadProject, type Project } from '../engines/project';
import { RUNNER } from '../engines/root';
import { DefinitionError } from '../model';

// What git ignores.
const RUNNER_ZIP = '.build/lakehouse_runner.zip';

// The SDK has it, and leaves it out of its types.
const { isConfigSecret } = require('@pulumi/pulumi/runtime/config') as {
  isConfigSecret: (key: string) => boolean;
};

/** The stack's configuration as it is set, so that a key that no setting has is told too. */
function stackConfig(): StackConfig {
  const all = runtime.allConfig();
  const own = `${getProject()}:`;
  return {
    project: getProject(),
    stack: getStack(),
    region: all['aws:region'],
    isSecret: (key) => isConfigSecret(own + key),
    values: Object.fromEntries(
      Object.entries(all).flatMap(([key, value]) =>
        key.startsWith(own) ? [[key.slice(own.length), value]] : [],
      ),
    ),
  };
}

/**
 * The script that runs every job, its package, written to a file for the engine to read, and what that needs: in a
 * private network as a wheel.
 */
async function readRunner(dir: string, { name, network }: Settings) {
  const archive = { bytes: runnerArchive(RUNNER), path: RUNNER_ZIP };
  const file = join(dir, archive.path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, archive.bytes);
  const pinned = runnerModule(RUNNER);
  try {
    const module = network ? wheelOf(dir, RUNNER, pinned) : pinned;
    return { script: await readFile(join(RUNNER, 'main.py'), 'utf8'), archive, module };
  } catch (error) {
    throw new SettingsError(name, [{ path: 'network', message: (error as Error).message }]);
  }
}

/** Where a private network can be, by what AWS says of its endpoints. */
async function availabilityZone({ name, network, encryption }: Settings, region: string): Promise<string> {
  const offers = await Promise.all(
    endpointsOf(encryption === 'kms').map(async (service) => {
      const serviceName = `com.amazonaws.${region}.${service}`;
      const { availabilityZones } = await getVpcEndpointService({ serviceName, serviceType: 'Interface' });
      return [service, availabilityZones] as const;
    }),
  );
  const found = availabilityZoneOf(Object.fromEntries(offers), network?.availabilityZone);
  if ('fault' in found) throw new SettingsError(name, [found.fault]);
  return found.zone;
}

/** What `lake docs` makes of the definition alone: a deployment reads no table. */
async function pageText(project: Project): Promise<string> {
  const { catalogueOf, NOTHING } = require('../cli/docs/catalogue') as typeof import('../cli/docs/catalogue');
  const { pageOf, pageParts } = require('../cli/docs/file') as typeof import('../cli/docs/file');
  return pageOf(await catalogueOf(project, NOTHING), await pageParts());
}

/** What is known only after a deployment. */
type Promised<T> = T extends object ? { readonly [K in keyof T]: Promised<T[K]> } : Input<T>;

/** Checks everything that can be checked before the first resource, then builds the lakehouse. */
async function program(folder: string) {
  const project = loadProject(folder);
  const { dir, definition, ...dirs } = project;
  const { pipeline } = definition;
  const { settings, pseudonymKey } = readConfig(stackConfig(), pipeline);
  const [{ faults, queries }, runner, caller, { region }, { partition }] = await Promise.all([
    bindProject(pipeline, dirs),
    readRunner(dir, settings),
    getCallerIdentity(),
    getRegion(),
    getPartition(),
  ]);
  if (faults.length > 0) throw new DefinitionError(faults);
  const code = await Promise.all(
    pipeline.jobs.map(async (job) => [job.name, await readCode(dirs.jobs, job)] as const),
  );
  if (partition !== 'aws') {
    const message = `is in the partition ${partition}; the names of endpoints and links are those of aws only`;
    throw new SettingsError(settings.name, [{ path: 'aws:region', message }]);
  }
  if (settings.permissions === 'lake-formation') {
    const fault = administratorFault(caller.arn, (await getDataLakeSettings()).admins);
    if (fault) throw new SettingsError(settings.name, [fault]);
  }
  const lakehouse = new Lakehouse(definition.name, {
    pipeline,
    settings,
    cloud: { account: caller.accountId, region, partition },
    ...(settings.network && { availabilityZone: await availabilityZone(settings, region) }),
    pseudonymKey,
    runner,
    code: Object.fromEntries(code),
    queries,
    ...(settings.page && { page: await pageText(project) }),
  });
  const { site, zones, nodes } = lakehouse;
  return {
    name: site.name,
    region: site.region,
    account: site.account,
    database: nodes.database.name,
    buckets: {
      ...Object.fromEntries(
        Object.values(zones).map(({ definition, bucket }) => [definition.name, bucket.ready]),
      ),
      artifacts: nodes.artifacts.ready,
    },
    workflow: nodes.workflow.name,
    jobs: Object.fromEntries(
      Object.values(zones).flatMap(({ jobs }) =>
        Object.values(jobs).map((job) => [job.definition.name, job.nodes.job.name] as const),
      ),
    ),
    ...(nodes.forget && {
      forget: nodes.forget.nodes.job.name,
      forgetRequests: nodes.forget.requests,
    }),
    crawler: nodes.crawler.nodes.crawler.name,
    workgroups: { all: nodes.workgroups.all.name, analysts: nodes.workgroups.analysts.name },
    ...(nodes.page && { page: interpolate`s3://${nodes.page.bucket}/${nodes.page.key}` }),
    analystPolicy: nodes.analystPolicy.arn,
    console: { ...consoleLinks(site), ...(nodes.dashboard && { dashboard: dashboardLink(site) }) },
  } satisfies Promised<StackOutputs> & Record<string, unknown>;
}

/**
 * The Pulumi program of a lakehouse's folder: `export = deploy(__dirname)`. It gives the stack's outputs. The
 * definition is loaded in it, so that a fault is told as a fault and not as a stack trace.
 */
export const deploy = (folder: string) => async () => {
  try {
    return await program(folder);
  } catch (error) {
    // Faults of the definition or the configuration are for people: no stack trace.
    if (error instanceof Error && ['DefinitionError', 'SettingsError', 'LakeError'].includes(error.name)) {
      const told = new RunError(error.message);
      // Pulumi colours a stack trace that it does not show, and Node 20 takes 15 s for one with node_modules in it.
      told.stack = '';
      throw told;
    }
    throw error;
  }
};
