import { lakehouse, parameter } from '../model';

/** STEDI's zones, from what few may see to what many may. A job reads tables of any. */
export const stedi = lakehouse(['landing', 'trusted', 'curated']);

export const consent = parameter(
  'consent',
  'granted: everything of a customer who agreed. since-grant: only readings made after they agreed.',
  ['granted', 'since-grant'],
);

export const pairing = parameter(
  'pairing',
  "customer: a step reading pairs with its own customer's movement. timestamp: with any movement of the instant.",
  ['customer', 'timestamp'],
);
