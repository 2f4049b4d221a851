import { z } from 'zod';
import { FORGET_JOB } from '../../model/places';

const name = z.string().min(1);
const byName = z.record(z.string(), name).readonly();

/** What a stack tells of itself: `index.ts` exports it, `lake --stack` reads it. Places follow from `model/places`. */
export const stackOutputs = z
  .object({
    /** Begins every physical name: project and stack, such as `shop-dev`. */
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
    /** The job that forgets a person: there where tables say whose their rows are. */
    forget: name.optional(),
    /** URI of the folder that it is told in whom to forget; there where it is. */
    forgetRequests: z
      .string()
      .regex(/^s3:\/\/[^/]+\/(?:.+\/)?$/)
      .optional(),
    crawler: name,
    workgroups: z.object({ all: name, analysts: name }).readonly(),
  })
  .readonly();

export type StackOutputs = z.infer<typeof stackOutputs>;

/** Glue's name of a job of the definition, or of the one that forgets people. */
export const glueNameOf = ({ jobs, forget }: StackOutputs, job: string): string | undefined =>
  jobs[job] ?? (job === FORGET_JOB ? forget : undefined);
