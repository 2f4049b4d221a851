// Checks the repository's Python with ruff and mypy, at the versions of requirements-dev.txt, in .venv. Where they
// cannot be had it says why and passes, because a run on DuckDB needs no Python; in CI it fails instead.
import { installPython, runTool, venvTool } from '../engines/python';

// mypy knows PySpark's types where it is installed.
const REQUIREMENTS = ['requirements-dev.txt', 'jobs/runner/requirements.txt'];
const CHECKS = [
  ['ruff', 'check', '.'],
  ['ruff', 'format', '--check', '.'],
  ['mypy', '.'],
] as const;

const say = (text: string) => process.stdout.write(`${text.trimEnd()}\n`);

function main(): number {
  for (const requirements of REQUIREMENTS) {
    const missing = installPython(requirements, say);
    if (missing === undefined) continue;
    const inCi = process.env.CI === 'true';
    say(`python checks ${inCi ? 'failed' : 'skipped'}: ${missing}`);
    return inCi ? 1 : 0;
  }
  const failed = CHECKS.filter(([tool, ...args]) => {
    const { ok, text } = runTool(venvTool(tool), args);
    if (!ok) say(`${[tool, ...args].join(' ')}\n${text}`);
    return !ok;
  });
  if (failed.length > 0) return 1;
  say('python checks: ruff and mypy find nothing');
  return 0;
}

process.exitCode = main();
