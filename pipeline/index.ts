import { curated } from './curated';
import { landing } from './landing';
import { trusted } from './trusted';
import { stedi } from './zones';

/** STEDI's lakehouse, checked as a whole. */
export const lake = stedi.pipeline(landing, trusted, curated);
