// Lakehouses as `lake describe --json` has them, and names that nobody should get by with.
import { type Column, text } from '../../model';
import { FORMATS } from '../../model/format';
import type { Description, TableDescription } from '../../review/description';

export const column = (type: Column = text('x')): TableDescription['columns'][string] => ({
  ...type,
  stored: type.type,
});
/** A table of two columns, `a` and `b`. */
export const table = (more: Partial<TableDescription> = {}): TableDescription => ({
  zone: 'landing',
  format: 'json',
  description: 'A row.',
  columns: { a: column(), b: column() },
  keys: [],
  expectations: {},
  open: [],
  ...more,
});
export const job = (
  more: Partial<Description['jobs'][string]> & { readonly inputs: readonly string[] },
): Description['jobs'][string] => ({
  description: '',
  parameters: [],
  increments: [],
  language: 'sql',
  isLocal: true,
  code: '',
  ...more,
});
export const described = (more: Partial<Description> = {}): Description => ({
  version: FORMATS.description,
  name: 'test',
  tables: { t: table() },
  jobs: {},
  queries: {},
  parameters: {},
  access: [],
  stacks: {},
  faults: [],
  ...more,
});

export const HOSTILE = [
  'a|b',
  'a\\|b',
  'a\\',
  '`',
  '``a```b',
  '<script>alert(1)</script>',
  '</details>',
  '<!--',
  '-->',
  '@team',
  '@org/team',
  '#12',
  'GH-12',
  'a\n\n# b\n- c',
  '\r\n```\n',
  '~~~',
  '[a](https://evil.example)',
  'https://evil.example',
  'www.evil.example',
  '![a](b)',
  '*a*',
  '_a_',
  '$a$',
  '&lt;',
  '\u202eabc',
  '\0',
  '   ',
  '',
  '1. a',
  '---',
  '| --- |',
  '\ud800',
  '%0A::error::x',
  'x'.repeat(100_000),
];
