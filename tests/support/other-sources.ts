import type { SampleReport, SourceTable } from '../../model';
import { writeMissing } from '../../samples/contract';
import { ENTITIES } from '../../samples/stedi';

/** A few good records for every source that STEDI's sample does not know. */
export const writeOtherSources = (out: string, sources: readonly SourceTable[]): Promise<SampleReport> =>
  writeMissing(
    sources.filter(({ entity }) => !ENTITIES.some((own) => own === entity)),
    { out, size: 20, seed: 1, dirty: 0 },
  );
