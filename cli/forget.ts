import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { type ForgetRequest, type Receipt, UsageError } from '../engines/engine';
import type { Pipeline } from '../model';
import { type StackFlags, stackOf } from './stack-options';
import { textTable } from './table';
import { counted, harmless, message, wrapped } from './text';

export interface ForgetOptions extends StackFlags {
  /** An e-mail address, or `-`: the first line of standard input. */
  readonly subject: string;
  readonly lake: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** `lake forget`. Returns the exit status: 1 where something could not be looked into, or may have come back. */
export async function forgetCommand(
  pipeline: Pipeline,
  jobs: string,
  options: ForgetOptions,
): Promise<number> {
  const { stack, lake, dryRun = false } = options;
  const request = { subject: checked(options.subject === '-' ? await firstLine() : options.subject), dryRun };
  const receipt =
    stack === undefined
      ? await forgetHere(pipeline, jobs, lake, request)
      : await forgetThere(options, request);
  const text = options.json ? JSON.stringify(receipt, null, 2) : harmless(report(receipt, options));
  process.stdout.write(`${text}\n`);
  const { unread, warnings, again } = receipt;
  for (const file of unread) say(`${file} could not be looked into`);
  for (const warning of warnings) say(`warning: ${warning}`);
  if (again !== undefined) say(again);
  return unread.length === 0 && again === undefined ? 0 : 1;
}

const say = (text: string) => void process.stderr.write(message(`lake: ${text}\n`));

async function forgetHere(
  pipeline: Pipeline,
  jobs: string,
  lake: string,
  request: ForgetRequest,
): Promise<Receipt> {
  const { DuckDbEngine } = require('../engines/duckdb/engine') as typeof import('../engines/duckdb/engine');
  const engine = new DuckDbEngine({ lake, jobs });
  process.once('SIGINT', () => {
    writeSync(2, '\nlake: interrupted; the next lake forget or lake run ends what was begun\n');
    process.exit(130);
  });
  // Starting Spark takes seconds.
  if (!storeOf(lake).hasSpark) return engine.forget(pipeline, { ...request, tell: say });
  if (process.stderr.isTTY)
    say('the lake has tables of Spark too; to look them through takes about a minute');
  const { SparkEngine } = require('../engines/spark/engine') as typeof import('../engines/spark/engine');
  return engine.forget(pipeline, { ...request, other: new SparkEngine({ lake, jobs }), tell: say });
}

/** A stack needs nothing of DuckDB. */
function storeOf(lake: string) {
  const { Store } = require('../engines/store') as typeof import('../engines/store');
  return new Store(lake);
}

async function forgetThere(options: StackFlags, request: ForgetRequest): Promise<Receipt> {
  const stack = await stackOf(options);
  const { forgetOnStack } = require('../engines/aws/forget') as typeof import('../engines/aws/forget');
  return forgetOnStack(stack, request, (text) => process.stderr.write(harmless(`${text}\n`)));
}

/** Whatever could land can be forgotten, also what is no e-mail address. Throws a UsageError where there is nothing. */
function checked(text: string): string {
  if (/^[\s\x85]*$/.test(text)) {
    throw new UsageError(
      '--subject is empty; give what the customer registered with, such as the e-mail address',
    );
  }
  return text;
}

async function firstLine(): Promise<string> {
  const lines = createInterface({ input: process.stdin });
  for await (const line of lines) {
    lines.close();
    return line;
  }
  return '';
}

const KINDS = { rows: 'rows', quarantine: 'refused lines', files: 'lines of files' } as const;

function report(receipt: Receipt, { stack, lake }: ForgetOptions): string {
  const { places, remade, sharedDevices, oldVersions, dryRun, listedSince, seconds, id } = receipt;
  const place = stack === undefined ? lake : `the stack ${stack}`;
  const before =
    listedSince === undefined
      ? 'They were not on the list before'
      : `They have been forgotten since ${listedSince}`;
  const hint = listedSince === undefined ? '; is the address spelled as the customer did?' : '.';
  const rows = remade.reduce((total, table) => total + table.rows, 0);
  const minutes = seconds < 60 ? 'a minute' : counted(Math.ceil(seconds / 60), 'minute');
  const made = dryRun ? `would be made again, in about ${minutes}` : 'were made again without them';
  const lines =
    places.length === 0
      ? [`Nothing of this person is in ${place}. ${before}${hint}`]
      : [tableOf(receipt), '', `${dryRun ? 'Would be removed' : 'Removed'} from ${place}. ${before}.`];
  if (sharedDevices > 0) {
    const shared = `Shared: ${counted(sharedDevices, 'device')} of theirs others have too.`;
    lines.push(
      wrapped(
        `${shared} Of these only what was measured at the instants of the person's own readings is theirs.`,
      ),
    );
  }
  lines.push(wrapped(`${counted(remade.length, 'table')} (${counted(rows, 'row')}) ${made}.`));
  if (oldVersions > 0) {
    const old = counted(oldVersions, 'old file or version', 'old files and versions');
    lines.push(`${old} ${dryRun ? 'would go' : 'went'}.`);
  }
  lines.push(dryRun ? 'Nothing was changed: this was --dry-run.' : 'Runs leave them out from now on.');
  if (!dryRun && stack === undefined) {
    const outside = 'Files outside of the lake, which --data named, are as they were:';
    lines.push(wrapped(`${outside} remove the person there too.`));
    lines.push(`Receipt: ${storeOf(lake).receiptFile(id)}`);
  }
  return lines.join('\n');
}

const tableOf = ({ places, dryRun }: Receipt): string =>
  textTable(
    [
      { name: 'table' },
      { name: 'engine' },
      { name: 'what' },
      { name: dryRun ? 'would be removed' : 'removed', right: true },
    ],
    places.map(({ table, engine, kind, removed }) => [table, engine, KINDS[kind], String(removed)]),
  );
