import type { Text } from './text';

/**
 * `breaking`: who uses it fails, or it cannot be deployed. `loss`: data or the way to it goes. `access`: somebody may do
 * more than before. `look`: a person should judge it. `note`: it can do no harm.
 */
export type Level = 'breaking' | 'loss' | 'access' | 'look' | 'note';

export const LEVELS: readonly Level[] = ['breaking', 'loss', 'access', 'look', 'note'];

export interface Finding {
  readonly level: Level;
  readonly text: Text;
  /** Dotted path of what it is about, such as `customer_trusted.columns.email`, or a file and line. */
  readonly path?: string;
}

/** A part of a review; the more important ones come first. */
export interface Section {
  readonly title: string;
  /** What stands in the title's line, such as `2 tables changed`. */
  readonly summary: Text;
  readonly findings: readonly Finding[];
  readonly tables?: readonly Grid[];
  /** Of Mermaid. */
  readonly chart?: string;
}

/** Rows under a heading. */
export interface Grid {
  readonly caption?: Text;
  readonly head: readonly Text[];
  readonly rows: readonly (readonly Text[])[];
}

export type Verdict = 'safe' | 'look here' | 'breaking';

export const isAtLeast = (level: Level, most: Level) => LEVELS.indexOf(level) <= LEVELS.indexOf(most);

export function verdictOf(findings: readonly Finding[]): {
  readonly verdict: Verdict;
  readonly why: readonly Finding[];
} {
  const of = (most: Level) => findings.filter(({ level }) => isAtLeast(level, most)).toSorted(byLevel);
  const worst = of('loss');
  if (worst.length > 0) return { verdict: 'breaking', why: worst };
  const rest = of('look');
  return { verdict: rest.length > 0 ? 'look here' : 'safe', why: rest };
}

export const byLevel = (a: Finding, b: Finding) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level);

/** What `--fail-on` takes: `breaking` is what gives that verdict. */
export const GATES = ['breaking', 'loss', 'access'] as const;
export type Gate = (typeof GATES)[number];

export const gateFails = (gate: Gate, findings: readonly Finding[]) =>
  findings.some(({ level }) => level === gate || (gate === 'breaking' && level === 'loss'));
