// Pulumi starts the pack here. The TypeScript runs as it stands: no build, and nothing to keep in step with one.
require('../cli/typescript.js');
require('./pack.ts');
