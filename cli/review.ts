import { realpathSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Comparable, compareLakes } from '../engines/duckdb/compare';
import { DuckDbEngine } from '../engines/duckdb/engine';
import { LakeError, type RunSummary, UsageError } from '../engines/engine';
import type { Project } from '../engines/project';
import { Store } from '../engines/store';
import { withoutAddress } from '../model';
import { FORMATS } from '../model/format';
import type { RunOutcome, Runs } from '../review/data';
import type { Description } from '../review/description';
import { byLevel, type Gate, gateFails, type Section, verdictOf } from '../review/finding';
import { type Preview, parsePreview } from '../review/infrastructure';
import { markdownOf } from '../review/markdown';
import { findingsOf, type Review, reviewOf } from '../review/review';
import { plain, say, type Text, message as words } from '../review/text';
import { type Base, defaultBase, inPlace, openBase, repositoryOf } from './base';
import { describe } from './describe';
import { type Place, placesOf } from './places';
import { SAMPLE } from './run';
import { sampleOf } from './sample';
import { fittedTable } from './table';
import { counted, harmless, message, wrapped } from './text';

export interface ReviewOptions {
  readonly base?: string;
  readonly data?: string;
  /** `stack=file` each. */
  readonly preview?: readonly string[];
  readonly link?: string;
  readonly comment?: string;
  readonly github?: boolean;
  readonly failOn?: readonly Gate[];
  readonly json?: boolean;
}

/** `lake review`. Returns the exit status: 1 where a gate fails. */
export async function reviewCommand(project: Project, options: ReviewOptions): Promise<number> {
  const root = await repositoryOf(project.dir);
  const ref = options.base ?? (await defaultBase(root));
  const previews = await Promise.all((options.preview ?? []).map(readPreview));
  const review = await inPlace(root, async (place, signal) => {
    const base = await openBase(realpathSync(project.dir), ref, join(place, 'base'), signal);
    return reviewAgainst(base, project, place, { ...options, ref, previews });
  });
  await tell(review, () => placesOf(root, project), options);
  return options.failOn?.some((gate) => gateFails(gate, findingsOf(review))) ? 1 : 0;
}

/** Compares a lakehouse with another revision of it; lakes and samples are made in the folder `place`. */
export async function reviewAgainst(
  base: Pick<Base, 'lake'>,
  project: Project,
  place: string,
  {
    ref,
    previews,
    data,
    link,
  }: Pick<ReviewOptions, 'data' | 'link'> & { readonly ref: string; readonly previews: readonly Preview[] },
): Promise<Review> {
  const sample = join(place, 'sample');
  const [was, head, drawn] = await Promise.all([
    descriptionOf(base),
    describe(project),
    data === undefined ? base.lake(['sample', '--out', sample, '--dirty', String(SAMPLE.dirty)]) : undefined,
  ]);
  // A query that does not fit keeps no run from beginning.
  const isRun =
    !('silent' in was) &&
    !head.faults.some(({ path }) => path.startsWith('jobs/')) &&
    [was, head].every(({ jobs }) => Object.values(jobs).some(({ isLocal }) => isLocal));
  if (isRun && drawn) {
    if (drawn.status !== 0)
      throw new LakeError(`the base's lake sample failed: ${drawn.stderr.trim().split('\n')[0]}`);
    await completeSample(project, { was, head }, sample);
  }
  const { unit } = sampleOf(project.definition);
  const given =
    data === undefined
      ? { data: sample, input: say`a sample of ${SAMPLE.size} ${words(unit)}` }
      : { data: resolve(data), input: say`${data}` };
  const runs = isRun ? await runBoth(project, base, { was, head }, place, given) : undefined;
  return reviewOf({
    ref,
    base: was,
    head,
    ...(runs && { runs }),
    previews,
    ...(link !== undefined && { link }),
  });
}

async function readPreview(given: string): Promise<Preview> {
  const [, stack, file] = /^([^=]+)=(.+)$/.exec(given) ?? [];
  if (stack === undefined || file === undefined)
    throw new UsageError(`--preview ${given}: give STACK=FILE, such as dev=preview-dev.json`);
  const text = await readFile(file, 'utf8');
  try {
    return parsePreview(stack, text);
  } catch {
    throw new UsageError(`--preview ${given}: the file is not what "pulumi preview --json" prints`);
  }
}

/** What the base says of itself, or why it doesn't. */
async function descriptionOf(base: Pick<Base, 'lake'>): Promise<Description | { readonly silent: string }> {
  const { status, stdout, stderr } = await base.lake(['describe', '--json']);
  if (status !== 0) {
    const why = /unknown command/.test(stderr)
      ? 'its version has no lake describe'
      : `lake describe fails there: ${stderr.trim().split('\n')[0]}`;
    return { silent: `the base cannot be compared: ${why}` };
  }
  const described = JSON.parse(stdout) as Description;
  return described.version === FORMATS.description
    ? described
    : {
        silent: `the base describes itself in format ${described.version}, and this version reads ${FORMATS.description}`,
      };
}

/** Runs both revisions on the same files, at the same time by their clocks, and compares what they made. */
async function runBoth(
  project: Project,
  base: Pick<Base, 'lake'>,
  of: { readonly was: Description; readonly head: Description },
  place: string,
  { data, input }: { readonly data: string; readonly input: Text },
): Promise<Runs> {
  const lakes = { before: join(place, 'before'), after: join(place, 'after') };
  // A pseudonym is the same where its key is.
  for (const lake of Object.values(lakes)) await mkdir(lake);
  await new Store(lakes.after).pseudonymKey();
  await copyFile(join(lakes.after, 'pseudonym.key'), join(lakes.before, 'pseudonym.key'));
  const time = new Date();
  const [before, after] = await Promise.all([
    runOfBase(base, [
      ...['--data', data, '--lake', lakes.before, '--time', time.toISOString()],
      ...onlyOf(of.was).flatMap((name, i) => (i === 0 ? ['--only', name] : [name])),
    ]),
    runOfHead(project, lakes.after, data, time, onlyOf(of.head)),
  ]);
  return {
    input,
    base: before,
    head: after,
    made: Object.keys(of.head.tables).filter((name) => !(name in of.was.tables)),
    left: Object.keys(of.head.jobs).filter((name) =>
      [of.was, of.head].some(({ jobs }) => jobs[name]?.isLocal === false),
    ),
    tables: await compareLakes(lakes, comparables(of)),
  };
}

/** Adds to a sample, as the base's sources write it, what only this revision's have. */
async function completeSample(
  { definition }: Project,
  { was, head }: { readonly was: Description; readonly head: Description },
  out: string,
): Promise<void> {
  const { addColumns } = require('../samples/contract') as typeof import('../samples/contract');
  for (const source of definition.pipeline.sources) {
    const before = was.tables[source.name];
    if (before?.entity !== source.entity) continue;
    const added = Object.keys(head.tables[source.name]?.columns ?? {}).filter(
      (column) => !(column in before.columns),
    );
    if (added.length === 0) continue;
    if (source.format === 'json') await addColumns(source, added, { ...SAMPLE, out });
    // What is no text of objects is made anew, as this revision's sources write it.
    else await rm(join(out, source.entity), { recursive: true, force: true });
  }
  await sampleOf(definition).complete({ ...SAMPLE, out });
}

/** The jobs that DuckDB runs, where there are others too. */
function onlyOf({ jobs }: Description): string[] {
  const local = Object.entries(jobs).filter(([, { isLocal }]) => isLocal);
  return local.length === Object.keys(jobs).length ? [] : local.map(([name]) => name);
}

async function runOfBase(base: Pick<Base, 'lake'>, args: readonly string[]): Promise<RunOutcome> {
  const { stdout, stderr } = await base.lake(['run', '--json', ...args]);
  try {
    const summary = JSON.parse(stdout) as RunSummary;
    return { summary, failures: summary.failures ?? [] };
  } catch {
    return { failures: [stderr.trim().replace(/^lake: /, '')] };
  }
}

async function runOfHead(
  { definition, jobs }: Project,
  lake: string,
  data: string,
  time: Date,
  only: readonly string[],
): Promise<RunOutcome> {
  try {
    const { summary, failures } = await new DuckDbEngine({ lake, jobs }).run(definition.pipeline, {
      data,
      time,
      ...(only.length > 0 && { only }),
    });
    return { summary, failures };
  } catch (error) {
    if (!(error instanceof LakeError || error instanceof UsageError)) throw error;
    return { failures: [error.message] };
  }
}

function comparables({
  was,
  head,
}: {
  readonly was: Description;
  readonly head: Description;
}): Record<string, Comparable> {
  const both = Object.entries(head.tables).flatMap(([name, { columns, open, keys }]) => {
    const before = was.tables[name];
    if (!before) return [];
    const common = Object.keys(columns).filter((column) => column in before.columns);
    const comparable = { columns: common, open: open.filter((column) => before.open.includes(column)), keys };
    return [[name, comparable] as const];
  });
  return Object.fromEntries(both);
}

async function tell(
  review: Review,
  places: () => Promise<(path: string) => Place | undefined>,
  options: ReviewOptions,
): Promise<void> {
  const comment = markdownOf(review);
  if (options.comment !== undefined) await writeFile(options.comment, comment);
  if (options.github) {
    const { GITHUB_STEP_SUMMARY: summary } = process.env;
    if (summary !== undefined) await writeFile(summary, comment, { flag: 'a' });
    process.stdout.write(annotationsOf(review, await places()));
  }
  if (options.json) {
    const placeOf = await places();
    const found = findingsOf(review).map(({ level, text, path }) => ({
      level,
      text: withoutAddress(plain(text)),
      ...(path !== undefined && { path, ...placeOf(path) }),
    }));
    const { verdict } = verdictOf(findingsOf(review));
    process.stdout.write(`${JSON.stringify({ base: review.ref, verdict, findings: found }, null, 2)}\n`);
  } else if (!options.github) process.stdout.write(terminalOf(review));
}

/** Of GitHub Actions: what breaks or is lost as errors, what somebody may do now as warnings, where it is. */
function annotationsOf(review: Review, placeOf: (path: string) => Place | undefined): string {
  const data = (text: string) => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  const property = (text: string) => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
  const lines = findingsOf(review).flatMap(({ level, text, path = '' }) => {
    const place = placeOf(path);
    const command = { breaking: 'error', loss: 'error', access: 'warning', look: undefined, note: undefined }[
      level
    ];
    if (command === undefined) return [];
    const where = place ? ` file=${property(place.file)},line=${place.line}` : '';
    return [`::${command}${where}::${data(message(plain(text)))}\n`];
  });
  return lines.join('');
}

function terminalOf(review: Review): string {
  const { verdict, why } = verdictOf(findingsOf(review));
  const sections = review.sections.filter(
    ({ summary, findings }) => summary.length > 0 || findings.length > 0,
  );
  const count = why.length > 0 ? `: ${counted(why.length, 'thing')} to look at` : '';
  const lines = [`${verdict} against ${review.ref}${count}`, ...sections.flatMap(sectionLines), ''];
  return message(lines.join('\n'));
}

function sectionLines({ title, summary, findings, tables = [] }: Section): string[] {
  const sorted = findings.toSorted(byLevel);
  const cells = (row: readonly Text[]) => row.map(plain);
  return [
    '',
    `${title}${summary.length > 0 ? `: ${plain(summary)}` : ''}`,
    ...sorted.map(({ level, text }) =>
      wrapped(`  ${level.padEnd(8)}  ${harmless(plain(text)).replaceAll('\n', ' ')}`, '            '),
    ),
    ...tables.flatMap(({ caption, head, rows }) => [
      ...(caption ? ['', `${plain(caption)}:`] : ['']),
      fittedTable(
        cells(head).map((name) => ({ name })),
        rows.map(cells),
        process.stdout.columns,
      ),
    ]),
  ];
}
