import { withoutAddress } from '../model';

export { counted, grouped } from '../engines/words';

/** The text with all that could steer a terminal shown as `�`; line ends stay. */
export const harmless = (text: string) => text.replaceAll(/[^\P{Cc}\n]|\p{Bidi_Control}/gu, '\ufffd');

/** A message that may name files, whose names may hold addresses. */
export const message = (text: string) => harmless(withoutAddress(text));

/** Breaks lines between words so that they fit the terminal; elsewhere, where tools read them, they stay whole. */
export function wrapped(text: string, indent = ''): string {
  const { isTTY, columns = 80 } = process.stdout;
  const room = isTTY ? Math.max(columns, 40) : Number.POSITIVE_INFINITY;
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= room)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(last === undefined ? word : indent + word);
  }
  return lines.join('\n');
}
