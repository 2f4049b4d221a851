import type { StackOutputs } from '../../engines/aws/outputs';
import type { Pipeline } from '../../model';
import { REQUESTS_PREFIX } from '../../model/places';
import { lake } from '../../pipeline';

type Outputs = StackOutputs & { readonly buckets: { readonly landing: string } };

/** What a stack of a pipeline would export. */
export function outputsOf(pipeline: Pipeline = lake, name = 'stedi-lakehouse-dev'): Outputs {
  const bucketOf = (zone: string) => `${name}-${zone}-123456789012`;
  const landing = bucketOf('landing');
  return {
    name,
    region: 'us-east-1',
    account: '123456789012',
    database: name.replaceAll('-', '_'),
    buckets: {
      ...Object.fromEntries(pipeline.zones.map((zone) => [zone.name, bucketOf(zone.name)])),
      landing,
      artifacts: bucketOf('artifacts'),
    },
    workflow: name,
    jobs: Object.fromEntries(pipeline.jobs.map((job) => [job.name, `${name}-${job.name}`])),
    forget: `${name}-forget`,
    forgetRequests: `s3://${landing}/${REQUESTS_PREFIX}`,
    crawler: `${name}-landing`,
    workgroups: { all: name, analysts: `${name}-analysts` },
  };
}
