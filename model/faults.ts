/** One thing that is wrong in the definition: where it stands, and what to do about it. */
export interface Fault {
  /** Dotted path of the table, column or job, such as `customer_trusted.columns.email`, or a file and line. */
  readonly path: string;
  readonly message: string;
}

/** All faults, a line each. `of` is what has them. */
export const tellFaults = (faults: readonly Fault[], of = 'The definition'): string =>
  [
    `${of} has ${faults.length === 1 ? '1 fault' : `${faults.length} faults`}:`,
    ...faults.map((f) => `  ${f.path}: ${f.message}`),
  ].join('\n');

/** Thrown once with every fault of the definition, so that one edit can mend them all. */
export class DefinitionError extends Error {
  override readonly name = 'DefinitionError';
  constructor(readonly faults: readonly Fault[]) {
    super(tellFaults(faults));
  }
}
