import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { LANGUAGES } from '../engines/job-code';
import type { Project } from '../engines/project';
import { catalogueOf, lakeCatalogue } from './docs/catalogue';
import { pageOf, pageParts } from './docs/file';
import type { Catalogue } from './docs/page/data';
import { type EngineName, engineOf } from './engine';
import { type StackFlags, stackOf } from './stack-options';
import { message } from './text';

export interface DocsOptions extends StackFlags {
  readonly lake: string;
  readonly engine: EngineName;
  /** Default: in the lake. */
  readonly out?: string;
  readonly open?: boolean;
}

/** `lake docs`: writes the page. Throws a LakeError where the lake or the stack cannot be read. */
export async function docsCommand(project: Project, options: DocsOptions): Promise<void> {
  const { lake, stack, open } = options;
  const out = options.out ?? join(lake, stack === undefined ? 'docs.html' : `docs-${basename(stack)}.html`);
  const [parts, catalogue] = await Promise.all([pageParts(), catalogueBy(project, options)]);
  const page = pageOf(catalogue, parts);
  await mkdir(dirname(out), { recursive: true });
  // It says how many people there are, and when.
  await writeFile(out, page, { mode: 0o600 });
  for (const text of faultsOf(catalogue)) process.stderr.write(message(`lake: warning: ${text}\n`));
  process.stdout.write(`${out}: ${Math.ceil(Buffer.byteLength(page) / 1024)} KB; open it in a browser\n`);
  if (open) openFile(pathToFileURL(resolve(out)).href);
}

async function catalogueBy(project: Project, { lake, engine, ...flags }: DocsOptions): Promise<Catalogue> {
  if (flags.stack === undefined)
    return lakeCatalogue(project, engineOf(engine, { lake, jobs: project.jobs }));
  const { stackHoldings } = require('./docs/stack') as typeof import('./docs/stack');
  return catalogueOf(project, await stackHoldings(project.definition.pipeline, await stackOf(flags)));
}

/** What the page does without. */
const faultsOf = ({ costs, jobs }: Catalogue) => [
  ...costs.flatMap((cost) => ('fault' in cost ? [cost.fault] : [])),
  ...jobs
    .filter(({ language, lineage }) => language === LANGUAGES.sql && !lineage)
    .map(
      ({ name }) => `the SQL of ${name} does not bind, so that its lineage is missing; see npx lake check`,
    ),
];

function openFile(url: string): void {
  const command = { darwin: 'open', win32: 'explorer' }[process.platform as string] ?? 'xdg-open';
  // A machine without a browser has the file all the same.
  spawn(command, [url], { detached: true, stdio: 'ignore' })
    .on('error', () => undefined)
    .unref();
}
