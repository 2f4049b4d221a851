import { CloudWatchLogsClient, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { jobRunLink } from '../../model/console';
import { logPrefixOf } from '../../model/places';
import { LakeError } from '../engine';
import { ask } from './ask';
import { glueNameOf } from './outputs';
import type { Stack } from './stack';

/** A line of a job's log. */
export interface LogLine {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly text: string;
}

/** Glue writes a run's log to a stream of the run's name in each of these groups below the job's prefix. */
const GROUPS = ['error', 'output'] as const;

/** CloudWatch's most for one call. */
const MOST_EVENTS = 10_000;

/** Reads what the runs of a stack's jobs say. */
export class JobLogs {
  private readonly client: CloudWatchLogsClient;

  constructor(private readonly stack: Stack) {
    this.client = new CloudWatchLogsClient(stack.client);
  }

  groupOf = (job: string, group: (typeof GROUPS)[number]) =>
    `${logPrefixOf(this.stack.outputs, job)}/${group}`;

  /** The last lines of a run, of both groups in the order of time; none where it has not begun to write. */
  async tail(job: string, run: string, lines: number): Promise<LogLine[]> {
    const read = GROUPS.map((group) => this.tailOf(this.groupOf(job, group), run, lines));
    return inOrder((await Promise.all(read)).flat()).slice(-lines);
  }

  /** Reads on from where the last call of it stopped; the first begins with the last lines, as `tail`. */
  follower(job: string, run: string, lines: number): () => Promise<LogLine[]> {
    const tokens = new Map<string, string>();
    let begun = false;
    return async () => {
      const read = await Promise.all(
        GROUPS.map((group) => {
          const name = this.groupOf(job, group);
          return tokens.has(name) || begun
            ? this.since(name, run, tokens)
            : this.tailOf(name, run, lines, tokens);
        }),
      );
      const all = inOrder(read.flat());
      if (begun) return all;
      begun = true;
      return all.slice(-lines);
    };
  }

  private async tailOf(
    group: string,
    run: string,
    lines: number,
    forward?: Map<string, string>,
  ): Promise<LogLine[]> {
    const found: LogLine[] = [];
    let token: string | undefined;
    // A page may be empty though more come; the last one repeats its token.
    for (;;) {
      const page = await this.page(group, run, Math.min(lines, MOST_EVENTS), false, token);
      if (page === undefined) return found;
      if (page.forward !== undefined && token === undefined) forward?.set(group, page.forward);
      found.unshift(...page.lines);
      if (found.length >= lines || page.backward === undefined || page.backward === token) return found;
      token = page.backward;
    }
  }

  private async since(group: string, run: string, tokens: Map<string, string>): Promise<LogLine[]> {
    const found: LogLine[] = [];
    for (;;) {
      const token = tokens.get(group);
      const page = await this.page(group, run, MOST_EVENTS, true, token);
      if (page === undefined) return found;
      found.push(...page.lines);
      if (page.forward === undefined || page.forward === token) return found;
      tokens.set(group, page.forward);
    }
  }

  private async page(group: string, run: string, limit: number, fromHead: boolean, token?: string) {
    const command = new GetLogEventsCommand({
      logGroupName: group,
      logStreamName: run,
      limit,
      startFromHead: fromHead,
      ...(token !== undefined && { nextToken: token }),
    });
    const answer = await ask(this.stack, 'logs:GetLogEvents', group, async () => {
      try {
        return await this.client.send(command);
      } catch (error) {
        // Nothing was written there yet.
        if ((error as Error).name === 'ResourceNotFoundException') return undefined;
        throw error;
      }
    });
    return (
      answer && {
        lines: (answer.events ?? []).flatMap(({ timestamp = 0, message = '' }) =>
          message
            .replace(/\n$/, '')
            .split('\n')
            .map((text) => ({ time: timestamp, text })),
        ),
        backward: answer.nextBackwardToken,
        forward: answer.nextForwardToken,
      }
    );
  }
}

/** `12:00:01 text`, of the time in UTC. */
export const logLine = ({ time, text }: LogLine) => `${new Date(time).toISOString().slice(11, 19)} ${text}`;

const LAST_LINES = 20;

/** The end of a failed run's log and where to see more, line by line; `flags` name the stack in a command. */
export async function failureLog(stack: Stack, job: string, run: string, flags: string): Promise<string[]> {
  const lines: string[] = [];
  try {
    const log = await new JobLogs(stack).tail(job, run, LAST_LINES);
    if (log.length === 0) lines.push('  its log is empty');
    else lines.push('  the last lines of its log:', ...log.map((line) => `    ${logLine(line)}`));
  } catch (fault) {
    if (!(fault instanceof LakeError)) throw fault;
    lines.push(`  its log could not be read: ${fault.message}`);
  }
  const name = glueNameOf(stack.outputs, job) ?? job;
  return [
    ...lines,
    `  log      npx lake logs ${job} ${flags} --run ${run}`,
    `  console  ${jobRunLink(stack.client, name, run)}`,
  ];
}

/** Lines of one instant stay as they were read. */
const inOrder = (lines: readonly LogLine[]) => lines.toSorted((a, b) => a.time - b.time);
