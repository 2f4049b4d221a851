import type { Parameter } from '../model';
import { LakeError } from './engine';

/** A piece of SQL text: code, or what a parameter or a keyword in it does not count in. */
interface Token {
  readonly kind: 'code' | 'string' | 'comment' | 'parameter';
  readonly text: string;
}

const TOKENS = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|::|:[A-Za-z_]\w*/g;

function tokens(sql: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  for (const match of sql.matchAll(TOKENS)) {
    if (match.index > at) found.push({ kind: 'code', text: sql.slice(at, match.index) });
    const text = match[0];
    const kind =
      text.startsWith("'") || text.startsWith('"')
        ? 'string'
        : text.startsWith('--') || text.startsWith('/*')
          ? 'comment'
          : text === '::'
            ? 'code'
            : 'parameter';
    found.push({ kind, text });
    at = match.index + text.length;
  }
  found.push({ kind: 'code', text: sql.slice(at) });
  return found;
}

export const quoteString = (value: string) => `'${value.replaceAll("'", "''")}'`;
export const quoteName = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** The names of the `:parameters` in the SQL, outside strings and comments. */
export const parametersOf = (sql: string): string[] => [
  ...new Set(
    tokens(sql)
      .filter((t) => t.kind === 'parameter')
      .map((t) => t.text.slice(1)),
  ),
];

/** Puts the values of a run in place of `:parameters`, as string literals. */
export function withParameters(
  sql: string,
  declared: readonly Parameter[],
  values: Readonly<Record<string, string>>,
): string {
  return tokens(sql)
    .map((token) => {
      if (token.kind !== 'parameter') return token.text;
      const name = token.text.slice(1);
      if (!declared.some((p) => p.name === name)) {
        throw new LakeError(
          `the SQL uses :${name}, which is not among the declared parameters (${declared.map((p) => p.name).join(', ') || 'none'})`,
        );
      }
      const value = values[name];
      if (value === undefined) throw new LakeError(`the SQL uses :${name}, and this run gives it no value`);
      return quoteString(value);
    })
    .join('');
}

/** Text of an engine with every quoted value masked, so that no data reaches an error text. */
export const masked = (text: string) =>
  text.replace(/'(?:[^']|'')*'/g, "'…'").replace(/"(?:[^"\\]|\\.)*"/g, '"…"');
