/** A key and its value as JSON text, so that a number keeps the way a source writes it. */
export type Field = readonly [key: string, json: string];

/** `between` stands after each comma and colon: the website writes a space there, the devices nothing. */
export const objectOf = (fields: readonly Field[], between = ''): string => {
  let text = '{';
  for (const [key, json] of fields) {
    text += `${text.length > 1 ? `,${between}` : ''}"${key}":${between}${json}`;
  }
  return `${text}}`;
};
