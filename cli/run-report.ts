// How a run went, for machines of continuous integration.
import { appendFileSync, writeFileSync } from 'node:fs';
import type { RunResult } from '../engines/engine';
import { findingText } from '../engines/findings';
import { grouped } from '../engines/words';
import { expectationsOf, type Pipeline } from '../model';
import { junitXml } from '../standards/junit';
import { message } from './text';

/** The expectations of a run as JUnit has them: a table a suite. What only warns is no failure. */
export function writeJunit(pipeline: Pipeline, { summary, findings }: RunResult, file: string): void {
  const suites = summary.tables.map(({ table, expectations }) => {
    const contract = pipeline.tables.get(table);
    const known = contract
      ? expectationsOf(
          contract,
          pipeline.jobs.find(({ name }) => name === table),
        )
      : [];
    return {
      name: table,
      cases: expectations.map(({ name, severity, failed }) => {
        const found = findings.find((one) => one.table === table && one.expectation === name);
        const text = `${found ? findingText(found, summary.tables) : `${failed} bad rows`}. Expected: ${known.find((e) => e.name === name)?.description ?? found?.description}`;
        return { name, ...(failed > 0 && { [severity === 'fail' ? 'failure' : 'note']: text }) };
      }),
    };
  });
  writeFileSync(file, junitXml(suites));
}

/** Adds the run to the summary of a job of GitHub Actions, where this is one. */
export function writeJobSummary({ summary, findings, failures }: RunResult): void {
  const { GITHUB_STEP_SUMMARY: file } = process.env;
  if (!file) return;
  const row = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  const text = [
    `### Run ${summary.runId}: ${summary.outcome} after ${summary.seconds.toFixed(2)} s`,
    '',
    row(['table', 'read', 'refused', 'filtered', 'written', 'seconds']),
    row(['---', '---:', '---:', '---:', '---:', '---:']),
    ...summary.tables.map((t) =>
      row([t.table, ...[t.read, t.quarantined, t.filtered, t.written].map(grouped), t.seconds.toFixed(2)]),
    ),
    '',
    ...failures.map((failure) => `- **${failure.replaceAll('\n', ' ')}**`),
    ...findings.map((finding) => `- ${findingText(finding, summary.tables)}`),
    '',
  ].join('\n');
  appendFileSync(file, message(text));
}
