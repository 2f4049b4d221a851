import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DefinitionError, type LakehouseDefinition } from '../model';
import { LakeError } from './engine';

/** The file that makes a folder a lakehouse. */
export const DEFINITION = 'lakehouse.ts';

/** A lakehouse's folder. */
export interface Project {
  /** Absolute, as are the folders in it. */
  readonly dir: string;
  readonly jobs: string;
  readonly queries: string;
  readonly definition: LakehouseDefinition;
}

/** The nearest folder, from this one upwards, that is a lakehouse's. */
export function findProject(from: string): string | undefined {
  const dir = resolve(from);
  if (existsSync(join(dir, DEFINITION))) return dir;
  return dirname(dir) === dir ? undefined : findProject(dirname(dir));
}

/**
 * The lakehouse of a folder. Throws a DefinitionError with its faults, and a LakeError where its text cannot be loaded:
 * that is its author's to hear.
 */
export function loadProject(dir: string): Project {
  const file = join(dir, DEFINITION);
  let loaded: { readonly default?: LakehouseDefinition };
  try {
    loaded = require(file);
  } catch (error) {
    if (error instanceof DefinitionError) throw error;
    const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
    // esbuild says the place in its second line; Node, which files asked for one that is missing.
    const [first = '', second = ''] = message.split('\n');
    const isOfEsbuild = first.startsWith('Transform failed');
    const place = [...stack.matchAll(/\n\s*at (?:.*\()?([^\s()]+:\d+:\d+)\)?/g)].find(
      ([, where = '']) => !where.startsWith('node:'),
    )?.[1];
    const told = isOfEsbuild ? second : `${first}${place ? ` (${place})` : ''}`;
    throw new LakeError(`the definition cannot be loaded: ${told}. npx tsc --noEmit tells more`);
  }
  const { default: definition } = loaded;
  const lacks = (['name', 'description', 'pipeline'] as const).filter(
    (key) => !definition?.[key] || (key === 'pipeline' && !(definition.pipeline.tables instanceof Map)),
  );
  if (definition === undefined || lacks.length > 0) {
    throw new LakeError(
      `${file} has no lakehouse: its default export lacks ${lacks.join(', ')}; it is a LakehouseDefinition`,
    );
  }
  return { dir, jobs: join(dir, 'jobs'), queries: join(dir, 'queries'), definition };
}
