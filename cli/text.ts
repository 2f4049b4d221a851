/**
 * Rows as text in columns, a header above, columns of numbers aligned right. Control characters of the data are
 * shown as `�`, so that a value cannot steer the terminal.
 */
export function textTable(
  columns: readonly { readonly name: string; readonly right?: boolean }[],
  rows: readonly (readonly string[])[],
): string {
  const cells = [columns.map((c) => c.name), ...rows].map((row) =>
    row.map((cell) => cell.replaceAll(/\p{Cc}/gu, '\ufffd')),
  );
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => (row[i] as string).length)));
  return cells
    .map((row) =>
      row
        .map((cell, i) =>
          columns[i]?.right ? cell.padStart(widths[i] as number) : cell.padEnd(widths[i] as number),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
