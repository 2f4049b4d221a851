import { existsSync, lstatSync, statSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { UsageError } from '../engines/engine';
import { codeVersion } from '../engines/version';

const TEMPLATE = join(__dirname, 'template');
/** What the program of a stack takes as a project's name. */
const NAME = /^[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?$/;
/** The package, by whose name a lakehouse imports it. */
const PACKAGE = 'typed-lakehouse';

/**
 * `lake init DIR`: writes a small lakehouse that runs. Files that npm made there may stay. Throws a UsageError for a folder
 * whose name cannot be a lakehouse's, and for every file that is there already.
 */
export async function initCommand(dir: string): Promise<void> {
  const root = resolve(dir);
  const name = basename(root);
  if (!NAME.test(name)) {
    throw new UsageError(
      `${dir}: "${name}" cannot be the name of a lakehouse; give a folder of at most 20 lower-case letters, digits and hyphens`,
    );
  }
  const files = (await readdir(TEMPLATE, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => relative(TEMPLATE, join(entry.parentPath, entry.name)));
  // npm leaves out of a package what begins with a dot.
  const target = (file: string) => join(root, file.replace(/^_/, '.'));
  const folders = [...new Set(files.map((file) => dirname(target(file))))].filter(
    (folder) => folder !== root,
  );
  const taken = folders.filter((folder) => existsSync(folder) && !statSync(folder).isDirectory());
  // A link counts, wherever it leads. In what is no folder nothing is.
  if (taken.length === 0) {
    taken.push(...files.map(target).filter((file) => lstatSync(file, { throwIfNoEntry: false })));
  }
  if (taken.length > 0) {
    const list = taken.map((file) => relative('', file)).join(', ');
    throw new UsageError(`${list} would be overwritten; give a folder that does not have them`);
  }
  for (const file of files) {
    await mkdir(dirname(target(file)), { recursive: true });
    const text = await readFile(join(TEMPLATE, file), 'utf8');
    await writeFile(target(file), text.replaceAll('__NAME__', name));
  }
  if (!existsSync(join(root, 'package.json'))) {
    await writeFile(join(root, 'package.json'), `${JSON.stringify(await manifestOf(root, name), null, 2)}\n`);
  }
  const there = relative('', root);
  process.stdout.write(
    [
      `${name}: a lakehouse of 3 tables and 2 jobs in ${root}. Next:`,
      ...(there === '' ? [] : [`  cd ${there}`]),
      '  npm install        once',
      '  npx lake run       makes a sample and takes it through every job',
      '  npx lake query best_days',
      '  npx lake test      runs the cases of the jobs',
      'It is described in lakehouse.ts; README.md says more.',
      '',
    ].join('\n'),
  );
}

async function manifestOf(root: string, name: string) {
  return {
    name,
    private: true,
    dependencies: { [PACKAGE]: await dependency(root) },
    devDependencies: { '@types/node': '^20', typescript: '^5.9' },
  };
}

/** Where the package comes from: as a folder above has it, or this version. */
async function dependency(root: string): Promise<string> {
  for (let dir = root; dir !== dirname(dir); dir = dirname(dir)) {
    const file = join(dir, 'package.json');
    if (!existsSync(file)) continue;
    let spec: string | undefined;
    try {
      spec = JSON.parse(await readFile(file, 'utf8'))?.dependencies?.[PACKAGE];
    } catch {
      // A file that is none says nothing.
    }
    const [, path] = /^file:(.*)$/.exec(spec ?? '') ?? [];
    if (path !== undefined) return `file:${relative(root, resolve(dir, path))}`;
    if (spec !== undefined) return spec;
  }
  return codeVersion();
}
