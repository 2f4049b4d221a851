import type { Finding } from '../engines/engine';
import { findingText, MASK, type MadeTable } from '../engines/findings';
import { wrapped } from './text';

/**
 * What checks found, a line each, those last that keep a table from being published. Below it stand some bad rows where
 * they are asked for or the run failed by them: those that look alike once masked once, and one of which nothing is
 * left not at all.
 */
export function findingLines(
  findings: readonly Finding[],
  tables: readonly MadeTable[],
  verbose?: boolean,
): string[] {
  const told = [...findings.filter((f) => !isFailure(f)), ...findings.filter(isFailure)];
  return told.flatMap((found) => linesOf(found, tables, verbose ?? isFailure(found)));
}

export const isFailure = ({ severity }: Finding) => severity === 'fail';

function linesOf(found: Finding, tables: readonly MadeTable[], verbose: boolean): string[] {
  const { affected, description, samples } = found;
  const shown = (sample: Finding['samples'][number]) => Object.values(sample).some((value) => value !== MASK);
  const rows = samples.filter(shown).map((sample) => Object.entries(sample));
  // What is no row of the table is nothing without what may be said of it.
  const evidence = affected === null ? (rows[0] ?? []).filter(([, value]) => value !== MASK) : [];
  const expected = description === '' ? '' : `. Expected: ${description}`;
  return [
    wrapped(`${findingText(found, tables)}${verbose ? '' : such(evidence)}${expected}`, '  '),
    ...(verbose ? [...new Set(rows.map((row) => wrapped(`  ${such(row).slice(2)}`, '    ')))] : []),
  ];
}

const such = (pairs: readonly (readonly [string, string])[]) =>
  pairs.length === 0 ? '' : `, such as ${pairs.map((pair) => pair.join('=')).join(', ')}`;
