// What `typed-lakehouse` gives. The components load Pulumi's SDK, which takes a second: they are loaded when the first of
// them is asked for, so that whoever defines a lakehouse does not wait for them.
const { existsSync } = require('node:fs');
const { join } = require('node:path');

// In the repository it runs as it stands, in the package it is compiled.
const code = (part) =>
  require(join(__dirname, '..', existsSync(join(__dirname, 'deploy.ts')) ? '' : 'dist', part));

const vocabulary = { __esModule: true, ...code('model') };
let everything;
const load = () => {
  everything ??= { ...vocabulary, ...code('components'), ...code('package/deploy') };
  return everything;
};

module.exports = new Proxy(vocabulary, {
  get: (own, name) => (name in own || typeof name !== 'string' || name === 'then' ? own[name] : load()[name]),
  has: (_, name) => name in load(),
  ownKeys: () => Reflect.ownKeys(load()),
  getOwnPropertyDescriptor: (_, name) => Object.getOwnPropertyDescriptor(load(), name),
});
