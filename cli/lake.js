#!/usr/bin/env node
// Runs the TypeScript as it stands: no build, and nothing to keep in step with one.
require('tsx/cjs');
require('./lake.ts');
