const { default: Sequencer } = require('@jest/test-sequencer');

/** Takes longest, by far: begun last, it goes on alone for minutes. Where nobody has run it yet, Jest goes by its size. */
const FIRST = /one-session\.test\.ts$/;

module.exports = class extends Sequencer {
  sort(tests) {
    const all = super.sort(tests);
    return [...all.filter(({ path }) => FIRST.test(path)), ...all.filter(({ path }) => !FIRST.test(path))];
  }
};
