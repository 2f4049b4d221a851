import { writeSync } from 'node:fs';
import type { RunEvent, TableSummary } from '../engines/engine';
import type { Severity } from '../model';
import { textTable } from './table';
import { counted, grouped } from './text';

interface ViewOptions {
  /** Nothing is shown beside JSON. */
  readonly json?: boolean | undefined;
  /** Whether a Spark of this machine starts first. */
  readonly onSpark?: boolean;
}

export interface Progress {
  readonly tell: (event: RunEvent) => void;
  /** Hears what takes seconds beside the jobs, where the terminal is the list's. */
  readonly say?: (text: string) => void;
  readonly end: () => Promise<void>;
}

const ENDED = 'ended without a summary';
const SHOW_CURSOR = '\u001b[?25h';
const SILENT: Progress = { tell: () => undefined, end: async () => undefined };

const told = (s: TableSummary) =>
  `${s.table}: ${counted(s.written, 'row')}${s.quarantined > 0 ? `, ${grouped(s.quarantined)} in quarantine` : ''}${s.unchanged ? ', unchanged' : ` (${s.part ? `in part by ${s.part.key}, ` : ''}${s.seconds.toFixed(2)} s)`}`;

/**
 * A live list on a terminal, a line a table elsewhere, nothing beside JSON. `left` is said where the list is
 * interrupted.
 */
export async function progressOf(
  tables: readonly string[],
  left: string,
  { json = false, onSpark = false }: ViewOptions = {},
): Promise<Progress> {
  if (json) return SILENT;
  const { NO_COLOR, TERM } = process.env;
  if (process.stdout.isTTY && !NO_COLOR && TERM !== 'dumb') return liveList(tables, left, onSpark);
  const say = (text: string) => process.stdout.write(`${text}\n`);
  // A table that fails may be done after that: then both are told in one line.
  const failed = new Set<string>();
  const sayFailed = () => {
    for (const table of failed) say(`${table}: failed`);
    failed.clear();
  };
  return {
    tell: ({ kind, ...event }) => {
      if ('summary' in event)
        say(`${told(event.summary)}${failed.delete(event.summary.table) ? ', failed' : ''}`);
      else if (kind === 'failed') failed.add(event.table);
      else {
        // Before what it causes.
        sayFailed();
        if (kind === 'skipped') say(`${event.table}: skipped`);
        else if (kind === 'untold') say(`${event.table}: ${ENDED}`);
      }
    },
    end: async () => sayFailed(),
  };
}

type Ending = Exclude<RunEvent, { readonly kind: 'start' }>;

/** What stands above the tables of a list while Spark starts. */
const SPARK = 'Spark';

async function liveList(names: readonly string[], left: string, onSpark: boolean): Promise<Progress> {
  if (onSpark) {
    // What it may install is told before the list has the terminal.
    const { readySpark } = require('../engines/spark/runner') as typeof import('../engines/spark/runner');
    readySpark((text) => process.stderr.write(`lake: ${text}\n`));
  }
  const { Listr } = require('listr2') as typeof import('listr2');
  const tables = onSpark ? [SPARK, ...names] : names;
  const settle = new Map<string, (ending?: Ending | typeof SPARK) => void>();
  const start = new Map<string, (isEnabled: true) => void>();
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const list = new Listr(
    tables.map((table) => {
      const ended = new Promise<Ending | typeof SPARK | undefined>((resolve) => settle.set(table, resolve));
      const started = new Promise<true>((resolve) => start.set(table, resolve));
      let isShown = false;
      return {
        title: table === SPARK ? 'Spark starts' : table,
        // Listr asks twice: before it shows the tasks, and before it begins one. So a job waits for its turn, and
        // what runs at once is shown so.
        enabled: () => {
          if (isShown) begin();
          const isEnabled = isShown ? started : true;
          isShown = true;
          return isEnabled;
        },
        task: async (_context: unknown, task: { title: string; skip: (message: string) => void }) => {
          const ending = await ended;
          if (ending === SPARK) task.title = 'Spark has started';
          else if (ending?.kind === 'done') task.title = told(ending.summary);
          else if (ending?.kind === 'untold') task.title = `${table}: ${ENDED}`;
          else if (ending?.kind === 'failed') throw new Error(`${table}: failed`);
          else task.skip(`${table}: skipped`);
        },
      };
    }),
    { concurrent: true, exitOnError: false, registerSignalListeners: false },
  );
  const interrupted = () => {
    // The list keeps back what is written to the streams.
    writeSync(1, SHOW_CURSOR);
    writeSync(2, `\nlake: interrupted; ${left}\n`);
    process.exit(130);
  };
  process.once('SIGINT', interrupted);
  const running = list.run();
  // The list loads its parts piece by piece: a run that begins at once would keep it from being drawn till the end.
  await begun;
  start.get(SPARK)?.(true);
  const settleAll = () => {
    for (const table of tables) {
      start.get(table)?.(true);
      settle.get(table)?.();
    }
    return running;
  };
  let isSparkUp = false;
  return {
    tell: (event) => {
      isSparkUp = true;
      settle.get(SPARK)?.(SPARK);
      const table = event.kind === 'done' ? event.summary.table : event.table;
      start.get(table)?.(true);
      if (event.kind !== 'start') settle.get(table)?.(event);
    },
    say: (text) => {
      // Of the start a line of the list tells. What comes after the jobs comes after the list too.
      if (isSparkUp) settleAll().then(() => process.stderr.write(`lake: ${text}\n`));
    },
    end: async () => {
      await settleAll();
      process.removeListener('SIGINT', interrupted);
    },
  };
}

/** As wide as a terminal of 80 columns, where counts have up to seven digits. */
export function tableOf(tables: readonly TableSummary[]): string {
  const columns = ['table', 'read', 'quarantined', 'written', 'checks', 'seconds'];
  return textTable(
    columns.map((name) => ({ name, right: name !== 'table' && name !== 'checks' })),
    tables.map((t) => [
      t.table,
      ...[t.read, t.quarantined, t.written].map(grouped),
      expectationsOf(t),
      t.unchanged ? 'unchanged' : t.seconds.toFixed(2),
    ]),
  );
}

/** How many expectations ended worst. */
function expectationsOf({ expectations }: TableSummary): string {
  const found = (severity: Severity) =>
    expectations.filter((e) => e.severity === severity && e.failed > 0).length;
  const worst = (['fail', 'quarantine', 'warn'] as const).find((severity) => found(severity) > 0);
  if (worst) return `${found(worst)} ${{ fail: 'failed', quarantine: 'moved', warn: 'warned' }[worst]}`;
  return expectations.length > 0 ? `${expectations.length} passed` : '-';
}
