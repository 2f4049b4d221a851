/** An exact decimal as every engine prints it: without the zeros that end its fraction. */
export const decimalText = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);

const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'] as const;

/** `12.3 MB`, in units of 1024, as AWS bills them. */
export function bytesText(bytes: number): string {
  const power = Math.min(Math.max(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), 0), UNITS.length - 1);
  return `${Number((bytes / 1024 ** power).toFixed(1))} ${UNITS[power]}`;
}
