// Every resource that the program makes for a stack, with its own settings and any others, as the provider receives
// them. No engine runs: Pulumi's mocks ask the stand-ins for AWS and awsx in this process, so ARNs and ids look like
// AWS's own.

import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asset, type Inputs, output, runtime } from '@pulumi/pulumi';
import { readStack } from '../../cli/stack-settings';
import { Lakehouse, readConfig, type Settings } from '../../components';
import { runnerArchive } from '../../components/runner-archive';
import { runnerModule } from '../../components/runner-module';
import { readCode } from '../../engines/job-code';
import { RUNNER } from '../../engines/root';
import { lake } from '../../pipeline';
import { check, create, invoke } from '../standin/aws/model';
import { ACCOUNT } from '../standin/aws/types';
import { plainValues, type Values } from '../standin/aws/values';
import { enter } from '../standin/aws/world';
import { Network } from '../standin/awsx/provider';
import { ROOT } from './lake';

export interface Emitted {
  /** Such as `aws:glue/job:Job`. */
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  /** What the program sees of it. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Where AWS gives one. */
  readonly arn?: string | undefined;
}

const REGION = 'us-east-1';
const PROJECT = 'stedi-lakehouse';

export interface EmittedStack {
  readonly settings: Settings;
  readonly resources: readonly Emitted[];
}

export async function emitted(
  stack: string,
  config: Readonly<Record<string, unknown>>,
): Promise<EmittedStack> {
  const made: Emitted[] = [];
  enter();
  await runtime.setMocks(
    {
      newResource: async ({ type, name, inputs }) => {
        if (type === 'awsx:ec2:Vpc' && inputs.cidrBlock !== undefined)
          return { id: name, state: await madeByAwsx(name, inputs) };
        if (!type.startsWith('aws:')) return { id: name, state: inputs };
        const urn = `urn:pulumi:${stack}::${PROJECT}::${type}::${name}`;
        const { inputs: filled, failures } = check(urn, {}, inputs, randomBytes(8));
        if (failures.length > 0) throw new Error(`${name}: ${failures.map(({ reason }) => reason).join()}`);
        const { __defaults, ...all } = filled as Values;
        const { id, state } = create(urn, filled as Values, false);
        const found = state.arn ?? state.dashboardArn;
        const arn = typeof found === 'string' ? found : undefined;
        const text = inputs.source instanceof asset.StringAsset ? await inputs.source.text : undefined;
        const content = text === undefined ? {} : { source: { text } };
        const [given, outputs] = [all, state].map((values) =>
          JSON.parse(JSON.stringify({ ...plainValues(values), ...content })),
        );
        made.push({ type, name, inputs: given, outputs, arn });
        return { id, state };
      },
      call: ({ token, inputs }) => invoke(token, inputs),
    },
    PROJECT,
    stack,
  );
  const { getMonitor } = runtime as unknown as { getMonitor(): Record<string, unknown> };
  getMonitor().registerResourceHook = (_: unknown, done: (error: null, answer: object) => void) =>
    done(null, {});
  const hasSettings = existsSync(join(ROOT, `Pulumi.${stack}.yaml`));
  const values = hasSettings ? (await readStack(ROOT, stack)).values : {};
  const { settings, pseudonymKey } = readConfig(
    {
      project: PROJECT,
      stack,
      region: REGION,
      values: { ...values, pseudonymKey: randomBytes(32).toString('hex'), ...config },
    },
    lake,
  );
  const jobs = join(ROOT, 'jobs');
  const code = await Promise.all(
    lake.jobs.map(async (job) => [job.name, await readCode(jobs, job)] as const),
  );
  new Lakehouse('stedi', {
    pipeline: lake,
    settings,
    cloud: { account: ACCOUNT, region: REGION, partition: 'aws' },
    availabilityZone: `${REGION}b`,
    pseudonymKey,
    runner: {
      script: readFileSync(join(RUNNER, 'main.py'), 'utf8'),
      archive: { bytes: runnerArchive(RUNNER), path: 'package.json' },
      module: runnerModule(RUNNER),
    },
    code: Object.fromEntries(code),
    queries: [{ name: 'all', description: 'All.', sql: 'SELECT 1', tables: [] }],
    ...(settings.page && { page: '<!doctype html>' }),
  });
  await runtime.disconnect();
  return { settings, resources: made };
}

/** The network's children are made by awsx, not by the program. */
async function madeByAwsx(name: string, inputs: Inputs): Promise<Inputs> {
  const network = new Network(name, {}, {});
  const { subnets, routeTables, vpcId, isolatedSubnetIds } = await network.make(name, inputs as never);
  const zones = output(subnets.map(({ availabilityZone }) => availabilityZone));
  const ids = output(routeTables.map(({ id }) => id));
  const state = output({ vpcId, isolatedSubnetIds, zones, ids });
  const known = await (
    state as unknown as {
      promise(): Promise<{ zones: string[]; ids: string[]; vpcId: string; isolatedSubnetIds: string[] }>;
    }
  ).promise();
  return {
    vpcId: known.vpcId,
    isolatedSubnetIds: known.isolatedSubnetIds,
    subnets: known.zones.map((availabilityZone) => ({ availabilityZone })),
    routeTables: known.ids.map((id) => ({ id })),
  };
}
