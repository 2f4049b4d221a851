import { tidied } from './sample';

describe('tidied', () => {
  it('writes aliases and other cases as declared, and drops unknown keys and the comma', () => {
    expect(tidied('accelerometer', '{"USER":"a@b.c","timeStamp":1,"meta":{"z":9},"x":1.20},\r')).toBe(
      '{"user":"a@b.c","timestamp":1,"x":1.2}',
    );
  });
});
