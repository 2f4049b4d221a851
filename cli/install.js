// Installs the packages of package-lock.json, unless npm's own record in node_modules says that they are there.
const { spawnSync } = require('node:child_process');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const root = join(__dirname, '..');

const packagesIn = (...path) => {
  try {
    return JSON.parse(readFileSync(join(root, ...path), 'utf8')).packages;
  } catch {
    return {};
  }
};

function isInstalled() {
  const installed = packagesIn('node_modules', '.package-lock.json');
  return Object.entries(packagesIn('package-lock.json')).every(
    ([path, { integrity, optional, devOptional }]) => {
      const found = installed[path];
      // The lock's own root has no path. Optional packages are those of other systems.
      return path === '' || (found ? found.integrity === integrity : optional || devOptional);
    },
  );
}

if (!isInstalled()) {
  process.stderr.write('Installing packages (npm ci) …\n');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    // What npm prints must not mix into the output of the command that follows.
    stdio: ['ignore', process.stderr, process.stderr],
    shell: process.platform === 'win32',
  });
  if (status !== 0) {
    process.stderr.write(
      'npm ci failed; see above. Node 20.15 or later and a reachable npm registry are needed.\n',
    );
    process.exit(1);
  }
}
