import type { Pipeline } from '../model';
import { writeOtherSources, writeSample } from '../samples';
import { counted, grouped } from './text';

/** `lake sample`. Throws a SampleError where the folder is not empty. */
export async function sampleCommand(
  { sources }: Pipeline,
  options: {
    readonly out: string;
    readonly customers: number;
    readonly seed: number;
    readonly dirty: number;
  },
): Promise<void> {
  const { lines, faults, files } = await writeSample(options.out, options);
  await writeOtherSources(options.out, sources);
  for (const [entity, count] of Object.entries(lines)) {
    const faulty = Object.values(faults[entity as keyof typeof faults] ?? {}).reduce((a, b) => a + b, 0);
    const ofThem = faulty > 0 ? `, ${grouped(faulty)} of them faulty` : '';
    process.stdout.write(`${entity}: ${counted(count, 'line')}${ofThem}\n`);
  }
  process.stdout.write(
    `${counted(files, 'file')} in ${options.out}; npx lake run --data ${options.out} reads them\n`,
  );
}
