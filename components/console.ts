import type { Site } from './site';

const home = ({ region }: Site, service: string) =>
  `https://${region}.console.aws.amazon.com/${service}/home?region=${region}`;

/** Where to look at a stack in AWS's console. */
export const consoleLinks = (site: Site) => ({
  workflow: `${home(site, 'glue')}#/v2/etl-configuration/workflows/view/${site.name}`,
  tables: `${home(site, 'glue')}#/v2/data-catalog/databases/view/${site.database}`,
  queries: `${home(site, 'athena')}#/query-editor`,
  logs: `${home(site, 'cloudwatch')}#logsV2:log-groups$3FlogGroupNameFilter$3D${`/aws-glue/${site.name}`.replaceAll('/', '$252F')}`,
});
