// What a resource type takes and gives, read from the declarations of the real @pulumi/aws: so the stand-in knows
// every property that the provider of that version knows, and no other.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const SDK = dirname(require.resolve('@pulumi/aws/package.json'));

export interface Property {
  readonly required: boolean;
  /** The declaration of the objects it takes, such as `glue.JobCommand`. */
  readonly takes: string | undefined;
}
export type Properties = ReadonlyMap<string, Property>;

export interface Shape {
  readonly inputs: Properties;
  /** What the provider gives a value to when the program does not, with the type of the value. */
  readonly gives: ReadonlyMap<string, string>;
}

const remembered = new Map<string, unknown>();
function once<T>(key: string, make: () => T): T {
  if (!remembered.has(key)) remembered.set(key, make());
  return remembered.get(key) as T;
}

/** The part of a text from the first place of one string to the next of another. */
function part(whole: string, from: string, to: string): string {
  const start = whole.indexOf(from);
  return start < 0 ? '' : whole.slice(start, whole.indexOf(to, start));
}

function members(body: string, indent: number): Properties {
  const found = body.matchAll(new RegExp(`^ {${indent}}(\\w+)(\\?)?: (.*)$`, 'gm'));
  return new Map(
    [...found].map(([, name = '', optional, type = '']) => [
      name,
      { required: optional === undefined, takes: type.match(/inputs\.([\w.]+)/)?.[1] },
    ]),
  );
}

/** The properties of an object that a property takes. */
export const propertiesOf = (declaration: string): Properties =>
  once(declaration, () => {
    const all = once('input.d.ts', () => readFileSync(join(SDK, 'types', 'input.d.ts'), 'utf8'));
    const [namespace = '', name = ''] = declaration.split('.');
    const space = once(`namespace ${namespace}`, () =>
      part(all, `\nexport declare namespace ${namespace} {`, '\n}'),
    );
    return members(part(space, `\n    interface ${name} {`, '\n    }'), 8);
  });

/** The shape of a type such as `aws:glue/job:Job`. */
export const shapeOf = (type: string): Shape =>
  once(type, () => {
    const [, module = '', name = ''] = type.split(':');
    const file = join(SDK, `${module}.d.ts`);
    if (!existsSync(file)) throw new Error(`@pulumi/aws has no ${type}`);
    const declared = readFileSync(file, 'utf8');
    const body = part(declared, `\nexport declare class ${name} `, '\n}');
    const outputs = [...body.matchAll(/^ {4}readonly (\w+): pulumi\.Output<([\s\S]*?)>;$/gm)];
    return {
      inputs: members(part(declared, `\nexport interface ${name}Args {`, '\n}'), 4),
      gives: new Map(
        outputs
          .filter(([, , type = '']) => !type.includes('| undefined'))
          .map(([, property = '', type = '']) => [property, type]),
      ),
    };
  });
