/** Rows as lines with aligned columns, the first row as the heading. The columns of `numbers` are aligned to the right. */
export const table = (rows: readonly (readonly string[])[], numbers: ReadonlySet<number> = new Set()): string => {
  const widths = (rows[0] ?? []).map((_, n) => Math.max(...rows.map((row) => row[n]?.length ?? 0)));
  const aligned = (cell: string, n: number): string =>
    numbers.has(n) ? cell.padStart(widths[n] ?? 0) : cell.padEnd(widths[n] ?? 0);
  return rows.map((row) => row.map(aligned).join('  ').trimEnd()).join('\n');
};
