import { demand, type Rule } from './rule';
import { at, Unknown } from './values';

/** Athena refuses a smaller limit. */
const LEAST_BYTES = 10_485_760;

export const athenaLimits: Rule = {
  name: 'athena-limits',
  description:
    'An Athena workgroup enforces its configuration, limits what a query may scan, and encrypts results.',
  check: (resource) => {
    if (resource.type !== 'aws:athena/workgroup:Workgroup') return [];
    const managed = at(resource.props, 'configuration.managedQueryResultsConfiguration.enabled');
    return [
      ...demand(
        resource,
        'configuration.enforceWorkgroupConfiguration',
        // Absent is true: the provider's default.
        (v) => v === undefined || v === true,
        'a client may not undo the limits of its workgroup',
        'set it to true',
      ),
      ...demand(
        resource,
        'configuration.bytesScannedCutoffPerQuery',
        (v) => typeof v === 'number' && v >= LEAST_BYTES,
        'a query may cost only so much',
        `set it to the bytes that one query may scan, at least ${LEAST_BYTES}`,
      ),
      // Results that Athena keeps itself are always encrypted, and have no bucket to set it for.
      ...(managed === true
        ? []
        : demand(
            resource,
            'configuration.resultConfiguration.encryptionConfiguration.encryptionOption',
            (v) => managed instanceof Unknown || ['SSE_S3', 'SSE_KMS', 'CSE_KMS'].includes(String(v)),
            'results hold what the tables hold, so they are encrypted too',
            'set it to "SSE_S3" or "SSE_KMS"',
          )),
      ...(managed instanceof Unknown ? [managed] : []),
    ];
  },
};
