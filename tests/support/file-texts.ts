// All that the files of a folder hold, as text, whatever they are packed as.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, inflateRawSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';

/** Reads Avro's numbers: seven bits a byte, the sign last. */
function reader(bytes: Buffer) {
  let at = 4;
  const number = () => {
    let [value, scale, byte] = [0, 1, 128];
    while (byte >= 128) {
      byte = bytes[at++] ?? 0;
      value += (byte % 128) * scale;
      scale *= 128;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  };
  const take = (length: number) => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  return { number, take, ended: () => at >= bytes.length };
}

/** The blocks of an Avro file, unpacked. */
function avro(bytes: Buffer): Buffer {
  const { number, take, ended } = reader(bytes);
  const meta = new Map<string, string>();
  for (let count = number(); count !== 0; count = number()) {
    for (let i = 0; i < count; i++) meta.set(take(number()).toString(), take(number()).toString('latin1'));
  }
  const sync = take(16);
  const blocks: Buffer[] = [];
  while (!ended()) {
    number();
    const block = take(number());
    const codec = meta.get('avro.codec') ?? 'null';
    if (codec === 'deflate') blocks.push(inflateRawSync(block));
    else if (codec === 'null') blocks.push(block);
    else throw new Error(`the codec ${codec} is not known here`);
    if (!take(16).equals(sync)) throw new Error('the blocks are not where they should be');
  }
  return Buffer.concat(blocks);
}

/** What each file below a folder holds: its bytes as they are, and unpacked. */
export async function textsBelow(dir: string): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  for (const name of (readdirSync(dir, { recursive: true }) as string[]).toSorted()) {
    const path = join(dir, name);
    if (!statSync(path).isFile()) continue;
    const bytes = readFileSync(path);
    let unpacked = '';
    if (name.endsWith('.gz')) unpacked = gunzipSync(bytes).toString();
    else if (name.endsWith('.avro')) unpacked = avro(bytes).toString();
    else if (name.endsWith('.parquet')) {
      const rows = await connection.runAndReadAll(`SELECT * FROM '${path.replaceAll("'", "''")}'`);
      unpacked = rows.getRows().flat().map(String).join('\n');
    }
    texts.set(name, `${bytes.toString()}\n${unpacked}`);
  }
  connection.closeSync();
  instance.closeSync();
  return texts;
}

/** The files that hold one of some values, in whatever case. */
export const holding = (texts: ReadonlyMap<string, string>, values: readonly string[]) =>
  [...texts].flatMap(([name, text]) => {
    const lower = text.toLowerCase();
    return values.some((value) => lower.includes(value.toLowerCase())) ? [name] : [];
  });

/** Every text that JSON may have written as `text`: with escapes, and with escapes of escapes. */
function readings(text: string): string[] {
  const decoded = (escaped: string) =>
    escaped.replace(/\\(?:u([0-9a-fA-F]{4})|(["\\/]))/g, (_, hex?: string, letter = '') =>
      hex ? String.fromCharCode(Number.parseInt(hex, 16)) : letter,
    );
  const once = decoded(text);
  return [text, once, decoded(once)].map((reading) => reading.toLowerCase());
}

/** Which of some values the files below a folder hold, in whatever case, also as JSON escapes them. */
export async function findValues(root: string, values: readonly string[]) {
  return [...(await textsBelow(root))].flatMap(([file, text]) => {
    const texts = readings(text);
    return values.flatMap((value) =>
      texts.some((reading) => reading.includes(value.toLowerCase())) ? [{ file, value }] : [],
    );
  });
}
