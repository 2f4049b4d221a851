#!/usr/bin/env node
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const { node } = process.versions;
const [major, minor] = node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 15)) {
  process.stderr.write(`lake: this is Node ${node}; install Node 20.15 or later\n`);
  process.exit(1);
}
try {
  require('./typescript.js');
  // In the repository it runs as it stands, in the package it is compiled.
  require(existsSync(join(__dirname, 'lake.ts')) ? './lake.ts' : '../dist/cli/lake.js');
} catch (error) {
  if (error.code !== 'MODULE_NOT_FOUND') throw error;
  const [what] = error.message.split('\n');
  process.stderr.write(`lake: ${what}; run npm ci in ${join(__dirname, '..')}\n`);
  process.exit(1);
}
