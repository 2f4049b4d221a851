import { writeSample } from '../samples';

/** `lake sample`. */
export async function sampleCommand(options: {
  readonly out: string;
  readonly customers: number;
  readonly seed: number;
  readonly dirty: number;
}): Promise<void> {
  const { lines, faults, files } = await writeSample(options.out, options);
  for (const [entity, count] of Object.entries(lines)) {
    const faulty = Object.values(faults[entity as keyof typeof faults] ?? {}).reduce((a, b) => a + b, 0);
    process.stdout.write(`${entity}: ${count} lines${faulty > 0 ? `, ${faulty} of them faulty` : ''}\n`);
  }
  process.stdout.write(`${files} files in ${options.out}; lake run --data ${options.out} reads them\n`);
}
