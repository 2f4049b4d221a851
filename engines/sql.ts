import type { Parameter } from '../model';
import { quoteName, quoteString } from '../model/sql';
import { LakeError } from './engine';

/** A piece of SQL text. A parameter or a keyword counts in none but code. */
export interface Token {
  readonly kind: 'code' | 'string' | 'name' | 'comment' | 'parameter';
  readonly text: string;
  /** Where it begins, from 1. */
  readonly line: number;
}

const TOKENS = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|::|:[A-Za-z_]\w*/g;

const KINDS: Readonly<Record<string, Token['kind']>> = {
  "'": 'string',
  '"': 'name',
  '-': 'comment',
  '/': 'comment',
  ':': 'parameter',
};

/** The SQL in pieces; joined, their texts are the SQL again. */
export function tokensOf(sql: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  let line = 1;
  const add = (kind: Token['kind'], text: string) => {
    if (text !== '') found.push({ kind, text, line });
    line += text.split('\n').length - 1;
    at += text.length;
  };
  for (const { 0: text, index } of sql.matchAll(TOKENS)) {
    add('code', sql.slice(at, index));
    add(text === '::' ? 'code' : (KINDS[text[0] as string] as Token['kind']), text);
  }
  add('code', sql.slice(at));
  return found;
}

/** The SQL with all but its code blanked: positions and lines stay. */
export const codeOf = (sql: string): string =>
  tokensOf(sql)
    .map(({ kind, text }) => (kind === 'code' ? text : text.replace(/[^\n]/g, ' ')))
    .join('');

export { quoteName, quoteString };

/** The `:parameters` of the SQL by name, each with the line of its first use. */
export function parametersOf(sql: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const { kind, text, line } of tokensOf(sql)) {
    const name = text.slice(1);
    if (kind === 'parameter' && !found.has(name)) found.set(name, line);
  }
  return found;
}

/** Puts the values of a run in place of `:parameters`, as string literals. */
export function withParameters(
  sql: string,
  declared: readonly Parameter[],
  values: Readonly<Record<string, string>>,
): string {
  return tokensOf(sql)
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

/**
 * Text of an engine with every quoted value masked, so that no data reaches an error text. A value may hold
 * quotes itself, which engines leave as they are, so all from the first quote to the last goes.
 */
export const masked = (text: string) => text.replace(/['"](?:[\s\S]*['"]|[\s\S]*$)/, "'…'");

/** Whether there is nothing in a text but blanks, comments and semicolons. */
export const isEmptySql = (sql: string): boolean => /^(?:\s|--[^\n]*|\/\*[\s\S]*?\*\/|;)*$/.test(sql);

/** What the comment says that a query begins with, in its first line; empty without one. */
export const openingComment = (sql: string): string => /^--[ \t]*(\S.*)/.exec(sql)?.[1]?.trimEnd() ?? '';
