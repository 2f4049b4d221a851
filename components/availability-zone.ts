import type { Fault } from '../model';
import { ENDPOINTS } from './constants';

/** The services that a private network calls by interface endpoints: KMS too where the stack has a key. */
export const endpointsOf = (hasKey: boolean): readonly string[] => [...ENDPOINTS, ...(hasKey ? ['kms'] : [])];

/** Where AWS offers an endpoint of each service: the names of availability zones, by service. */
export type Offers = Readonly<Record<string, readonly string[]>>;

/**
 * The availability zone of a private network: the one that the stack names, or the first that has an endpoint of every
 * service. AWS makes no interface endpoint in a subnet whose zone its service lacks.
 */
export function availabilityZoneOf(
  offers: Offers,
  wanted?: string,
): { readonly zone: string } | { readonly fault: Fault } {
  const [first = [], ...others] = Object.values(offers);
  const common = first.filter((zone) => others.every((zones) => zones.includes(zone))).toSorted();
  const choice =
    common.length > 0 ? `choose ${common.join(' or ')}` : 'no zone of the region has all of them';
  if (wanted === undefined) {
    const [zone] = common;
    if (zone !== undefined) return { zone };
    const told = Object.entries(offers).map(([service, zones]) => `${service} in ${listed(zones)}`);
    const message = `needs an availability zone with endpoints of all services; there are ${told.join(', ')}`;
    return { fault: { path: 'network', message } };
  }
  const lacking = Object.entries(offers).filter(([, zones]) => !zones.includes(wanted));
  if (lacking.length === 0) return { zone: wanted };
  const services = lacking.map(([service]) => service).join(', ');
  const message = `is "${wanted}", where AWS has no endpoint of ${services}; ${choice}`;
  return { fault: { path: 'network.availabilityZone', message } };
}

const listed = (zones: readonly string[]) => zones.join(' and ') || 'no zone';
