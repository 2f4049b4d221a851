// Lets Node load TypeScript as it stands. tsx does so too, and at every start parses every file that it meets, those of
// packages too: a tenth of a second, where a run takes half of one.
const { createHash } = require('node:crypto');
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const Module = require('node:module');
const { join } = require('node:path');
const { version } = require('esbuild/package.json');

const { _resolveFilename } = Module;
const ELSEWHERE = {
  // A lakehouse's definition speaks the words of the very package that reads it, wherever its folder is.
  'typed-lakehouse': join(__dirname, '..', 'package', 'index.js'),
  // Pulumi's start of a program would have it say the places in errors, instead of this file: a fifth of a preview's time.
  'source-map-support/register': __filename,
};
Module._resolveFilename = (request, ...rest) => ELSEWHERE[request] ?? _resolveFilename(request, ...rest);

const CACHE = join(__dirname, '..', 'node_modules', '.cache', 'lake');
/** Packages of ES modules that do not say so, or have nothing else. */
const ES_MODULES = /[\\/]node_modules[\\/](?:dt-sql-parser|antlr4-c3)[\\/]/;

/** The file that has the source map of each that was loaded. */
const maps = new Map();

/** A file in JavaScript that Node can require: translated once, and kept under a hash of all that it comes from. */
function translated(file, loader) {
  const source = readFileSync(file, 'utf8');
  const options = {
    loader,
    format: 'cjs',
    target: 'node20',
    sourcemap: 'external',
    sourcesContent: false,
  };
  // Not of its place, which only a fault of it says: another checkout has the same file.
  const hash = createHash('sha256')
    .update(JSON.stringify([version, options, source]))
    .digest('hex');
  const kept = join(CACHE, `${hash}.js`);
  maps.set(file, `${kept}.map`);
  try {
    return readFileSync(kept, 'utf8');
  } catch {
    const { code, map } = require('esbuild').transformSync(source, { ...options, sourcefile: file });
    try {
      mkdirSync(CACHE, { recursive: true });
      keep(`${kept}.map`, map);
      keep(kept, code);
    } catch {
      // A folder that cannot be written costs time, and nothing else.
    }
    return code;
  }
}

function keep(file, text) {
  writeFileSync(`${file}.${process.pid}.tmp`, text);
  renameSync(`${file}.${process.pid}.tmp`, file);
}

const { '.js': plain } = require.extensions;
require.extensions['.ts'] = (module, file) => module._compile(translated(file, 'ts'), file);
require.extensions['.js'] = (module, file) =>
  ES_MODULES.test(file) ? module._compile(translated(file, 'js'), file) : plain(module, file);

// Places in errors are those of the TypeScript. Not by Node itself, which parses every map when its file is loaded.
Error.prepareStackTrace = (error, sites) =>
  isOfPulumi(sites[0]) ? `${error}` : [error, ...sites.map(placeOf)].join('\n    at ');

// Pulumi asks where it is for each promise of each resource, and shows it to nobody but who looks for leaks.
const isOfPulumi = (site) =>
  !process.env.PULUMI_DEBUG_PROMISE_LEAKS && site?.getFunctionName() === 'debuggablePromise';

const parsed = new Map();
function mapOf(file) {
  if (!parsed.has(file)) {
    const found = maps.get(file);
    parsed.set(file, found && new Module.SourceMap(JSON.parse(readFileSync(found, 'utf8'))));
  }
  return parsed.get(file);
}

/** By the place in what runs: Pulumi asks for the same again with each resource. */
const places = new Map();

function placeOf(site) {
  const file = site.getFileName();
  if (!maps.has(file)) return `${site}`;
  const [line, column] = [site.getLineNumber(), site.getColumnNumber()];
  const place = `${file}:${line}:${column}`;
  try {
    if (!places.has(place)) {
      const { originalLine, originalColumn } = mapOf(file).findEntry(line - 1, column - 1);
      places.set(place, `${file}:${originalLine + 1}:${originalColumn + 1}`);
    }
    return `${site}`.replace(place, places.get(place));
  } catch {
    return `${site}`;
  }
}
