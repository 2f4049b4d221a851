import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Project } from '../engines/project';
import { lakeCatalogue } from './docs/catalogue';
import { pageOf, pageParts } from './docs/file';
import { type EngineName, engineOf } from './engine';

export interface DocsOptions {
  readonly lake: string;
  readonly engine: EngineName;
  /** Default: in the lake. */
  readonly out?: string;
  readonly open?: boolean;
}

/** `lake docs`: writes the page. Throws a LakeError where the definition is faulty or the lake cannot be read. */
export async function docsCommand(project: Project, options: DocsOptions): Promise<void> {
  const { lake, engine, out = join(lake, 'docs.html'), open } = options;
  const [parts, catalogue] = await Promise.all([
    pageParts(),
    lakeCatalogue(project, engineOf(engine, { lake, jobs: project.jobs })),
  ]);
  const page = pageOf(catalogue, parts);
  await mkdir(dirname(out), { recursive: true });
  // It says how many people there are, and when.
  await writeFile(out, page, { mode: 0o600 });
  process.stdout.write(`${out}: ${Math.ceil(Buffer.byteLength(page) / 1024)} KB; open it in a browser\n`);
  if (open) openFile(pathToFileURL(resolve(out)).href);
}

function openFile(url: string): void {
  const command = { darwin: 'open', win32: 'explorer' }[process.platform as string] ?? 'xdg-open';
  // A machine without a browser has the file all the same.
  spawn(command, [url], { detached: true, stdio: 'ignore' })
    .on('error', () => undefined)
    .unref();
}
