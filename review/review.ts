import { accessSection } from './access';
import { contractSection } from './contracts';
import { stackSection } from './cost';
import { dataSection, type Runs } from './data';
import type { Description } from './description';
import type { Finding, Section } from './finding';
import { infrastructureSection, type Preview } from './infrastructure';
import { lineageSection } from './lineage';
import { message } from './text';

export interface ReviewInput {
  /** What it is compared with, as it was asked for. */
  readonly ref: string;
  /** Why the base says nothing of itself, where it doesn't. */
  readonly base: Description | { readonly silent: string };
  readonly head: Description;
  /** Absent where no run can begin. */
  readonly runs?: Runs;
  readonly previews: readonly Preview[];
  /** Of the whole diff. */
  readonly link?: string;
}

export interface Review {
  readonly ref: string;
  /** The most important first. */
  readonly sections: readonly Section[];
}

/** What a change does. Pure: the same for the same revisions. */
export function reviewOf({ ref, base, head, runs, previews, link }: ReviewInput): Review {
  const infrastructure = previews.length > 0 ? [infrastructureSection(previews, link)] : [];
  if ('silent' in base) return { ref, sections: [...infrastructure, silence(base.silent)] };
  return {
    ref,
    sections: [
      contractSection(base, head),
      runs ? dataSection(runs) : NOT_RUN,
      accessSection(base, head),
      ...infrastructure,
      lineageSection(base, head),
      stackSection(base, head),
    ],
  };
}

export const findingsOf = ({ sections }: Review): Finding[] => sections.flatMap(({ findings }) => findings);

const NOT_RUN: Section = {
  title: 'Data',
  summary: ['not compared: no run can begin'],
  findings: [
    {
      level: 'look',
      text: ['no rows were compared: DuckDB runs none of the jobs, or their SQL does not fit'],
    },
  ],
};

const silence = (why: string): Section => ({
  title: 'Contracts, data, access and cost',
  summary: ['not compared'],
  findings: [{ level: 'look', text: message(why) }],
});
