import { chance, type Random, whole } from '../random';
import type { Customer } from './customer';
import type { Field } from './record';

export interface Reading {
  readonly entity: 'accelerometer' | 'step_trainer';
  readonly fields: readonly Field[];
}

/**
 * What phone and step trainer sent while the customer moved. Most instants have a reading of the device and one to
 * three of the phone; in some, one of the two is missing.
 */
export function* readingsOf(customer: Customer, random: Random): Generator<Reading> {
  const user = JSON.stringify(customer.email);
  const device = JSON.stringify(customer.device);
  for (const instant of customer.instants) {
    const missing = whole(random, 1, 12);
    if (missing !== 1) {
      yield {
        entity: 'step_trainer',
        fields: [
          ['sensorReadingTime', String(instant)],
          ['serialNumber', device],
          ['distanceFromObject', String(whole(random, 10, 400))],
        ],
      };
    }
    if (missing === 2) continue;
    for (let left = whole(random, 1, 3); left > 0; left--) {
      yield {
        entity: 'accelerometer',
        fields: [
          ['user', user],
          ['timestamp', String(instant)],
          ['x', acceleration(random)],
          ['y', acceleration(random)],
          ['z', acceleration(random)],
        ],
      };
    }
  }
}

/** In g. A still phone feels 1 g, a stumble a few. */
const acceleration = (random: Random) => {
  const most = chance(random, 0.02) ? 400 : 125;
  return (whole(random, -most, most) / 100).toFixed(2);
};
