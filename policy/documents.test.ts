import { documentOf, isPublic, isTied, type Statement } from './documents';
import { unknown } from './given';
import type { Value } from './values';

const statementOf = (Condition: Value): Statement => {
  const Statement = { Effect: 'Allow', Principal: '*', Action: 'sns:Publish', Condition };
  const [first] = documentOf({ Statement }).statements;
  if (!first) throw new Error('no statement');
  return first;
};
const tied = (condition: Value) => isTied(statementOf(condition), ['aws:SourceAccount']);
const account = { 'aws:SourceAccount': '123456789012' };

describe('a condition ties a key to values', () => {
  it.each<[string, Value]>([
    ['one value', { StringEquals: account }],
    ['several values', { StringEquals: { 'aws:SourceAccount': ['1', '2'] } }],
    ['a pattern with a beginning', { StringLike: { 'aws:SourceAccount': '12*' } }],
    ['any case', { stringequals: { 'AWS:SOURCEACCOUNT': '1' } }],
    ['a set operator', { 'ForAllValues:StringEquals': account }],
    ['beside another operator', { Bool: { 'aws:SecureTransport': 'true' }, StringEquals: account }],
    ['beside another key', { StringEquals: { 'aws:PrincipalTag/x': 'y', ...account } }],
    ['an unknown value', { StringEquals: { 'aws:SourceAccount': [unknown] } }],
    ['unknown tests', { StringEquals: unknown }],
    ['an unknown condition', unknown],
  ])('%s', (_, condition) => {
    expect(tied(condition)).toBe(true);
  });

  it.each<[string, Value]>([
    ['no condition', null],
    ['another key', { StringEquals: { 'aws:PrincipalTag/x': 'y' } }],
    ['no value', { StringEquals: { 'aws:SourceAccount': [] } }],
    ['a wildcard', { StringLike: { 'aws:SourceAccount': '*' } }],
    ['a wildcard among values', { StringLike: { 'aws:SourceAccount': ['1', '*'] } }],
    ['a negation', { StringNotEquals: account }],
    ['only if the key exists', { StringEqualsIfExists: account }],
    ['no tests', { StringEquals: 'x' }],
  ])('but not %s', (_, condition) => {
    expect(tied(condition)).toBe(false);
  });
});

describe('a statement for everyone', () => {
  it.each([
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
  ])('is not public with a condition on %s', (key) => {
    expect(isPublic(statementOf({ StringEquals: { [key]: 'x' } }))).toBe(false);
  });

  it.each(['aws:SourceIp', 'aws:SecureTransport', 'aws:UserAgent'])('is public with one on %s', (key) => {
    expect(isPublic(statementOf({ StringEquals: { [key]: 'x' } }))).toBe(true);
  });
});
