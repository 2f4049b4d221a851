/** Jest reporter: one last line, after jest's own summary, in the form that any tool can read. */
module.exports = class ClosingLine {
  onRunComplete(_contexts, results) {
    const { numPassedTests, numFailedTests, numPendingTests, numRuntimeErrorTestSuites } = results;
    // A suite that does not even load has no test that could fail.
    const failed = numFailedTests + numRuntimeErrorTestSuites;
    process.once('exit', () => {
      process.stderr.write(`${numPassedTests} passed, ${failed} failed, ${numPendingTests} skipped\n`);
    });
  }
};
