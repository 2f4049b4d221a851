/**
 * STEDI-shaped data as the sources write it, faults and oddities included: deterministic from a seed, in bounded
 * memory. No value of it belongs to anyone.
 */

export {
  appliesTo,
  FAULT_KINDS,
  FAULTS,
  type FaultKind,
  type FaultReason,
  kindsOf,
  spoil,
} from './faults';
export { type SampleLine, sampleLines } from './lines';
export { ENTITIES, type Entity, type SampleOptions } from './options';
export { type SampleReport, writeSample, writeStediSample } from './write';
