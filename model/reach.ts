import type { Fault } from './faults';
import type { Pipeline } from './pipeline';
import { isPersonal, saysWhose, type Table } from './table';

const named = ({ columns }: Table, kind: 'person' | 'device') =>
  Object.entries(columns).flatMap(([name, { identifies }]) => (identifies === kind ? [name] : []));

/**
 * How a person's rows are found in each table that has some, in words: in a source by its own columns, in a table by the
 * inputs that it is made from. A table that is not in it holds nobody's rows.
 */
export function reachOf({ sources, jobs }: Pick<Pipeline, 'sources' | 'jobs'>): ReadonlyMap<string, string> {
  const reach = new Map<string, string>();
  const owners = sources.filter((s) => named(s, 'person').length > 0 && named(s, 'device').length > 0);
  for (const source of sources) {
    const [persons, devices] = [named(source, 'person'), named(source, 'device')];
    if (persons.length > 0) reach.set(source.name, `by ${persons.join(', ')}`);
    else if (devices.length > 0 && owners.length > 0)
      reach.set(
        source.name,
        `by ${devices.join(', ')}, whose it is ${owners.map(({ name }) => name).join(', ')} says`,
      );
  }
  for (const { output, inputs } of jobs) {
    const from = inputs.filter(({ name }) => reach.has(name)).map(({ name }) => name);
    if (from.length > 0) reach.set(output.name, `made from ${from.join(', ')}`);
  }
  return reach;
}

/** Tables that hold rows of people, to which no path leads: nobody could be forgotten in them. */
export function reachFaults(pipeline: Pick<Pipeline, 'sources' | 'jobs'>): Fault[] {
  const reach = reachOf(pipeline);
  const tables: readonly Table[] = [...pipeline.sources, ...pipeline.jobs.map(({ output }) => output)];
  return tables
    .filter((table) => (isPersonal(table) || saysWhose(table)) && !reach.has(table.name))
    .map(({ name, format }) => ({
      path: name,
      message:
        format !== 'iceberg'
          ? 'holds rows of people, and no source says whose: one has to have columns of both, with identifies: person and identifies: device'
          : 'holds rows of people, and is made from no table that says whose; read one, or mark columns of its sources with identifies',
    }));
}
