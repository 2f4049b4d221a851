import fc from 'fast-check';
import { words } from '../components/testing';
import {
  type Columns,
  csv,
  date,
  day,
  decimal,
  double,
  epochMillis,
  int,
  isoDate,
  isoInstant,
  position,
  pseudonym,
  text,
  timestamp,
} from '.';
import { evolutionFaults, externalTable, hiveColumns, icebergTable, landingStorage } from './schema';

const source = (columns: Columns) =>
  words.source({ name: 's_raw', zone: 'raw', entity: 's', description: 'S.', columns });
const table = (columns: Columns, description = 'T.') =>
  words.table({ name: 't', zone: 'clean', description, columns });

describe('a source in Athena', () => {
  test('has the types of its JSON, and names in lower case', () => {
    const columns = {
      someText: text('T.'),
      someInt: int('I.'),
      someDouble: double('D.'),
      someInstant: epochMillis('E.'),
      someDay: isoDate('O.'),
    };
    expect(hiveColumns(source(columns))).toStrictEqual([
      { name: 'sometext', type: 'string', comment: 'T.' },
      { name: 'someint', type: 'bigint', comment: 'I.' },
      { name: 'somedouble', type: 'double', comment: 'D.' },
      { name: 'someinstant', type: 'bigint', comment: 'E.' },
      { name: 'someday', type: 'string', comment: 'O.' },
    ]);
  });

  test('has the text of a key whose value holds others, once', () => {
    const columns = {
      city: text('C.', { from: 'Address.city', aliases: ['place'] }),
      zip: text('Z.', { from: 'Address.zip' }),
      price: decimal(9, 2, 'P.'),
    };
    expect(hiveColumns(source(columns))).toStrictEqual([
      { name: 'address', type: 'string', comment: 'The JSON that holds city and what else is in it.' },
      { name: 'place', type: 'string', comment: 'Another spelling of Address that was seen in the source.' },
      { name: 'price', type: 'decimal(9,2)', comment: 'P.' },
    ]);
  });

  test('has the text of an array whose elements are rows elsewhere, and nothing where they stand', () => {
    const columns = {
      orderId: text('O.'),
      nth: position('Which.'),
      item: text('I.', { from: 'items', aliases: ['lines'] }),
    };
    expect(hiveColumns({ ...source(columns), each: 'items' })).toStrictEqual([
      { name: 'orderid', type: 'string', comment: 'O.' },
      { name: 'items', type: 'string', comment: 'The JSON that holds item and what else is in it.' },
      { name: 'lines', type: 'string', comment: 'Another spelling of items that was seen in the source.' },
    ]);
  });

  test('has a column for each spelling that differs in more than case, once', () => {
    const at = epochMillis('When.', { aliases: ['READAT', 'read_at', 'Read_At', 'when'] });
    const other = 'Another spelling of readAt that was seen in the source.';
    expect(hiveColumns(source({ readAt: at }))).toStrictEqual([
      { name: 'readat', type: 'bigint', comment: 'When.' },
      { name: 'read_at', type: 'bigint', comment: other },
      { name: 'when', type: 'bigint', comment: other },
    ]);
  });

  test('of CSV has text by place, without other spellings', () => {
    const table = {
      ...source({ No: int('N.', { aliases: ['number'] }), price: decimal(9, 2, 'P.') }),
      format: csv({ delimiter: ';' }),
    };
    expect(hiveColumns(table)).toStrictEqual([
      { name: 'no', type: 'string', comment: 'N.' },
      { name: 'price', type: 'string', comment: 'P.' },
    ]);
    expect(landingStorage(table, 's3://b/s/').serDeInfo).toStrictEqual({
      serializationLibrary: 'org.apache.hadoop.hive.serde2.OpenCSVSerde',
      parameters: { separatorChar: ';', quoteChar: '"', escapeChar: '\u0001' },
    });
    expect(externalTable(table).parameters).toStrictEqual({
      EXTERNAL: 'TRUE',
      classification: 'csv',
      'skip.header.line.count': '1',
    });
    expect(externalTable({ ...table, format: csv({ header: false }) }).parameters).not.toHaveProperty([
      'skip.header.line.count',
    ]);
  });

  test('of Parquet has types of its own, and structs', () => {
    const columns = {
      no: int('N.', { aliases: ['number'] }),
      at: isoInstant('A.'),
      on: isoDate('O.'),
      city: text('C.', { from: 'Address.city' }),
      zip: text('Z.', { from: 'Address.post.zip' }),
    };
    const table = { ...source(columns), format: 'parquet' as const };
    expect(hiveColumns(table).map(({ name, type }) => [name, type])).toStrictEqual([
      ['no', 'bigint'],
      ['number', 'bigint'],
      ['at', 'timestamp'],
      ['on', 'date'],
      ['address', 'struct<city:string,post:struct<zip:string>>'],
    ]);
    expect(landingStorage(table, 's3://b/s/').inputFormat).toBe(
      'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
    );
    expect(externalTable(table).parameters.classification).toBe('parquet');
  });

  test('lies where it is told', () => {
    expect(landingStorage(source({ x: int('X.') }), 's3://b/s/')).toStrictEqual({
      location: 's3://b/s/',
      inputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
      outputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
      serDeInfo: {
        serializationLibrary: 'org.openx.data.jsonserde.JsonSerDe',
        parameters: { 'case.insensitive': 'TRUE', 'ignore.malformed.json': 'TRUE' },
      },
      columns: [{ name: 'x', type: 'bigint', comment: 'X.' }],
    });
  });
});

describe('an Iceberg table', () => {
  test('has types of its own, ids by place, and no required field', () => {
    const columns = {
      t: text('T.', { nullable: true }),
      i: int('I.'),
      d: double('D.'),
      at: timestamp('A.'),
      on: date('O.'),
      p: pseudonym('P.'),
    };
    const types = ['string', 'long', 'double', 'timestamp', 'date', 'string'];
    expect(icebergTable(table(columns), 's3://b/t')).toStrictEqual({
      location: 's3://b/t',
      schema: {
        type: 'struct',
        fields: Object.keys(columns).map((name, i) => ({
          id: i + 1,
          name,
          type: `"${types[i]}"`,
          required: false,
          doc: `${name[0]?.toUpperCase()}.`,
        })),
      },
      properties: { comment: 'T.', 'write.format.default': 'parquet' },
    });
  });

  test('numbers its partitions from 1000, by the ids of their columns', () => {
    const parted = words.table({
      name: 't',
      zone: 'clean',
      description: 'T.',
      columns: { x: int('X.'), from: timestamp('F.'), to: timestamp('T.') },
      partitionBy: [day('to'), day('from')],
    });
    expect(icebergTable(parted, 's3://b/t').partitionSpec).toStrictEqual({
      fields: [
        { fieldId: 1000, sourceId: 3, name: 'to_day', transform: 'day' },
        { fieldId: 1001, sourceId: 2, name: 'from_day', transform: 'day' },
      ],
    });
  });
});

test('a comment is cut at 255 characters', () => {
  const fits = 'c'.repeat(255);
  const cut = `${'c'.repeat(254)}…`;
  const comments = (description: string) => [
    hiveColumns(source({ x: int(description) }))[0]?.comment,
    ...icebergFields(table({ x: int(description) }, description)),
  ];
  const icebergFields = (of: ReturnType<typeof table>) => {
    const { schema, properties } = icebergTable(of, 's3://b/t') as {
      schema: { fields: { doc: string }[] };
      properties: Record<string, string>;
    };
    return [schema.fields[0]?.doc, properties.comment];
  };
  expect(comments(fits)).toEqual([fits, fits, fits]);
  expect(comments(`${fits}c`)).toEqual([cut, cut, cut]);
  const long = 'c'.repeat(255);
  expect(hiveColumns(source({ [long]: text('X.', { aliases: ['y'] }) }))[1]?.comment).toHaveLength(255);
});

describe('a change of a table that holds data', () => {
  type Field = { id: number; name: string; type: string };
  type Shape = Parameters<typeof evolutionFaults>[1];
  const fields = (...list: readonly [string, string][]): Field[] =>
    list.map(([name, type], i) => ({ id: i + 1, name, type: JSON.stringify(type) }));
  const shape = (list: readonly Field[], more: Shape = {}): Shape => ({
    location: 's3://b/t',
    schema: { fields: list },
    ...more,
  });
  const before = shape(fields(['a', 'string'], ['b', 'long'], ['c', 'timestamp']), {
    partitionSpec: { fields: [{ fieldId: 1000, sourceId: 3, name: 'c_day', transform: 'day' }] },
  });
  const { partitionSpec } = before as Required<Shape>;
  const told = (after: Shape) =>
    evolutionFaults('t', before, after).map(({ path, message }) => `${path}: ${message}`);
  const withColumns = (...list: readonly [string, string][]) => shape(fields(...list), { partitionSpec });

  test('may append columns, and reword them', () => {
    expect(told(before)).toEqual([]);
    expect(told(withColumns(['a', 'string'], ['b', 'long'], ['c', 'timestamp'], ['d', 'date']))).toEqual([]);
    const doc = (before.schema?.fields ?? []).map((field) => ({ ...field, doc: 'New.', required: true }));
    expect(told(shape(doc, { partitionSpec }))).toEqual([]);
  });

  test('tells a type that is no JSON as it is', () => {
    expect(
      evolutionFaults(
        't',
        shape([{ id: 1, name: 'a', type: 'odd' }]),
        shape([{ id: 1, name: 'a', type: 'even' }]),
      ),
    ).toEqual([
      {
        path: 't.columns.a',
        message:
          'is odd in the deployed table and even in the contract; a type stays: add a column of another name',
      },
    ]);
  });

  test('does not move a column', () => {
    expect(told(withColumns(['b', 'long'], ['a', 'string'], ['c', 'timestamp']))).toEqual([
      't.columns.a: was column 1 of the deployed table and is 2 now; files know columns by place: add new columns at the end',
      't.columns.b: was column 2 of the deployed table and is 1 now; files know columns by place: add new columns at the end',
    ]);
  });

  test('does not rename one', () => {
    expect(told(withColumns(['a', 'string'], ['bee', 'long'], ['c', 'timestamp']))).toEqual([
      't.columns.b: is column 2 of the deployed table and is gone from the contract; keep it, or make a table of another name',
    ]);
  });

  test('does not change the type of one', () => {
    expect(told(withColumns(['a', 'string'], ['b', 'double'], ['c', 'timestamp']))).toEqual([
      't.columns.b: is long in the deployed table and double in the contract; a type stays: add a column of another name',
    ]);
  });

  test('does not remove one, first or last', () => {
    expect(told(withColumns(['b', 'long'], ['c', 'timestamp']))).toEqual([
      't.columns.a: is column 1 of the deployed table and is gone from the contract; keep it, or make a table of another name',
      't.columns.b: was column 2 of the deployed table and is 1 now; files know columns by place: add new columns at the end',
      't.columns.c: was column 3 of the deployed table and is 2 now; files know columns by place: add new columns at the end',
    ]);
    expect(told(withColumns(['a', 'string'], ['b', 'long']))).toEqual([
      't.columns.c: is column 3 of the deployed table and is gone from the contract; keep it, or make a table of another name',
    ]);
  });

  test.each<[string, Shape]>([
    ['less', {}],
    ['more', { partitionSpec: { fields: [...(partitionSpec.fields ?? []), { fieldId: 1001 }] } }],
    [
      'by another column',
      { partitionSpec: { fields: [{ fieldId: 1000, sourceId: 1, name: 'a_day', transform: 'day' }] } },
    ],
  ])('does not partition %s', (_, spec) => {
    expect(told(shape(before.schema?.fields as Field[], spec))).toEqual([
      't.partitionBy: differs from the deployed table; files stay where they are: make a table of another name',
    ]);
  });

  test('does not move the table', () => {
    expect(told({ ...before, location: 's3://c/t' })).toEqual([
      't: is at s3://b/t and would be at s3://c/t; its files would stay behind',
    ]);
  });

  test('is told with all its faults at once', () => {
    expect(told({ location: 's3://c/t', schema: { fields: fields(['a', 'long']) } })).toEqual([
      't.columns.a: is string in the deployed table and long in the contract; a type stays: add a column of another name',
      't.columns.b: is column 2 of the deployed table and is gone from the contract; keep it, or make a table of another name',
      't.columns.c: is column 3 of the deployed table and is gone from the contract; keep it, or make a table of another name',
      't.partitionBy: differs from the deployed table; files stay where they are: make a table of another name',
      't: is at s3://b/t and would be at s3://c/t; its files would stay behind',
    ]);
  });

  test('of a shape that nobody knows is none', () => {
    expect(evolutionFaults('t', {}, before)).toHaveLength(2);
    expect(evolutionFaults('t', {}, {})).toEqual([]);
  });

  // Any table, by the columns of its contract.
  const TYPES = { text: text('X.'), int: int('X.'), double: double('X.'), date: date('X.') };
  const column = fc.constantFrom(...Object.values(TYPES));
  const columnsOf = (min: number) =>
    fc
      .uniqueArray(fc.stringMatching(/^[a-z]{1,4}$/), { minLength: min, maxLength: 7 })
      .chain((names) => fc.tuple(...names.map((name) => column.map((each) => [name, each] as const))));
  const shapeOf = (entries: readonly (readonly [string, Columns[string]])[]) =>
    icebergTable(table(Object.fromEntries(entries)), 's3://b/t') as Shape;

  test('that appends any columns is never at fault', () => {
    fc.assert(
      fc.property(columnsOf(1), fc.nat(), (columns, cut) => {
        const old = columns.slice(0, (cut % columns.length) + 1);
        expect(evolutionFaults('t', shapeOf(old), shapeOf(columns))).toEqual([]);
      }),
    );
  });

  test('that moves any column is at fault for each that moved', () => {
    const permuted = columnsOf(2).chain((columns) =>
      fc.tuple(
        fc.constant(columns),
        fc.shuffledSubarray([...columns], { minLength: columns.length, maxLength: columns.length }),
      ),
    );
    fc.assert(
      fc.property(permuted, ([columns, shuffled]) => {
        const moved = columns.filter(([name], i) => shuffled[i]?.[0] !== name).map(([name]) => name);
        const faults = evolutionFaults('t', shapeOf(columns), shapeOf(shuffled));
        expect(faults.map(({ path }) => path)).toEqual(moved.map((name) => `t.columns.${name}`));
      }),
    );
  });

  test('that loses, renames or retypes any column is at fault for it', () => {
    const changed = columnsOf(2).chain((columns) =>
      fc.tuple(
        fc.constant(columns),
        fc.nat(columns.length - 1),
        fc.constantFrom('rename', 'retype', 'drop last'),
      ),
    );
    fc.assert(
      fc.property(changed, ([columns, at, kind]) => {
        const place = kind === 'drop last' ? columns.length - 1 : at;
        const [name, was] = columns[place] as (typeof columns)[number];
        const other = was.type === 'text' ? TYPES.int : TYPES.text;
        const next =
          kind === 'drop last'
            ? columns.slice(0, -1)
            : columns.with(place, kind === 'rename' ? [`${name}_new`, was] : [name, other]);
        const faults = evolutionFaults('t', shapeOf(columns), shapeOf(next));
        expect(faults.map(({ path }) => path)).toEqual([`t.columns.${name}`]);
      }),
    );
  });
});
