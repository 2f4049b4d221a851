import { isList, isValues, Unknown, unknownsIn, type Value, type Values } from './values';

/** A statement of an IAM document. Elements are read by lower-case names, since a lenient reader is the safe one here. */
export interface Statement {
  /** `Statement[0]`. */
  readonly label: string;
  /** Anything but a Deny counts as an Allow: what AWS would refuse must not slip through. */
  readonly allows: boolean;
  readonly denies: boolean;
  readonly elements: Values;
  readonly unknowns: readonly Unknown[];
}

export interface Document {
  readonly statements: readonly Statement[];
  readonly unknowns: readonly Unknown[];
  /** Why the text is no document, if it isn't. */
  readonly fault?: string;
}

export const listOf = (value: Value | undefined): readonly Value[] => {
  if (value === undefined) return [];
  return isList(value) ? value : [value];
};

/** The known texts of an element that may be one text or several. */
export const textsOf = (value: Value | undefined): readonly string[] =>
  listOf(value).flatMap((part) => (part instanceof Unknown ? [] : [String(part)]));

const lowerKeys = (values: Values): Values =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key.toLowerCase(), value]));

const statementOf = (value: Value, index: number): Statement => {
  const elements = isValues(value) ? lowerKeys(value) : {};
  const { effect } = elements;
  const denies = typeof effect === 'string' && effect.toLowerCase() === 'deny';
  return {
    label: `Statement[${index}]`,
    allows: isValues(value) && !denies && !(effect instanceof Unknown),
    denies,
    elements,
    unknowns: unknownsIn(value),
  };
};

/** Reads a document from JSON text or from the object that Pulumi's types accept as well. */
export const documentOf = (value: Value): Document => {
  const nothing = { statements: [], unknowns: unknownsIn(value) };
  if (value instanceof Unknown) return nothing;
  let document = value;
  if (typeof value === 'string') {
    try {
      document = JSON.parse(value);
    } catch {
      return { ...nothing, fault: 'is not JSON' };
    }
  }
  if (!isValues(document)) return { ...nothing, fault: 'is not a JSON object' };
  const { statement } = lowerKeys(document);
  if (statement === undefined) return { ...nothing, fault: 'has no Statement' };
  const statements = listOf(statement).map(statementOf);
  return { statements, unknowns: statements.flatMap((s) => s.unknowns) };
};

const NARROWING = /^(ForAllValues:|ForAnyValue:)?(StringEquals(IgnoreCase)?|StringLike|ArnEquals|ArnLike)$/i;

/** Whether a condition ties one of these keys to values. An unknown value counts: it is reported as unknown elsewhere. */
export const isTied = ({ elements }: Statement, keys: readonly string[]): boolean => {
  const { condition } = elements;
  if (condition instanceof Unknown) return true;
  if (!isValues(condition)) return false;
  return Object.entries(condition).some(([operator, tests]) => {
    if (!NARROWING.test(operator)) return false;
    if (tests instanceof Unknown) return true;
    if (!isValues(tests)) return false;
    return Object.entries(tests).some(([key, value]) => {
      const values = listOf(value);
      return (
        keys.some((k) => k.toLowerCase() === key.toLowerCase()) &&
        values.length > 0 &&
        values.every((v) => v instanceof Unknown || !/^[*?]*$/.test(String(v)))
      );
    });
  });
};

/** The principals by kind (`Service`, `AWS`); a bare `"*"` counts as of every kind. */
export const principalsOf = ({ elements }: Statement): readonly { kind: string; who: string }[] => {
  const { principal } = elements;
  if (!isValues(principal)) return textsOf(principal).map((who) => ({ kind: '*', who }));
  return Object.entries(principal).flatMap(([kind, who]) => textsOf(who).map((w) => ({ kind, who: w })));
};

export const isEveryone = (statement: Statement): boolean =>
  principalsOf(statement).some(({ who }) => who.includes('*'));

/** Keys that say who asks or for whom. A condition on anything else (TLS, an address) leaves a resource public. */
const CALLER_KEYS = [
  'aws:PrincipalAccount',
  'aws:PrincipalArn',
  'aws:PrincipalOrgID',
  'aws:PrincipalOrgPaths',
  'aws:SourceAccount',
  'aws:SourceArn',
  'aws:SourceOrgID',
  'aws:SourceOwner',
  'aws:SourceVpc',
  'aws:SourceVpce',
];

/** An Allow for everyone that no condition ties to a caller. */
export const isPublic = (statement: Statement): boolean =>
  statement.allows && isEveryone(statement) && !isTied(statement, CALLER_KEYS);
