import { counted, grouped } from '../engines/words';

export { grouped };

/** Words of ours, and between them names, values and messages of others, which may be any text. */
export type Text = readonly (string | { readonly of: string; readonly isMessage?: true })[];

/** A message of others, to be read as words. */
export const message = (of: string): Text => [{ of, isMessage: true }];

/** A text of our words; what is put in is of others, but for texts and numbers. */
export const say = (words: TemplateStringsArray, ...values: readonly (string | number | Text)[]): Text =>
  words.flatMap((word, i) => {
    const value = values[i];
    if (value === undefined) return [word];
    if (typeof value === 'object') return [word, ...value];
    return [word, typeof value === 'number' ? grouped(value) : { of: value }];
  });

/** Names of others with commas between; of many, the first and how many more there are. */
export function listed(names: readonly string[], most = 10): Text {
  const shown = names.slice(0, most).flatMap((of, i) => (i === 0 ? [{ of }] : [', ', { of }]));
  return names.length <= most ? shown : [...shown, ` and ${grouped(names.length - most)} more`];
}

export const rowsText = (n: number): string => counted(n, 'row');

/** The text as it is, for terminals and other tools. */
export const plain = (text: Text): string =>
  text.map((part) => (typeof part === 'string' ? part : part.of)).join('');

const short = (text: string, most: number) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
/** One line, without what steers a terminal or turns the direction of writing; no half of a pair of surrogates. */
export const lineOf = (text: string, most: number): string =>
  short(text, most)
    .toWellFormed()
    .replaceAll(/[\r\n\u2028\u2029]+/g, '↵')
    .replaceAll(/\p{Cc}|\p{Bidi_Control}/gu, '\ufffd');
