import { demand, type Rule } from './rule';

export const logRetention: Rule = {
  name: 'log-retention',
  description: 'A log group deletes its logs after a number of days.',
  check: (resource) =>
    resource.type === 'aws:cloudwatch/logGroup:LogGroup'
      ? demand(
          resource,
          'retentionInDays',
          (v) => typeof v === 'number' && v > 0,
          'without a number of days CloudWatch keeps logs for ever',
          'set it to the days that the logs are needed, such as 30',
        )
      : [],
};
