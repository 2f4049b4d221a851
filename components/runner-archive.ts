import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { strToU8, zipSync } from 'fflate';

const PACKAGE = 'lakehouse_runner';

/** Names of the modules below a folder, with slashes. */
const filesIn = (dir: string, under = ''): string[] =>
  readdirSync(join(dir, under), { withFileTypes: true }).flatMap((entry) => {
    const name = `${under}${entry.name}`;
    return entry.isDirectory() ? filesIn(dir, `${name}/`) : name.endsWith('.py') ? [name] : [];
  });

/**
 * The runner's package in `dir` as a zip that Python imports from. The same content is the same bytes on any machine,
 * so that a deployment from another one changes nothing: no times, no rights, no order of the disk's, line ends as in
 * git, and nothing compressed, as what compresses may change.
 */
export function runnerArchive(dir: string): Uint8Array {
  const names = filesIn(join(dir, PACKAGE)).sort();
  const textOf = (name: string) => readFileSync(join(dir, PACKAGE, name), 'utf8').replaceAll('\r\n', '\n');
  return zipSync(
    Object.fromEntries(names.map((name) => [`${PACKAGE}/${name}`, strToU8(textOf(name))])),
    // A zip has the local time: this is one in every time zone.
    { level: 0, mtime: new Date(2000, 0, 1, 12) },
  );
}
