import { CatalogDrift } from '../engines/aws/catalog-drift';
import type { Pipeline } from '../model';
import { type StackFlags, stackOf } from './stack-options';
import { counted, harmless } from './text';

export interface DiffOptions extends StackFlags {
  readonly json?: boolean;
}

/** `lake diff`. Returns the exit status: 1 where the catalog differs from the contracts. */
export async function diffCommand(pipeline: Pipeline, options: DiffOptions): Promise<number> {
  const stack = await stackOf(options);
  const drift = await new CatalogDrift(stack).of(pipeline);
  const { database } = stack.outputs;
  const print = (text: string) => process.stdout.write(harmless(text));
  if (options.json) print(`${JSON.stringify({ stack: stack.name, database, drift }, null, 2)}\n`);
  else if (drift.length === 0) print(`The catalog's database ${database} is as the contracts say.\n`);
  else {
    for (const { path, message } of drift) print(`${path}: ${message}\n`);
    print(
      `${counted(drift.length, 'difference')} between the contracts and ${database}; pulumi preview --refresh --stack ${stack.name} shows what a deployment would change.\n`,
    );
  }
  return drift.length === 0 ? 0 : 1;
}
