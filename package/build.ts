// Compiles the package into dist/, which `npm pack` takes: JavaScript with types, and what runs as it stands.
import { execFileSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../engines/root';

const DIST = join(ROOT, 'dist');

rmSync(DIST, { recursive: true, force: true });
execFileSync(
  process.execPath,
  [join(ROOT, 'node_modules', 'typescript-7', 'bin', 'tsc'), '--project', __dirname],
  {
    stdio: ['ignore', 2, 2],
  },
);
const isOfTests = (path: string) => /[\\/](?:tests|wheels|__pycache__|\.\w+_cache)$/.test(path);
for (const part of ['package.json', 'package/index.d.ts', 'cli/template', 'cli/docs/page', 'jobs/runner']) {
  cpSync(join(ROOT, part), join(DIST, part), { recursive: true, filter: (path) => !isOfTests(path) });
}
