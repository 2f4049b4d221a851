/** What was checked of one thing, such as a job or a table. */
export interface Suite {
  readonly name: string;
  readonly cases: readonly {
    readonly name: string;
    /** Why it failed; absent where it did not. */
    readonly failure?: string;
    /** What is worth knowing and no failure. */
    readonly note?: string;
  }[];
}

// XML has no form for other control characters.
const escaped = (text: string) =>
  text.replaceAll(/[^\P{Cc}\n\t]/gu, '\ufffd').replaceAll(/[&<>"\n]/g, (c) => `&#${c.charCodeAt(0)};`);

/** As JUnit has it, which every CI reads. */
export function junitXml(suites: readonly Suite[]): string {
  const failures = (suite: Suite) => suite.cases.filter(({ failure }) => failure !== undefined).length;
  const total = (of: (suite: Suite) => number) => suites.reduce((sum, suite) => sum + of(suite), 0);
  const counts = (tests: number, failed: number) => `tests="${tests}" failures="${failed}" errors="0"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts(
      total(({ cases }) => cases.length),
      total(failures),
    )}>`,
    ...suites.flatMap((suite) => [
      `  <testsuite name="${escaped(suite.name)}" ${counts(suite.cases.length, failures(suite))}>`,
      ...suite.cases.map(({ name, failure, note }) => {
        const inside =
          (failure === undefined
            ? ''
            : `<failure message="${escaped(failure.split('\n')[0] ?? '')}">${escaped(failure)}</failure>`) +
          (note === undefined ? '' : `<system-out>${escaped(note)}</system-out>`);
        return `    <testcase classname="${escaped(suite.name)}" name="${escaped(name)}">${inside}</testcase>`;
      }),
      '  </testsuite>',
    ]),
    '</testsuites>',
    '',
  ].join('\n');
}
