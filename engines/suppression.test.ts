import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './root';
import { hashOf, type Kind, Suppression } from './suppression';

const shared = (name: string) =>
  JSON.parse(readFileSync(join(ROOT, 'jobs', 'runner', 'tests', name), 'utf8'));

interface Case {
  readonly raw: string;
  readonly person?: string;
  readonly device?: string;
  readonly hints?: readonly string[];
  readonly pseudonyms?: readonly string[];
  readonly theirs: boolean;
  /** Where forgetting knows more than a run does. */
  readonly whenForgetting?: boolean;
  readonly why: string;
}

const { key: hex, hashes } = shared('suppression_hashes.json') as {
  readonly key: string;
  readonly hashes: readonly { readonly kind: Kind; readonly value: string; readonly hash: string }[];
};
const KEY = Buffer.from(hex, 'hex');
const SINCE = '2026-11-25T16:00:00.000Z';

test.each(hashes)('the hash of $kind $value is that of the other language', ({ kind, value, hash }) => {
  expect(hashOf(KEY, kind, value)).toBe(hash);
});

test.each(shared('suppression_cases.json') as Case[])(
  'theirs: $theirs, $why',
  ({ raw, person, device, hints = [], pseudonyms = [], theirs, whenForgetting = theirs }) => {
    const some = (value?: string) => (value === undefined ? [] : [value]);
    const list = new Suppression(KEY).with(
      { person: some(person), device: some(device), hint: hints },
      SINCE,
    );
    expect(list.isTheirs(raw)).toBe(theirs);
    const known = { person: person ?? '', pseudonyms: new Set(pseudonyms) };
    expect(list.isTheirs(raw, known)).toBe(whenForgetting);
  },
);
