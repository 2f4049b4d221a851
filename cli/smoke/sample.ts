import { cp, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { LakeError, type RunSummary, type TableSummary } from '../../engines/engine';
import { landingDir } from '../../engines/landing/files';
import type { LakehouseDefinition, Table } from '../../model';
import { prefixOf } from '../../model/places';
import { sampleOf } from '../sample';
import { counted } from '../text';
import type { Commands } from './commands';

/** Begins the names of the sample's files, which nobody else's begin with. */
export const OWN = 'smoke-';
const SAMPLE = { size: 30, seed: 2026, dirty: 0.01 };

/** All columns but pseudonyms, which depend on each lake's own key. */
export function rowsSql({ name, columns }: Table): string {
  const shown = Object.keys(columns).filter((column) => columns[column]?.type !== 'pseudonym');
  return `SELECT ${shown.map((column) => `t.${column}`).join(', ')} FROM ${name} t`;
}

/** How many records a run read of each source. */
export const recordsIn = (tables: readonly TableSummary[]): ReadonlyMap<string, number> =>
  new Map(tables.flatMap(({ table, job, read }) => (job === null ? [[table, read]] : [])));

/** A made-up sample, the same each time, and what the local engine makes of it. */
export class Sample {
  readonly dir: string;
  /** The words that name a lake to `lake`: with everybody, and without the person who is forgotten. */
  readonly all: readonly string[];
  readonly left: readonly string[];
  /** Keys of the files in the buckets of their zones. */
  readonly keys = new Set<string>();
  /** How many records the local engine read of each source. */
  records: ReadonlyMap<string, number> = new Map();
  /** Who is forgotten, as the sources name them. */
  person = '';

  constructor(
    private readonly definition: LakehouseDefinition,
    private readonly commands: Commands,
    private readonly temp: string,
  ) {
    this.dir = join(temp, 'sample');
    this.all = ['--lake', join(temp, 'all')];
    this.left = ['--lake', join(temp, 'left')];
  }

  /** `parameters`: the rules that the stack's runs follow. */
  async make(parameters: Readonly<Record<string, string>>): Promise<string> {
    const { unit } = sampleOf(this.definition);
    const { size, seed, dirty } = SAMPLE;
    const about = [`--${unit}`, size, '--seed', seed, '--dirty', dirty].map(String);
    await this.commands.makeSample(['--out', this.dir, ...about]);
    for (const source of this.definition.pipeline.sources) {
      const folder = landingDir(this.dir, source);
      for (const name of await readdir(folder)) {
        await rename(join(folder, name), join(folder, OWN + name));
        this.keys.add(prefixOf(source) + OWN + name);
      }
    }
    const rules = Object.entries(parameters).flatMap(([name, value]) => [`--${name}`, value]);
    const { tables } = await this.commands.lake<RunSummary>([
      'run',
      '--data',
      this.dir,
      ...this.all,
      ...rules,
    ]);
    this.records = recordsIn(tables);
    await cp(join(this.temp, 'all'), join(this.temp, 'left'), { recursive: true });
    this.person = await this.somebody();
    await this.commands.lake(['forget', '--subject', '-', ...this.left], this.person);
    return `${counted(this.keys.size, 'file')}, made up: ${size} ${unit}`;
  }

  /** Somebody who came into the last table that names people. */
  private async somebody(): Promise<string> {
    for (const { output } of this.definition.pipeline.jobs.toReversed()) {
      const [column] = Object.entries(output.columns).find(([, c]) => c.identifies === 'person') ?? [];
      if (column === undefined) continue;
      const [row] = await this.commands.rows(
        `SELECT MIN(t.${column}) AS who FROM ${output.name} t`,
        this.all,
      );
      return (JSON.parse(row as string) as { who: string }).who;
    }
    throw new LakeError('no table of the definition names people, so that nobody can be forgotten');
  }

  /** Every row that a table of the stack may have while it holds nothing but the sample. */
  async rowsOf(table: Table): Promise<ReadonlySet<string>> {
    const sql = rowsSql(table);
    const [all, left] = [await this.commands.rows(sql, this.all), await this.commands.rows(sql, this.left)];
    return new Set([...all, ...left]);
  }

  /** Every table that a run writes as a query, and of what it refused, why. */
  questions(): string[] {
    const { jobs, sources } = this.definition.pipeline;
    const refused = sources.map(({ name }) => `SELECT t.reason, t.detail FROM ${name}_quarantine t`);
    return [...jobs.map(({ output }) => rowsSql(output)), ...refused];
  }
}
