import { harmless } from './text';

const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]/u;

/** How many columns of a terminal a text takes: accents take none of their own, Chinese and emoji two. */
function widthOf(text: string): number {
  // ASCII, by far the most common, needs no counting.
  if (/^[\0-\x7f]*$/.test(text)) return text.length;
  let width = 0;
  // Made here: it takes as long as a small query.
  for (const { segment } of new Intl.Segmenter().segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

export interface TextColumn {
  readonly name: string;
  /** For numbers. */
  readonly right?: boolean;
}

/** Rows as text in columns, a header above. A value stays in its line and cannot steer the terminal. */
export function textTable(columns: readonly TextColumn[], rows: readonly (readonly string[])[]): string {
  const cells = [columns.map((c) => c.name), ...rows].map((row) =>
    row.map((cell) => harmless(cell).replaceAll('\n', '↵')),
  );
  const widths = columns.map((_, i) =>
    cells.reduce((most, row) => Math.max(most, widthOf(row[i] as string)), 0),
  );
  const padded = (cell: string, i: number) => {
    const padding = ' '.repeat((widths[i] as number) - widthOf(cell));
    return columns[i]?.right ? padding + cell : cell + padding;
  };
  return cells.map((row) => row.map(padded).join('  ').trimEnd()).join('\n');
}

/** The same; where it is wider than a terminal, each row as a table of its own with a column a line. */
export function fittedTable(
  columns: readonly TextColumn[],
  rows: readonly (readonly string[])[],
  width = Number.POSITIVE_INFINITY,
): string {
  const table = textTable(columns, rows);
  if (table.split('\n').every((line) => widthOf(line) <= width)) return table;
  const record = (row: readonly string[], i: number) =>
    textTable(
      [{ name: 'row' }, { name: String(i + 1) }],
      columns.map(({ name }, c) => [name, row[c] as string]),
    );
  return rows.map(record).join('\n\n');
}
