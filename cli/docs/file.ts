// The page as one file that a browser opens from disk: it holds its script, its style and its data, and may ask for nothing.
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../../engines/replace-file';
import { ROOT } from '../../engines/root';
import type { Catalogue } from './page/data';
import { html } from './page/html';

const PAGE = join(__dirname, 'page');
const CACHE = join(ROOT, 'node_modules', '.cache', 'lake');

type Parts = readonly [script: string, style: string];

/** The script and the style of every page: bundled once, and kept under a hash of all that they are made of. */
export async function pageParts(): Promise<Parts> {
  const hash = createHash('sha256');
  for (const file of (await readdir(PAGE)).sort()) hash.update(await readFile(join(PAGE, file)));
  const kept = join(CACHE, `page-${hash.digest('hex')}.json`);
  try {
    return JSON.parse(await readFile(kept, 'utf8'));
  } catch {
    const parts = await Promise.all([bundled('client.ts'), bundled('style.css')]);
    // A folder that cannot be written costs time, and nothing else.
    await mkdir(CACHE, { recursive: true })
      .then(() => replaceFile(kept, JSON.stringify(parts)))
      .catch(() => undefined);
    return parts;
  }
}

async function bundled(file: string): Promise<string> {
  const { build } = require('esbuild') as typeof import('esbuild');
  const { outputFiles } = await build({
    entryPoints: [join(PAGE, file)],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    charset: 'utf8',
    tsconfigRaw: '{}',
  });
  return outputFiles[0]?.text.trim() ?? '';
}

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** The whole file. */
export function pageOf(catalogue: Catalogue, [script, style]: Parts): string {
  // In a script, `<` alone could end it.
  const data = JSON.stringify(catalogue).replaceAll('<', '\\u003c');
  const policy = `default-src 'none'; base-uri 'none'; form-action 'none'; script-src ${hashOf(script)}; style-src ${hashOf(style)}`;
  const head = html`<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${catalogue.name}</title>`;
  const body = html`<header><a href="#overview">${catalogue.name}</a><input id="search" type="search" placeholder="Search, by /" aria-label="Search tables, columns, jobs, queries" autocomplete="off"><span id="found" role="status"></span><ul id="results" hidden></ul></header>
<div id="body"><details id="menu" open><summary>Everything</summary><nav aria-label="Everything"></nav></details><main tabindex="-1"><noscript>This page needs its script, which is in this file.</noscript></main></div>`;
  return `<!doctype html>\n<html lang="en"><head>${head.text}<style>${style}</style></head>\n<body>${body.text}
<script type="application/json" id="catalogue">${data}</script>
<script>${script}</script></body></html>\n`;
}
