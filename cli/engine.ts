import type { Engine } from '../engines/engine';

export const ENGINES = ['duckdb', 'spark'] as const;
export type EngineName = (typeof ENGINES)[number];

/** The engine of a lake in a folder. Each is loaded only where it is used. */
export function engineOf(
  name: EngineName,
  options: { readonly lake: string; readonly jobs: string; readonly say?: (text: string) => void },
): Engine {
  if (name === 'spark') {
    const { SparkEngine } = require('../engines/spark/engine') as typeof import('../engines/spark/engine');
    return new SparkEngine(options);
  }
  const { DuckDbEngine } = require('../engines/duckdb/engine') as typeof import('../engines/duckdb/engine');
  return new DuckDbEngine(options);
}
