/** A number as people read it, to two places: `1,117`, `-1,234.5`. JSON has it plain. */
export const grouped = (n: number) => groupedTo(n, 2);

/** Intl takes 30 ms to load. */
export function groupedTo(n: number, places: number): string {
  const [whole = '', part] = String(Math.round(n * 10 ** places) / 10 ** places).split('.');
  return `${whole.replace(/\B(?=(?:\d{3})+$)/g, ',')}${part === undefined ? '' : `.${part}`}`;
}

/** `1 row`, `1,117 rows`. */
export const counted = (n: number, one: string, many = `${one}s`) => `${grouped(n)} ${n === 1 ? one : many}`;

/** `1.3 %`: a half is rounded up, as the SQL of the model does. */
export const percent = (share: number) => `${Math.round(1000 * share) / 10} %`;

/** What is wrong with the name of a job that is none of these. */
export const noSuchJob = (name: string, names: readonly string[]) =>
  `no job "${name}"; there are ${names.join(', ')}`;

/** What a query may name, told where it names another table. Not all are published; all have a quarantine. */
export function tablesThereAre(published: readonly string[], quarantined: readonly string[]): string {
  if (published.length === 0) {
    const names = quarantined.toSorted().map((table) => `${table}_quarantine`);
    return `no table is published; there are ${names.join(', ')}`;
  }
  return `the tables are ${published.toSorted().join(', ')}, and <table>_quarantine of each`;
}
