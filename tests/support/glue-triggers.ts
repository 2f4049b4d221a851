// What Glue does with the triggers of a workflow, by its developer guide ("AWS Glue triggers", "Overview of workflows",
// "Blueprint and workflow restrictions", the Triggers API) and by what the provider does when it makes one
// (terraform-provider-aws, internal/service/glue/trigger.go).

export interface Condition {
  readonly jobName?: string;
  readonly crawlerName?: string;
  readonly state?: string;
  readonly crawlState?: string;
  /** Default: EQUALS, the only one there is. */
  readonly logicalOperator?: string;
}

/** A trigger as the engine has it. */
export interface TriggerInputs {
  readonly name: string;
  readonly type: string;
  /** Default: true. */
  readonly enabled?: boolean;
  readonly startOnCreation?: boolean;
  readonly workflowName?: string;
  readonly actions: readonly { readonly jobName?: string; readonly crawlerName?: string }[];
  readonly predicate?: { readonly logical?: string; readonly conditions?: readonly Condition[] };
  readonly schedule?: string;
  readonly eventBatchingConditions?: readonly { readonly batchSize: number; readonly batchWindow?: number }[];
}

const START_TYPES = ['ON_DEMAND', 'SCHEDULED', 'EVENT'];
/** In which a job's run can end. */
export const END_STATES = ['SUCCEEDED', 'FAILED', 'STOPPED', 'TIMEOUT'] as const;
export type EndState = (typeof END_STATES)[number];

/** Jobs, crawlers and triggers of a workflow together. */
const MAX_NODES = 100;
const MAX_CRAWLERS = 2;
const MAX_BATCH = 100;
const MAX_WINDOW_SECONDS = 900;

const isEnabled = ({ enabled = true }: TriggerInputs) => enabled;

/** Whether it fires the moment it is made: the provider starts an enabled one that is there to be started by hand. */
export const firesOnCreation = (trigger: TriggerInputs) => trigger.type === 'ON_DEMAND' && isEnabled(trigger);

/** Whether Glue looks at its schedule or its conditions. The provider activates what is enabled, unless told not to. */
const isActive = (trigger: TriggerInputs) => trigger.startOnCreation ?? isEnabled(trigger);

/** What Glue refuses, or takes and never runs as it is meant. */
export function faultsOf(triggers: readonly TriggerInputs[], workflow: string): string[] {
  const faults: string[] = [];
  const check = (fine: boolean, fault: string) => {
    if (!fine) faults.push(fault);
  };
  const jobs = triggers.flatMap(({ actions }) => actions.flatMap(({ jobName }) => jobName ?? []));
  const crawlers = triggers.flatMap(({ actions }) => actions.flatMap(({ crawlerName }) => crawlerName ?? []));
  const starts = triggers.filter(({ type }) => START_TYPES.includes(type));
  check(starts.length === 1, `there are ${starts.length} start triggers`);
  check(new Set(triggers.map(({ name }) => name)).size === triggers.length, 'two triggers have one name');
  check(
    new Set([...jobs, ...crawlers]).size + triggers.length <= MAX_NODES,
    `there are more than ${MAX_NODES} nodes`,
  );
  for (const trigger of triggers) {
    const { name, actions } = trigger;
    check(trigger.workflowName === workflow, `${name} is not of the workflow`);
    check(actions.length > 0, `${name} starts nothing`);
    const crawled = actions.filter(({ crawlerName }) => crawlerName !== undefined);
    check(crawled.length <= MAX_CRAWLERS, `${name} starts ${crawled.length} crawlers`);
    const conditions = trigger.predicate?.conditions ?? [];
    switch (trigger.type) {
      case 'ON_DEMAND':
        break;
      case 'SCHEDULED':
        check(trigger.schedule !== undefined, `${name} has no schedule`);
        check(isActive(trigger), `${name} is not active`);
        break;
      case 'EVENT': {
        const [{ batchSize = 1, batchWindow = MAX_WINDOW_SECONDS } = {}] =
          trigger.eventBatchingConditions ?? [];
        check(batchSize >= 1 && batchSize <= MAX_BATCH, `${name} waits for ${batchSize} events`);
        check(
          batchWindow >= 1 && batchWindow <= MAX_WINDOW_SECONDS,
          `${name} waits for ${batchWindow} seconds`,
        );
        check(trigger.startOnCreation !== true, `${name} can't be started when it is made`);
        // StartTrigger and StopTrigger are refused for it.
        check(!isEnabled(trigger), `${name} is enabled, which nobody could change any more`);
        break;
      }
      case 'CONDITIONAL': {
        check(isActive(trigger), `${name} is not active`);
        check(conditions.length > 0, `${name} has no conditions`);
        check(
          conditions.length < 2 || ['AND', 'ANY'].includes(trigger.predicate?.logical ?? ''),
          `${name} does not say whether all of its conditions have to hold`,
        );
        const watched = conditions.map(({ jobName, crawlerName }) => jobName ?? crawlerName ?? '');
        check(new Set(watched).size === watched.length, `${name} watches a job twice`);
        for (const each of watched) {
          check([...jobs, ...crawlers].includes(each), `${name} watches ${each}, which no trigger starts`);
        }
        for (const { logicalOperator = 'EQUALS', state } of conditions) {
          check(logicalOperator === 'EQUALS', `${name} compares by ${logicalOperator}`);
          check(END_STATES.includes(state as EndState), `${name} waits for the state ${state}`);
        }
        break;
      }
      default:
        faults.push(`${name} is of type ${trigger.type}`);
    }
  }
  return faults;
}

/** One run of a workflow. A job that is started ends when it is told to. */
export class WorkflowRun {
  /** Every start of a job, in order. */
  readonly started: string[] = [];
  private readonly running: string[] = [];
  private readonly ended = new Map<string, EndState>();
  private readonly fired = new Set<TriggerInputs>();

  /** Starts it, as by hand: whatever the type of its start trigger. */
  constructor(private readonly triggers: readonly TriggerInputs[]) {
    for (const trigger of triggers) {
      if (START_TYPES.includes(trigger.type)) this.fire(trigger);
    }
  }

  get runs(): readonly string[] {
    return this.running;
  }

  end(job: string, state: EndState) {
    const at = this.running.indexOf(job);
    if (at < 0) throw new Error(`${job} does not run`);
    this.running.splice(at, 1);
    this.ended.set(job, state);
    for (const trigger of this.triggers) {
      if (
        trigger.type === 'CONDITIONAL' &&
        isActive(trigger) &&
        !this.fired.has(trigger) &&
        this.holds(trigger)
      ) {
        this.fire(trigger);
      }
    }
  }

  private holds({ predicate: { logical, conditions = [] } = {} }: TriggerInputs): boolean {
    const isMet = ({ jobName = '', state }: Condition) => this.ended.get(jobName) === state;
    if (conditions.length === 0) return false;
    return logical === 'ANY' ? conditions.some(isMet) : conditions.every(isMet);
  }

  private fire(trigger: TriggerInputs) {
    this.fired.add(trigger);
    for (const { jobName } of trigger.actions) {
      if (jobName === undefined) continue;
      this.started.push(jobName);
      this.running.push(jobName);
    }
  }
}

/**
 * When an EVENT trigger starts its workflow, in seconds, for events at some seconds in order: when the batch is full, or
 * when its window, which begins with the first event, is over.
 */
export function startsOf({ eventBatchingConditions }: TriggerInputs, events: readonly number[]): number[] {
  const [{ batchSize = 1, batchWindow = MAX_WINDOW_SECONDS } = {}] = eventBatchingConditions ?? [];
  const starts: number[] = [];
  let batch: number[] = [];
  for (const event of events) {
    const [first] = batch;
    if (first !== undefined && event > first + batchWindow) {
      starts.push(first + batchWindow);
      batch = [];
    }
    batch.push(event);
    if (batch.length === batchSize) {
      starts.push(event);
      batch = [];
    }
  }
  const [first] = batch;
  return first === undefined ? starts : [...starts, first + batchWindow];
}

/** Whether a pattern of an EventBridge rule is for an event. It knows values that are equal, and beginnings. */
export function matches(pattern: unknown, event: unknown): boolean {
  if (Array.isArray(pattern)) {
    return pattern.some((allowed) => {
      if (typeof allowed !== 'object' || allowed === null) return allowed === event;
      const [[operator, value] = [], ...more] = Object.entries(allowed);
      if (operator !== 'prefix' || typeof value !== 'string' || more.length > 0) {
        throw new Error(`the pattern ${JSON.stringify(allowed)} is not known here`);
      }
      return typeof event === 'string' && event.startsWith(value);
    });
  }
  if (typeof pattern !== 'object' || pattern === null) throw new Error('a pattern is a list of values');
  if (typeof event !== 'object' || event === null) return false;
  return Object.entries(pattern).every(([key, inner]) =>
    matches(inner, (event as Readonly<Record<string, unknown>>)[key]),
  );
}
