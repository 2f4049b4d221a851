import { readFile } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import type { Project } from '../engines/project';
import { runProgram } from './processes';

/** A line of a file, by its path from the repository's folder. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/**
 * Finds where something is written: `jobs/x.sql:3` from the lakehouse's folder, or `table.columns.name` by the file that
 * names the table.
 */
export async function placesOf(root: string, { dir }: Project): Promise<(path: string) => Place | undefined> {
  // What git ignores, such as packages, defines nothing.
  const list = [
    'ls-files',
    '-z',
    '--cached',
    '--others',
    '--exclude-standard',
    '*.ts',
    ':!*.test.ts',
    ':!tests',
  ];
  const { stdout } = await runProgram('git', list, { cwd: dir });
  const names = stdout.split('\0').filter((name) => name !== '');
  const files = await Promise.all(
    names.map(async (name) => ({ name, text: await readFile(join(dir, name), 'utf8').catch(() => '') })),
  );
  const place = (name: string, line: number): Place => ({
    file: relative(root, resolve(dir, name)).replaceAll(sep, '/'),
    line,
  });
  return (path) => {
    const [, file, line] = /^([^:]+\.(?:sql|py|ya?ml|ts))(?::(\d+))?$/.exec(path) ?? [];
    if (file !== undefined) return place(file, Number(line ?? 1));
    const [table = '', , part] = path.split('.');
    if (!/^\w+$/.test(table)) return undefined;
    for (const { name, text } of files) {
      const at = text.search(new RegExp(`\\bname:\\s*['"]${table}['"]`));
      if (at < 0) continue;
      // Until the next definition; what is not written there comes from another one.
      const rest = text.slice(at).split(/\n\}\);/)[0] as string;
      const within = part !== undefined && /^\w+$/.test(part) ? rest.search(new RegExp(`\\b${part}\\b`)) : 0;
      return place(name, text.slice(0, at + Math.max(within, 0)).split('\n').length);
    }
    return undefined;
  };
}
