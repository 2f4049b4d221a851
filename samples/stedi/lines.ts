import { fraction, type Random, randomStreams, whole } from '../random';
import { customerOf, type SharedDevice } from './customer';
import { FAULTS, type FaultReason, kindsOf, spoil } from './faults';
import { fileName, linesOf, plainLineOf, styledLineOf, styleOf } from './files';
import { checkOptions, type Entity, type SampleOptions } from './options';
import { readingsOf } from './readings';
import type { Field } from './record';

/** One line of one landing file. */
export interface SampleLine {
  readonly entity: Entity;
  /** Name of the file, such as `customer-0002.json.gz`. */
  readonly file: string;
  /** The line without its line end; a Buffer where the bytes are no UTF-8. */
  readonly text: string | Buffer;
  /** The reason a careful reader refuses the line for; absent for a good line. */
  readonly fault?: FaultReason;
}

/**
 * The sample line by line: each customer's records, then that customer's readings, while nothing is kept of those
 * before but the devices that share their serial numbers. The lines of an entity fill its files in turn. Throws a
 * SampleError for options out of bounds.
 */
export function* sampleLines(options: SampleOptions): Generator<SampleLine> {
  checkOptions(options);
  const streams = randomStreams(options.seed);
  const next = () => streams.next().value;
  // Streams apart from the customers': another share of dirty lines leaves all other lines as they are.
  const sources = {
    customer: source('customer', options.dirty, next()),
    accelerometer: source('accelerometer', options.dirty, next()),
    step_trainer: source('step_trainer', options.dirty, next()),
  };
  const devices: SharedDevice[] = [];
  for (let index = 0; index < options.customers; index++) {
    const random = next();
    const customer = customerOf(index, random, devices);
    if (customer.shared) devices.push({ serialNumber: customer.device, instants: customer.instants });
    for (const record of customer.records) yield sources.customer(record);
    for (const { entity, fields } of readingsOf(customer, random)) yield sources[entity](fields);
  }
}

/** Writes an entity's records as lines, faulty where it is their turn, and counts its lines and files. */
function source(entity: Entity, dirty: number, random: Random): (fields: readonly Field[]) => SampleLine {
  const kinds = kindsOf(entity);
  const phase = fraction(random);
  let turn = whole(random, 0, kinds.length - 1);
  let lines = 0;
  let file = 1;
  let room = linesOf(file);
  return (fields) => {
    if (room === 0) room = linesOf(++file);
    room--;
    const style = styleOf(file);
    const styled = styledLineOf(entity, fields, style, random);
    // Evenly spread, not drawn: of a few lines, chance would make more faulty than a run accepts.
    const faulty = Math.floor((lines + 1) * dirty + phase) > Math.floor(lines * dirty + phase);
    lines++;
    const line = { entity, file: fileName(entity, file) };
    const comma = style.trailingComma ? ',' : '';
    if (!faulty) return { ...line, text: styled + comma };
    const kind = kinds[turn++ % kinds.length] as (typeof kinds)[number];
    const spoilt = spoil(plainLineOf(entity, fields), kind, entity);
    const text = typeof spoilt === 'string' ? spoilt + comma : Buffer.concat([spoilt, Buffer.from(comma)]);
    return { ...line, text, fault: FAULTS[kind].reason };
  };
}
