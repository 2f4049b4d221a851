import { dashboardFaults } from './dashboard';

const METRIC = ['Glue', 'm', 'JobName', 'j', { label: 'j' }];
const properties = {
  title: 'T',
  region: 'us-east-1',
  view: 'timeSeries',
  stat: 'Sum',
  period: 60,
  metrics: [METRIC],
};
const widget = { type: 'metric', x: 16, y: 0, width: 8, height: 6, properties };
const of = (changes: object, more: object = {}) =>
  dashboardFaults(
    JSON.stringify({ widgets: [{ ...widget, ...changes, properties: { ...properties, ...more } }] }),
  );
const withMetrics = (...metrics: readonly unknown[]) => of({}, { metrics });

test('a good one has none', () => {
  expect(of({})).toEqual([]);
  expect(
    withMetrics(['Glue', 'm', 'JobName', 'j', { id: 'a', visible: false }], [{ expression: 'a * 2.5 / 3' }]),
  ).toEqual([]);
});

test.each<[readonly string[], RegExp]>([
  [dashboardFaults('{'), /no JSON/],
  [dashboardFaults('[]'), /no widgets/],
  [dashboardFaults('{"widgets": [], "start": "P7D"}'), /start/],
  [dashboardFaults('{"widgets": [], "periodOverride": "mine"}'), /periodOverride/],
  [dashboardFaults(JSON.stringify({ widgets: Array(501).fill(widget) })), /500 widgets/],
  [of({ x: 24 }), /nowhere/],
  [of({ y: -1 }), /nowhere/],
  [of({ width: 25, x: 0 }), /no size/],
  [of({ height: 0 }), /no size/],
  [of({ x: 20 }), /wider/],
  [of({}, { region: undefined }), /region/],
  [of({}, { period: 90 }), /period/],
  [of({}, { stat: 'Median' }), /stat/],
  [withMetrics(), /0 metrics/],
  [withMetrics(...Array(501).fill(METRIC)), /501 metrics/],
  [withMetrics('Glue'), /no list/],
  [withMetrics(['Glue', 'm', 'JobName']), /pairs/],
  [withMetrics(['Glue', 'm', 'JobName', ' ']), /name that is none/],
  [withMetrics(['Glue', 'm', 'JobName', 'ä']), /name that is none/],
  [withMetrics(['Glue', 'm', { id: 'A' }]), /id that is none/],
  [withMetrics(['Glue', 'm', { id: 'a' }], ['Glue', 'n', { id: 'a' }]), /twice/],
  [withMetrics(['Glue', 'm', { label: `\${LAST}` }]), /label/],
  [withMetrics([{ expression: 'a * 2' }]), /asks for a/],
  [withMetrics([{ expression: `SEARCH('x')` }]), /expression that is none/],
])('of a faulty one it says: %s', (faults, says) => {
  expect(faults.join('\n')).toMatch(says);
});
