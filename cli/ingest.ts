import { writeSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import type { IngestEvent, Ingested, IngestSummary, Misread } from '../engines/aws/ingest';
import type { Pipeline } from '../model';
import { type StackFlags, stackFlags, stackOf } from './stack-options';
import { textTable } from './table';
import { counted, grouped, harmless } from './text';

export interface IngestOptions extends StackFlags {
  readonly validate: boolean;
  readonly replace?: boolean;
  readonly rewrite?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** `lake ingest`. Returns the exit status. */
export async function ingestCommand(
  pipeline: Pipeline,
  data: string,
  options: IngestOptions,
): Promise<number> {
  const stack = await stackOf(options);
  const { ingest } = require('../engines/aws/ingest') as typeof import('../engines/aws/ingest');
  const { validate, replace = false, rewrite = false, dryRun = false, json = false } = options;
  const progress = new Progress();
  const view = json ? undefined : viewOf(progress);
  const exit = () => {
    view?.end();
    writeSync(2, `\nlake: interrupted; ${progress.left()}\n`);
    process.exit(130);
  };
  const stop = new AbortController();
  // An upload is given the time to drop the parts that it has sent; a second Ctrl-C ends the process.
  const interrupted = () => (progress.uploading ? stop.abort() : exit());
  process.once('SIGINT', interrupted);
  let ingested: Ingested;
  try {
    ingested = await ingest(
      stack,
      pipeline.sources,
      { data, validate, replace, rewrite, dryRun },
      (event) => {
        progress.add(event);
        view?.tell(event);
      },
      { signal: stop.signal },
    );
  } catch (error) {
    if (stop.signal.aborted) exit();
    view?.end();
    if (progress.uploading) process.stderr.write(`lake: stopped; ${progress.left()}\n`);
    throw error;
  } finally {
    process.removeListener('SIGINT', interrupted);
  }
  view?.end();
  const { summary, plan, refusal } = ingested;
  const files = plan.map(({ path, bucket, key, state, size }) => ({
    file: path,
    uri: `s3://${bucket}/${key}`,
    state,
    bytes: size,
  }));
  if (json)
    process.stdout.write(`${JSON.stringify(dryRun ? { ...summary, plan: files } : summary, null, 2)}\n`);
  else process.stdout.write(harmless(report(ingested, files, options)));
  for (const warning of [...summary.warnings, ...misreadIn(summary, data)])
    process.stderr.write(harmless(`lake: warning: ${warning}\n`));
  if (refusal === undefined) return 0;
  process.stderr.write(harmless(`lake: ${refusal}\n`));
  return 1;
}

/** How many misread files are named. */
const NAMED = 10;

function misreadIn({ misread, outcome }: IngestSummary, data: string): string[] {
  const told = (files: readonly Misread[], head: string, foot: string) => {
    if (files.length === 0) return [];
    const lines = files.slice(0, NAMED).map(({ file, records, lost, details }) => {
      const loses =
        lost === 0 ? 'no record is lost' : `${grouped(lost)} of ${counted(records, 'record')} lost`;
      return `  ${relative(resolve(data), file)}: ${loses} (${details.join(', ')})`;
    });
    if (files.length > NAMED)
      lines.push(`  and ${grouped(files.length - NAMED)} more; --json names them all`);
    return [[head, ...lines, foot].join('\n')];
  };
  const isRewritten = ({ rewritten }: Misread) => rewritten;
  const done = outcome === 'planned' ? 'would be put up' : 'were put up';
  const misreads = (files: readonly Misread[]) =>
    `Athena reads one object a line, and misreads ${counted(files.length, 'file')}:`;
  const rewritten = misread.filter(isRewritten);
  const left = misread.filter(({ canRewrite, rewritten }) => canRewrite && !rewritten);
  const others = misread.filter(({ canRewrite }) => !canRewrite);
  return [
    ...told(rewritten, misreads(rewritten), `They ${done} with one record a line`),
    ...told(
      left,
      misreads(left),
      'A run reads them as they are. Give --rewrite to put them up with one record a line',
    ),
    ...told(
      others,
      `Athena misreads ${counted(others.length, 'file')}:`,
      'A run reads them as they are. They cannot be rewritten: a line is too long, or it is CSV or Parquet',
    ),
  ];
}

/** What was done so far. */
class Progress {
  uploading = false;
  files = 0;
  allFiles = 0;
  bytes = 0;
  allBytes = 0;
  private started = 0;

  add(event: IngestEvent) {
    if (event.kind === 'upload') {
      this.uploading = true;
      this.started = performance.now();
      this.allFiles = event.files;
      this.allBytes = event.bytes;
    } else if (event.kind === 'placed') this.files++;
    else if (event.kind === 'sent') this.bytes += event.bytes;
  }

  /** Bytes a second that were sent. */
  get rate() {
    const seconds = (performance.now() - this.started) / 1000;
    return seconds > 0 ? this.bytes / seconds : 0;
  }

  /** What an ingest leaves that does not come to its end, and how to go on. */
  left(): string {
    if (!this.uploading) return 'nothing was uploaded';
    return `${grouped(this.files)} of ${counted(this.allFiles, 'file')} in place, none in part. Run this again to go on`;
  }

  toString() {
    return `${grouped(this.files)} of ${counted(this.allFiles, 'file')}, ${sizeOf(this.bytes)} of ${sizeOf(this.allBytes)}, ${sizeOf(this.rate)}/s`;
  }
}

interface View {
  readonly tell: (event: IngestEvent) => void;
  readonly end: () => void;
}

const BAR = 20;
const CLEAR = '\r\u001b[K';
const TERMINAL_MS = 100;
/** Where lines stay, such as in a log. */
const LINES_MS = 10_000;

/**
 * A line that is written over on a terminal, now and then a line elsewhere: on stderr, as a reader of stdout that ends
 * early, such as head, ends the process.
 */
function viewOf(progress: Progress): View {
  const { NO_COLOR, TERM } = process.env;
  const terminal = process.stderr.isTTY && !NO_COLOR && TERM !== 'dumb';
  const show = (text: string) => process.stderr.write(terminal ? `${CLEAR}${text}` : `${text}\n`);
  let timer: NodeJS.Timeout | undefined;
  return {
    tell: (event) => {
      if (event.kind === 'stage' && terminal) show(event.stage);
      if (event.kind !== 'upload' || event.files === 0) return;
      const draw = () => show(terminal ? `${barOf(progress)} ${progress}` : String(progress));
      if (terminal) draw();
      timer = setInterval(draw, terminal ? TERMINAL_MS : LINES_MS);
    },
    end: () => {
      clearInterval(timer);
      if (terminal) writeSync(2, CLEAR);
    },
  };
}

function barOf({ bytes, allBytes }: Progress): string {
  const full = allBytes === 0 ? BAR : Math.floor((BAR * bytes) / allBytes);
  return `[${'#'.repeat(full)}${'-'.repeat(BAR - full)}]`;
}

/** `999 B`, `1.2 kB`, `35 MB`. */
function sizeOf(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : +value.toPrecision(2)} ${units[unit]}`;
}

interface Told {
  readonly file: string;
  readonly uri: string;
  readonly state: string;
  readonly bytes: number;
}

function report({ summary }: Ingested, files: readonly Told[], options: StackFlags): string {
  const { outcome, sources, seconds } = summary;
  const numbers = ['new', 'changed', 'unchanged', 'refused records'];
  const table = textTable(
    ['source', ...numbers, 'place'].map((name) => ({ name, right: numbers.includes(name) })),
    sources.map((s) => [
      s.table,
      ...[s.new, s.changed, s.unchanged].map(grouped),
      s.records ? `${grouped(s.records.refused)} of ${grouped(s.records.read)}` : 'not read',
      s.uri,
    ]),
  );
  if (outcome === 'planned') {
    const rewritten = new Set(summary.misread.flatMap((m) => (m.rewritten ? [m.file] : [])));
    const todo = files.filter(({ file, state }) => state !== 'unchanged' || rewritten.has(file));
    const plan = todo.map(({ file, state, uri, bytes }) => {
      const how = rewritten.has(file) ? ', rewritten' : '';
      return `${(state === 'unchanged' ? 'rewrite' : state).padEnd(7)}  ${uri}  ${sizeOf(bytes)}${how}`;
    });
    return [...plan, ...(plan.length > 0 ? [''] : []), table, '', 'Dry run: nothing was uploaded.', ''].join(
      '\n',
    );
  }
  const done =
    summary.files === 0
      ? 'All files are in place already.'
      : `Uploaded ${counted(summary.files, 'file')}, ${sizeOf(summary.bytes)}, in ${seconds.toFixed(1)} s.`;
  return [table, '', done, `  next  npx lake run ${stackFlags(options)}`, ''].join('\n');
}
