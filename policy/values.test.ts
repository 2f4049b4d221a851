import { unknownCheckingProxy, unknownStringValue } from './given';
import { at, show, Unknown, unknownsIn, valuesOf } from './values';

const props = unknownCheckingProxy({
  known: { list: ['a', unknownStringValue, { deep: 1 }] },
  secret: unknownStringValue,
  none: null,
});

describe('values', () => {
  it('reads the properties of Pulumi, with each unknown value in its place', () => {
    const values = valuesOf(props);
    expect(at(values, 'known.list.0')).toBe('a');
    expect(at(values, 'known.list.1')).toBeInstanceOf(Unknown);
    expect(at(values, 'known.list.2.deep')).toBe(1);
    expect(at(values, 'secret')).toBeInstanceOf(Unknown);
    expect(at(values, 'none')).toBeNull();
    expect(at(values, 'absent.below')).toBeUndefined();
  });

  it('takes what lies below an unknown value as unknown', () => {
    expect(at(valuesOf(props), 'secret.a.b')).toBeInstanceOf(Unknown);
  });

  it('keeps the error that Pulumi raised', () => {
    const [list, secret] = unknownsIn(valuesOf(props));
    expect(list?.error).toMatchObject({ message: expect.stringContaining('.known.list.1') });
    expect(secret?.error).toMatchObject({ message: expect.stringContaining('.secret') });
  });

  it('shows values, and not what is unknown or long', () => {
    expect(show(undefined)).toBe('not set');
    expect(show('x')).toBe('"x"');
    expect(show({ a: new Unknown(new Error('no')) })).toBe('{"a":"(not known yet)"}');
    expect(show('x'.repeat(200))).toBe(`"${'x'.repeat(99)}…`);
  });
});
