#!/usr/bin/env node
// Runs the TypeScript as it stands: no build, and nothing to keep in step with one.
const { node } = process.versions;
const [major, minor] = node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 15)) {
  process.stderr.write(`lake: this is Node ${node}; install Node 20.15 or later\n`);
  process.exit(1);
}
try {
  require('./typescript.js');
  require('./lake.ts');
} catch (error) {
  if (error.code !== 'MODULE_NOT_FOUND') throw error;
  const [what] = error.message.split('\n');
  process.stderr.write(`lake: ${what}; run npm ci in ${require('node:path').join(__dirname, '..')}\n`);
  process.exit(1);
}
