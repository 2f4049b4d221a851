// What CloudWatch refuses in the body of a dashboard, as far as a program can break it: see "Dashboard Body Structure and
// Syntax" in CloudWatch's API reference, and its quotas.
type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isWhole = (value: unknown, least: number, most: number) =>
  Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
/** Namespaces, and names and values of metrics and dimensions. */
const isName = (value: unknown) =>
  typeof value === 'string' && value.length <= 255 && /^[\x20-\x7e]*[\x21-\x7e][\x20-\x7e]*$/.test(value);

export function dashboardFaults(text: string): string[] {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return ['is no JSON'];
  }
  if (!isObject(body) || !Array.isArray(body.widgets)) return ['has no widgets'];
  const { widgets, periodOverride = 'auto', start = '-PT3H' } = body;
  const metrics = widgets.flatMap((widget) => metricsOf(widget));
  return [
    ...(['auto', 'inherit'].includes(String(periodOverride)) ? [] : ['periodOverride is auto or inherit']),
    ...(/^-P(?:\d+[DWM]|T\d+[HM])$/.test(String(start)) ? [] : ['start is a time before now, such as -PT3H']),
    ...(widgets.length > 500 ? ['has more than 500 widgets'] : []),
    ...(metrics.length > 2500 ? ['has more than 2500 metrics'] : []),
    ...widgets.flatMap((widget, i) => widgetFaults(widget).map((fault) => `widgets[${i}]: ${fault}`)),
  ];
}

const metricsOf = (widget: unknown): unknown[] =>
  isObject(widget) && isObject(widget.properties) && Array.isArray(widget.properties.metrics)
    ? widget.properties.metrics
    : [];

function widgetFaults(widget: unknown): string[] {
  if (!isObject(widget)) return ['is no object'];
  const { type, x, y, width, height, properties } = widget;
  const metrics = metricsOf(widget);
  const { region, period, stat, view, title } = isObject(properties) ? properties : {};
  const ids = metrics.flatMap((metric) => (Array.isArray(metric) ? [optionsOf(metric).id ?? []] : [])).flat();
  return [
    ...(type === 'metric' ? [] : ['the stand-in knows metric widgets alone']),
    ...(isWhole(x, 0, 23) && isWhole(y, 0, Number.MAX_SAFE_INTEGER) ? [] : ['is nowhere']),
    ...(isWhole(width, 1, 24) && isWhole(height, 1, 1000) ? [] : ['has no size']),
    ...(Number(x) + Number(width) > 24 ? ['is wider than the dashboard'] : []),
    ...(/^[a-z]{2}(?:-[a-z]+)+-\d$/.test(String(region)) ? [] : ['has no region']),
    ...(isWhole(Number(period) / 60, 1, 1440) ? [] : ['has no period of whole minutes']),
    ...(['Sum', 'Maximum', 'Minimum', 'Average', 'SampleCount'].includes(String(stat))
      ? []
      : ['has no stat']),
    ...(view === 'timeSeries' ? [] : ['the stand-in knows graphs alone']),
    ...(typeof title === 'string' ? [] : ['has no title']),
    ...(metrics.length > 0 && metrics.length <= 500 ? [] : [`has ${metrics.length} metrics`]),
    ...(new Set(ids).size < ids.length ? ['has an id twice'] : []),
    ...metrics.flatMap((metric, i) => metricFaults(metric, ids).map((fault) => `metrics[${i}] ${fault}`)),
  ];
}

const optionsOf = (metric: readonly unknown[]): Json => {
  const last = metric.at(-1);
  return isObject(last) ? last : {};
};

function metricFaults(metric: unknown, ids: readonly unknown[]): string[] {
  if (!Array.isArray(metric)) return ['is no list'];
  const { expression, id, label = '' } = optionsOf(metric);
  const names = isObject(metric.at(-1)) ? metric.slice(0, -1) : metric;
  const wrong = [
    ...(id === undefined || /^[a-z]\w*$/.test(String(id)) ? [] : ['has an id that is none']),
    // ${…} in one is a figure that CloudWatch puts there.
    ...(typeof label === 'string' && !label.includes('${') ? [] : ['has a label that is none']),
  ];
  if (expression !== undefined) {
    const used = String(expression).match(/\b[a-z]\w*\b/g) ?? [];
    const unknown = used.filter((one) => !ids.includes(one));
    return [
      ...wrong,
      ...(names.length > 0 ? ['is a metric and an expression'] : []),
      ...(/^[\w\s.*/+()-]+$/.test(String(expression)) ? [] : ['has an expression that is none']),
      ...unknown.map((one) => `asks for ${one}, which no metric is`),
    ];
  }
  const dimensions = (names.length - 2) / 2;
  return [
    ...wrong,
    ...(isWhole(dimensions, 0, 30) ? [] : ['is no namespace, name and pairs of dimensions']),
    ...(names.every(isName) ? [] : ['has a name that is none']),
  ];
}
