import type { LakehouseDefinition, SampleReport, SampleRequest } from '../model';
import { counted, grouped } from './text';

/**
 * The maker of a lakehouse's samples: its own for the sources that it knows, and the contracts for all others.
 * `complete` makes what a folder lacks of a source that came later.
 */
export function sampleOf({ sample, pipeline }: LakehouseDefinition) {
  const byContract = () => require('../samples/contract') as typeof import('../samples/contract');
  const others = pipeline.sources.filter(({ entity }) => !sample?.entities.includes(entity));
  const complete = (request: SampleRequest) => byContract().writeMissing(others, request);
  return {
    unit: sample?.unit ?? 'records',
    complete,
    async write(request: SampleRequest): Promise<SampleReport> {
      if (!sample) await byContract().mustBeEmpty(pipeline.sources, request.out);
      const [own, rest] = [await sample?.write(request), await complete(request)];
      return {
        files: (own?.files ?? 0) + rest.files,
        entities: { ...own?.entities, ...rest.entities },
      };
    },
  };
}

/** `lake sample`. Throws a SampleError where the folder is not empty. */
export async function sampleCommand(definition: LakehouseDefinition, request: SampleRequest): Promise<void> {
  const { entities, files } = await sampleOf(definition).write(request);
  for (const [entity, { lines, faulty }] of Object.entries(entities)) {
    const ofThem = faulty > 0 ? `, ${grouped(faulty)} of them faulty` : '';
    process.stdout.write(`${entity}: ${counted(lines, 'line')}${ofThem}\n`);
  }
  process.stdout.write(
    `${counted(files, 'file')} in ${request.out}; npx lake run --data ${request.out} reads them\n`,
  );
}
