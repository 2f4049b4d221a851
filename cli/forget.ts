import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { type Receipt, UsageError } from '../engines/engine';
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
  const subject = checked(options.subject === '-' ? await firstLine() : options.subject);
  const request = { subject, dryRun: options.dryRun ?? false };
  const receipt =
    options.stack === undefined
      ? await forgetHere(pipeline, jobs, options.lake, request)
      : await forgetThere(options, request);
  const place = options.stack === undefined ? options.lake : `the stack ${options.stack}`;
  process.stdout.write(
    options.json ? `${JSON.stringify(receipt, null, 2)}\n` : harmless(report(receipt, place, options)),
  );
  for (const file of receipt.unread)
    process.stderr.write(message(`lake: ${file} could not be looked into\n`));
  for (const warning of receipt.warnings) process.stderr.write(message(`lake: warning: ${warning}\n`));
  if (receipt.again !== undefined) process.stderr.write(message(`lake: ${receipt.again}\n`));
  return receipt.unread.length === 0 && receipt.again === undefined ? 0 : 1;
}

interface Request {
  readonly subject: string;
  readonly dryRun: boolean;
}

async function forgetHere(
  pipeline: Pipeline,
  jobs: string,
  lake: string,
  request: Request,
): Promise<Receipt> {
  const { DuckDbEngine } = require('../engines/duckdb/engine') as typeof import('../engines/duckdb/engine');
  const engine = new DuckDbEngine({ lake, jobs });
  process.once('SIGINT', () => {
    writeSync(2, '\nlake: interrupted; the next lake forget or lake run ends what was begun\n');
    process.exit(130);
  });
  // Starting Spark takes seconds.
  const tell = (text: string) => void process.stderr.write(message(`lake: ${text}\n`));
  if (!storeOf(lake).hasSpark) return engine.forget(pipeline, { ...request, tell });
  if (process.stderr.isTTY) {
    process.stderr.write(
      'lake: the lake has tables of Spark too; to look them through takes about a minute\n',
    );
  }
  const { SparkEngine } = require('../engines/spark/engine') as typeof import('../engines/spark/engine');
  const other = new SparkEngine({ lake, jobs });
  return engine.forget(pipeline, { ...request, other, tell });
}

/** A stack needs nothing of DuckDB. */
function storeOf(lake: string) {
  const { Store } = require('../engines/store') as typeof import('../engines/store');
  return new Store(lake);
}

async function forgetThere(options: StackFlags, request: Request): Promise<Receipt> {
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

function report(receipt: Receipt, place: string, { stack, lake }: ForgetOptions): string {
  const { places, remade, sharedDevices, oldVersions, dryRun, listedSince, id } = receipt;
  const nothing = places.length === 0;
  const before =
    listedSince === undefined
      ? 'They were not on the list before'
      : `They have been forgotten since ${listedSince}`;
  const hint = listedSince === undefined ? '; is the address spelled as the customer did?' : '.';
  return [
    ...(nothing ? [`Nothing of this person is in ${place}. ${before}${hint}`] : [tableOf(receipt), '']),
    ...(nothing ? [] : [`${dryRun ? 'Would be removed from' : 'Removed from'} ${place}. ${before}.`]),
    ...(sharedDevices > 0
      ? [
          wrapped(
            `Shared: ${counted(sharedDevices, 'device')} of theirs others have too. Of these only what was measured at the instants of the person's own readings is theirs.`,
          ),
        ]
      : []),
    wrapped(
      `${counted(remade.length, 'table')} (${counted(
        remade.reduce((n, { rows }) => n + rows, 0),
        'row',
      )}) ${dryRun ? `would be made again, in about ${minutesOf(receipt)}` : 'were made again without them'}.`,
    ),
    ...(oldVersions > 0
      ? [
          `${counted(oldVersions, 'old file or version', 'old files and versions')} ${dryRun ? 'would go' : 'went'}.`,
        ]
      : []),
    ...(dryRun
      ? ['Nothing was changed: this was --dry-run.']
      : [
          'Runs leave them out from now on.',
          ...(stack === undefined
            ? [
                wrapped(
                  'Files outside of the lake, which --data named, are as they were: remove the person there too.',
                ),
                `Receipt: ${storeOf(lake).receiptFile(id)}`,
              ]
            : []),
        ]),
    '',
  ].join('\n');
}

const minutesOf = ({ seconds }: Receipt) =>
  seconds < 60 ? 'a minute' : counted(Math.ceil(seconds / 60), 'minute');

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
