// The runs of jobs as events of OpenLineage (https://openlineage.io), for whoever keeps track of them elsewhere.
import { randomUUID } from 'node:crypto';
import type { RunEvent, RunResult, TableSummary } from '../engines/engine';
import { isDirect, type JobText, type Lineage } from '../engines/lineage';
import { storedType } from '../engines/types';
import { codeVersion } from '../engines/version';
import { expectationsOf, type Job, type Pipeline, type Table } from '../model';

const SPEC = 'https://openlineage.io/spec';
const PRODUCER = `https://www.npmjs.com/package/typed-lakehouse/v/${codeVersion()}`;

const facet = <T extends object>(name: string, version: string, content: T) => ({
  _producer: PRODUCER,
  _schemaURL: `${SPEC}/facets/${version}/${name}.json#/$defs/${name}`,
  ...content,
});

export type LineageEvent = ReturnType<RunEvents['event']>;

/** Makes of what a run tells one START and one COMPLETE or FAIL for each job that it begins. */
export class RunEvents {
  private readonly run = randomUUID();
  private readonly ids = new Map<string, string>();
  private readonly ended = new Map<string, { readonly at: Date; readonly isGood: boolean }>();
  private readonly made = new Map<string, TableSummary>();

  /** `namespace`: of jobs and tables, the name of the lakehouse. */
  constructor(
    private readonly namespace: string,
    private readonly pipeline: Pipeline,
    private readonly texts: ReadonlyMap<string, JobText>,
    private readonly emit: (event: LineageEvent) => void,
  ) {}

  tell(event: RunEvent): void {
    const table = event.kind === 'done' ? event.summary.table : event.table;
    if (event.kind === 'done') this.made.set(table, event.summary);
    const job = this.pipeline.jobs.find(({ name }) => name === table);
    if (!job) return;
    if (event.kind === 'start') {
      this.ids.set(table, randomUUID());
      this.emit(this.event('START', job, new Date()));
    } else if (event.kind !== 'skipped') {
      // A table that was made may still fail, as it is not what is expected of it, and be told of in either order.
      const isGood = event.kind !== 'failed' && this.ended.get(table)?.isGood !== false;
      this.ended.set(table, { at: new Date(), isGood });
    }
  }

  /** Tells how the jobs that began have ended. `result` is absent where the run broke off. */
  end(result: Pick<RunResult, 'failures'> | undefined): void {
    for (const job of this.pipeline.jobs) {
      if (!this.ids.has(job.name)) continue;
      const { at, isGood } = this.ended.get(job.name) ?? { at: new Date(), isGood: false };
      const why = result?.failures.find((text) => text.split(/[: ]/, 1)[0] === job.name) ?? 'it did not end';
      this.emit(this.event(isGood ? 'COMPLETE' : 'FAIL', job, at, why));
    }
  }

  private event(eventType: 'START' | 'COMPLETE' | 'FAIL', job: Job, at: Date, why = '') {
    const isEnd = eventType !== 'START';
    const text = this.texts.get(job.name);
    return {
      eventType,
      eventTime: at.toISOString(),
      producer: PRODUCER,
      schemaURL: `${SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent`,
      run: {
        runId: this.ids.get(job.name) as string,
        facets: {
          parent: facet('ParentRunFacet', '1-2-0', {
            run: { runId: this.run },
            job: { namespace: this.namespace, name: this.namespace },
          }),
          ...(eventType === 'FAIL' && {
            errorMessage: facet('ErrorMessageRunFacet', '1-0-1', {
              message: why,
              programmingLanguage: 'SQL',
            }),
          }),
          ...(isEnd &&
            this.made.has(job.name) && { test: facet('TestRunFacet', '1-0-1', { tests: this.tests(job) }) }),
        },
      },
      job: {
        namespace: this.namespace,
        name: job.name,
        facets: {
          jobType: facet('JobTypeJobFacet', '2-0-4', {
            processingType: 'BATCH',
            integration: 'TYPED_LAKEHOUSE',
            jobType: 'QUERY',
          }),
          documentation: facet('DocumentationJobFacet', '1-1-0', { description: job.description }),
          ...(text &&
            (job.language === 'sql'
              ? { sql: facet('SQLJobFacet', '1-1-0', { query: text.code }) }
              : {
                  sourceCode: facet('SourceCodeJobFacet', '1-0-1', {
                    language: job.language,
                    sourceCode: text.code,
                  }),
                })),
        },
      },
      inputs: job.inputs.map((table) => ({
        ...this.dataset(table),
        inputFacets: isEnd ? this.quality(table) : {},
      })),
      outputs: [
        {
          ...this.dataset(job.output, text?.lineage),
          outputFacets: isEnd ? this.statistics(job.name) : {},
        },
      ],
    };
  }

  private dataset(table: Table, lineage?: Lineage) {
    return {
      namespace: this.namespace,
      name: table.name,
      facets: {
        schema: facet('SchemaDatasetFacet', '1-2-0', {
          fields: Object.entries(table.columns).map(([name, column]) => ({
            name,
            type: storedType(column),
            description: column.description,
          })),
        }),
        ...(lineage && { columnLineage: this.columnLineage(table, lineage) }),
      },
    };
  }

  private columnLineage(table: Table, { columns, rows }: Lineage) {
    const fieldsOf = (origins: Lineage['rows'], isMasked: boolean) =>
      [...origins].map(([origin, hows]) => {
        const [name, field] = origin.split('.');
        const transformations = [...hows].map((subtype) => ({
          type: isDirect(subtype) ? 'DIRECT' : 'INDIRECT',
          subtype,
          masking: isMasked,
        }));
        return { namespace: this.namespace, name, field, transformations };
      });
    return facet('ColumnLineageDatasetFacet', '1-2-0', {
      fields: Object.fromEntries(
        Object.entries(columns).map(([name, origins]) => [
          name,
          { inputFields: fieldsOf(origins, table.columns[name]?.type === 'pseudonym') },
        ]),
      ),
      dataset: fieldsOf(rows, false),
    });
  }

  /** Of an input that this run made: how large it is, and whether it is as expected. */
  private quality({ name }: Table) {
    const made = this.made.get(name);
    if (!made) return {};
    const assertions = made.expectations.map((e) => ({
      assertion: e.name,
      success: e.failed === 0,
      severity: severityOf(e.severity),
      actual: String(e.failed),
      expected: '0',
    }));
    return {
      dataQualityMetrics: facet('DataQualityMetricsInputDatasetFacet', '1-0-3', {
        rowCount: made.written,
        columnMetrics: {},
      }),
      ...(assertions.length > 0 && {
        dataQualityAssertions: facet('DataQualityAssertionsDatasetFacet', '1-1-0', { assertions }),
      }),
    };
  }

  private statistics(table: string) {
    const made = this.made.get(table);
    return made
      ? { outputStatistics: facet('OutputStatisticsOutputDatasetFacet', '1-0-2', { rowCount: made.written }) }
      : {};
  }

  private tests(job: Job) {
    const known = expectationsOf(job.output, job);
    return (this.made.get(job.name)?.expectations ?? []).map((e) => ({
      name: e.name,
      status: e.failed === 0 ? 'pass' : 'fail',
      severity: severityOf(e.severity),
      description: known.find(({ name }) => name === e.name)?.description ?? '',
      actual: String(e.failed),
      expected: '0',
    }));
  }
}

const severityOf = (severity: string) => (severity === 'warn' ? 'warn' : 'error');

const PATIENCE_MS = 5000;

/** Sends events to a receiver, one after the other. The first that it does not take ends it: a run waits for nobody. */
export class Receiver {
  private sending = Promise.resolve();
  private isDead = false;

  /** `url` as OpenLineage's own clients take it, without the path of the events. */
  constructor(
    private readonly url: string,
    private readonly key: string | undefined,
    private readonly say: (text: string) => void,
  ) {}

  readonly send = (event: LineageEvent): void => {
    this.sending = this.sending.then(async () => {
      if (this.isDead) return;
      const fault = await this.post(event);
      if (fault === undefined) return;
      this.isDead = true;
      this.say(`the receiver of events ${fault}; no more are sent, and the run goes on`);
    });
  };

  /** Resolves when all events are sent; never rejects. */
  done = (): Promise<void> => this.sending;

  /** Why the receiver did not take it. */
  private async post(event: LineageEvent): Promise<string | undefined> {
    try {
      const response = await fetch(new URL('api/v1/lineage', `${this.url.replace(/\/*$/, '')}/`), {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(this.key !== undefined && { authorization: `Bearer ${this.key}` }),
        },
        body: JSON.stringify(event),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      await response.body?.cancel();
      return response.ok ? undefined : `answered ${response.status}`;
    } catch (error) {
      const { cause, name } = error as Error & { cause?: { code?: string } };
      return `cannot be reached (${cause?.code ?? name})`;
    }
  }
}
