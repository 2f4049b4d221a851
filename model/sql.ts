/** A text as a literal of SQL. */
export const quoteString = (value: string): string => `'${value.replaceAll("'", "''")}'`;

/** A name of a table or a column, as it is written. */
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A regular expression, for JavaScript and for RE2, that matches a text and no other. */
export const literalPattern = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
