import { availabilityZoneOf, endpointsOf } from './availability-zone';

const OFFERS = { glue: ['x-1c', 'x-1b'], logs: ['x-1a', 'x-1b', 'x-1c'], kms: ['x-1a', 'x-1c', 'x-1b'] };

test('a network is in the first zone that has an endpoint of every service', () => {
  expect(availabilityZoneOf(OFFERS)).toEqual({ zone: 'x-1b' });
});

test('or in the one that the stack names', () => {
  expect(availabilityZoneOf(OFFERS, 'x-1c')).toEqual({ zone: 'x-1c' });
});

test('which has to have them too', () => {
  expect(availabilityZoneOf({ ...OFFERS, kms: ['x-1b'] }, 'x-1a')).toEqual({
    fault: {
      path: 'network.availabilityZone',
      message: 'is "x-1a", where AWS has no endpoint of glue, kms; choose x-1b',
    },
  });
  expect(availabilityZoneOf(OFFERS, 'x-1a')).toMatchObject({
    fault: { message: expect.stringContaining('choose x-1b or x-1c') },
  });
});

test('no zone has all', () => {
  expect(availabilityZoneOf({ glue: ['x-1a', 'x-1b'], logs: ['x-1c'], kms: [] })).toEqual({
    fault: {
      path: 'network',
      message:
        'needs an availability zone with endpoints of all services; there are glue in x-1a and x-1b, logs in x-1c, kms in no zone',
    },
  });
  expect(availabilityZoneOf({ glue: ['x-1a'], logs: ['x-1c'] }, 'x-1a')).toMatchObject({
    fault: { message: 'is "x-1a", where AWS has no endpoint of logs; no zone of the region has all of them' },
  });
});

test('a stack with a key calls KMS too', () => {
  expect(endpointsOf(true)).toEqual([...endpointsOf(false), 'kms']);
});
