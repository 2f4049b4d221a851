import type { StackNames } from './places';

/** What the links of a stack are made of. */
type Where = Pick<StackNames, 'name' | 'region' | 'database'>;

const home = ({ region }: Pick<StackNames, 'region'>, service: string) =>
  `https://${region}.console.aws.amazon.com/${service}/home?region=${region}`;

/** Where to look at a stack in AWS's console. */
export const consoleLinks = (site: Where) => ({
  workflow: `${home(site, 'glue')}#/v2/etl-configuration/workflows/view/${site.name}`,
  tables: `${home(site, 'glue')}#/v2/data-catalog/databases/view/${site.database}`,
  queries: `${home(site, 'athena')}#/query-editor`,
  logs: `${home(site, 'cloudwatch')}#logsV2:log-groups$3FlogGroupNameFilter$3D${`/aws-glue/${site.name}`.replaceAll('/', '$252F')}`,
});

/** Where to look at a stack's dashboard, where it has one. */
export const dashboardLink = (site: Pick<StackNames, 'name' | 'region'>) =>
  `${home(site, 'cloudwatch')}#dashboards/dashboard/${site.name}`;

/** Where to look at a run of a job; `job` is its name on Glue. */
export const jobRunLink = (site: Pick<StackNames, 'region'>, job: string, run: string) =>
  `${home(site, 'gluestudio')}#/job/${encodeURIComponent(job)}/run/${encodeURIComponent(run)}`;
