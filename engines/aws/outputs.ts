import { z } from 'zod';

const name = z.string().min(1);
const byName = z.record(z.string(), name).readonly();

/** What a stack tells of itself: `index.ts` exports it, `lake --stack` reads it. Places follow from `components/site`. */
export const stackOutputs = z
  .object({
    /** Begins every physical name: project and stack, such as `stedi-lakehouse-dev`. */
    name,
    region: name,
    account: z.string().regex(/^\d{12}$/),
    /** The Glue database. */
    database: name,
    /** Bucket of each zone, and of the artifacts. */
    buckets: z.object({ artifacts: name }).catchall(name).readonly(),
    /** The workflow that runs all jobs. */
    workflow: name,
    /** Glue's name of each job. */
    jobs: byName,
    /** Glue's name of the job that forgets a person. */
    forget: name,
    crawler: name,
    workgroups: z.object({ all: name, analysts: name }).readonly(),
  })
  .readonly();

export type StackOutputs = z.infer<typeof stackOutputs>;
