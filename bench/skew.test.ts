import { handedTo, ownerOf } from './skew';

const CUSTOMERS = [
  '{"email": "no@example.com", "serialNumber": "device-0", "shareWithResearchAsOfDate": 0}',
  '{"email": "a@example.com", "serialNumber": "device-1", "shareWithResearchAsOfDate": 1655564376361}',
].join('\n');
const OWNER = { email: 'a@example.com', serialNumber: 'device-1' };

test('the owner is the first customer who agreed', () => {
  expect(ownerOf(CUSTOMERS)).toEqual(OWNER);
  expect(() => ownerOf('{"email": "no@example.com", "serialNumber": "x"}')).toThrow('no customer agreed');
});

test('readings become those of the owner, each copy at instants of its own', () => {
  expect(handedTo('{"user":"b@example.com","timestamp":1000,"x":1.0}', OWNER, 2)).toBe(
    '{"user":"a@example.com","timestamp":7201022,"x":1.0}',
  );
  expect(handedTo('{"sensorReadingTime":1000,"serialNumber":"device-9"}', OWNER, 0)).toBe(
    '{"sensorReadingTime":1000,"serialNumber":"device-1"}',
  );
});
