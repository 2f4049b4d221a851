/**
 * The formats of what is stored and read again, maybe by another version of this program. Each file says its own as
 * `version`; one that says none is of the first. A change that older programs would misread takes the next number, also
 * where the runner writes such a file: `glue.py` and `suppression.py` in `jobs/runner/lakehouse_runner`.
 */
export const FORMATS = {
  /** A local lake's pointer, and its forgets that were cut off. */
  lake: 1,
  /** Which files a local lake's rows of a source were read from. */
  landed: 1,
  /** The summary of a run. */
  summary: 1,
  /** What the runner made a table of. */
  provenance: 1,
  /** The list of who was forgotten; one of format 1 is read too, and has no moments. */
  suppression: 2,
  /** What runners are told, which a Spark lake keeps of its sources. */
  manifest: 4,
  /** What a lakehouse says of itself, which a review reads of another revision. */
  description: 2,
} as const;

/** Why what `file` holds is not read here: it is of another format. */
export function formatFault(file: string, value: unknown, known: number): string | undefined {
  const version = (value as { readonly version?: unknown } | null)?.version ?? 1;
  if (typeof version !== 'number' || version === known) return undefined;
  return `${file} is of format ${version}, and this version reads ${known}; use the version that wrote it`;
}
