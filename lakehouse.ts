import type { LakehouseDefinition } from './model';
import { lake } from './pipeline';
import { queries, sections } from './pipeline/queries';
import { ENTITIES } from './samples/stedi/options';

/** STEDI's lakehouse: what `lake` and the Pulumi program work on. */
export default {
  name: 'stedi',
  description: "STEDI's lakehouse: readings of a balance trainer, of the customers who agreed to research",
  pipeline: lake,
  queries,
  sections,
  sample: {
    unit: 'customers',
    entities: ENTITIES,
    write: (request) =>
      (require('./samples/stedi') as typeof import('./samples/stedi')).writeStediSample(request),
  },
  // The log of the course's maintainer, on the course's data.
  seconds: {
    customer_trusted: 56,
    accelerometer_trusted: 55,
    customers_curated: 110,
    step_trainer_trusted: 426,
    machine_learning_curated: 117,
  },
} satisfies LakehouseDefinition;
