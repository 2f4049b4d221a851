import { appendFileSync } from 'node:fs';
import type { RunEvent, RunResult } from '../engines/engine';
import type { Project } from '../engines/project';
import { type LineageEvent, Receiver, RunEvents } from '../standards/openlineage';
import { message } from './text';

/** Who hears of a run in the words of OpenLineage. */
export interface Listeners {
  tell(event: RunEvent): void;
  /** Resolves when everything is told; never rejects. */
  end(result: Pick<RunResult, 'failures'> | undefined): Promise<void>;
}

/**
 * Those that were asked for: `file` gets a line for each event, the receiver at OPENLINEAGE_URL hears of it too, with the
 * key in OPENLINEAGE_API_KEY where it has one. Nothing where there is neither.
 */
export async function listenersOf(
  { definition, jobs }: Project,
  file: string | undefined,
): Promise<Listeners | undefined> {
  const { OPENLINEAGE_URL: url, OPENLINEAGE_API_KEY: key } = process.env;
  if (file === undefined && !url) return undefined;
  // A run on a stack needs nothing of DuckDB else.
  const { withDatabase } = require('../engines/database') as typeof import('../engines/database');
  const { jobTexts } = require('../engines/lineage') as typeof import('../engines/lineage');
  const warn = (text: string) => process.stderr.write(message(`lake: warning: ${text}\n`));
  const receiver = url ? new Receiver(url, key, warn) : undefined;
  // Now, as a run must not end by it.
  if (file !== undefined) appendFileSync(file, '');
  const events = new RunEvents(
    definition.name,
    definition.pipeline,
    await withDatabase((db) => jobTexts(db, definition.pipeline.jobs, jobs)),
    (event: LineageEvent) => {
      if (file !== undefined) appendFileSync(file, `${JSON.stringify(event)}\n`);
      receiver?.send(event);
    },
  );
  return {
    tell: (event) => events.tell(event),
    end: async (result) => {
      events.end(result && { failures: result.failures.map(message) });
      await receiver?.done();
    },
  };
}
