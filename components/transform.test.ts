import { type Transform, transformed } from './transform';

interface Args {
  a?: number;
  b?: number;
  c?: number;
}
const args: Args = { a: 1, b: 2 };
const apply = (transform: Transform<Args> | undefined, promised: readonly (keyof Args)[] = []) =>
  transformed<Args>(args, transform, promised);

test('without a transform the arguments stay', () => {
  expect(apply(undefined, ['a', 'c'])).toStrictEqual({ a: 1, b: 2 });
});

test('a transform gives some arguments, or all by a function', () => {
  expect(apply({ b: 3, c: 4 })).toStrictEqual({ a: 1, b: 3, c: 4 });
  expect(apply(({ a = 0 }) => ({ a: a + 1 }))).toStrictEqual({ a: 2 });
});

test('what is promised stays, and what is promised to be absent does too', () => {
  expect(apply({ a: 9, b: 9, c: 9 }, ['a', 'c'])).toStrictEqual({ a: 1, b: 9 });
  expect(apply(() => ({ c: 9 }), ['a', 'c'])).toStrictEqual({ a: 1 });
});

test('a function that changes its arguments changes no other resource', () => {
  const changing: Transform<Args> = (given) => {
    given.a = 9;
    return given;
  };
  expect(apply(changing)).toStrictEqual({ a: 9, b: 2 });
  expect(args).toStrictEqual({ a: 1, b: 2 });
  expect(apply(changing, ['a'])).toStrictEqual({ a: 1, b: 2 });
});
