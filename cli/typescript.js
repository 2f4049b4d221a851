// Lets Node load TypeScript as it stands. tsx does so too, and at every start parses every file that it meets, those of
// packages too: a tenth of a second, where a run takes half of one.
const { createHash } = require('node:crypto');
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { version } = require('esbuild/package.json');

const CACHE = join(__dirname, '..', 'node_modules', '.cache', 'lake');
/** Packages of ES modules that do not say so, or have nothing else. */
const ES_MODULES = /[\\/]node_modules[\\/](?:dt-sql-parser|antlr4-c3)[\\/]/;

/** A file in JavaScript that Node can require: translated once, and kept under a hash of all that it comes from. */
function translated(file, loader) {
  const source = readFileSync(file, 'utf8');
  const options = {
    loader,
    format: 'cjs',
    target: 'node20',
    sourcefile: file,
    sourcemap: 'inline',
    sourcesContent: false,
  };
  const hash = createHash('sha256')
    .update(JSON.stringify([version, options, source]))
    .digest('hex');
  const kept = join(CACHE, `${hash}.js`);
  try {
    return readFileSync(kept, 'utf8');
  } catch {
    const { code } = require('esbuild').transformSync(source, options);
    try {
      mkdirSync(CACHE, { recursive: true });
      writeFileSync(`${kept}.${process.pid}.tmp`, code);
      renameSync(`${kept}.${process.pid}.tmp`, kept);
    } catch {
      // A folder that cannot be written costs time, and nothing else.
    }
    return code;
  }
}

const { '.js': plain } = require.extensions;
require.extensions['.ts'] = (module, file) => module._compile(translated(file, 'ts'), file);
require.extensions['.js'] = (module, file) =>
  ES_MODULES.test(file) ? module._compile(translated(file, 'js'), file) : plain(module, file);
// Places in errors are those of the TypeScript.
process.setSourceMapsEnabled(true);
