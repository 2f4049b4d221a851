// What the page does in a browser: shows the view of its address, finds, zooms, and shows what belongs together.
import type { Catalogue } from './data';
import { entriesOf, modelOf, relatedTo, search, withQueries } from './model';
import { graphView, navigation, viewOf } from './views';

const SHOWN = 30;
/** As small as a graph is drawn unasked. */
const LEGIBLE = 0.6;
const find = <T extends Element = HTMLElement>(selector: string) => document.querySelector(selector) as T;

const catalogue: Catalogue = JSON.parse(find('#catalogue').textContent ?? '');
const model = modelOf(catalogue);
const entries = entriesOf(catalogue);
const [view, results] = [find('main'), find('#results')];
const input = find<HTMLInputElement>('#search');
let graph = model.graph;

find('nav').innerHTML = navigation(model).text;

function show() {
  const id = decodeURIComponent(location.hash.slice(1));
  const found = viewOf(model, id);
  view.innerHTML =
    found?.body.text ?? '<h1>Nothing has this name</h1><p><a href="#overview">Back to the overview</a></p>';
  view.dataset.place = id;
  document.title = `${found?.title ?? 'nothing'} · ${model.name}`;
  graph = model.graph;
  zoom('begin');
  for (const link of document.querySelectorAll('nav a')) {
    const isHere = link.getAttribute('href') === `#${id.split('/').slice(0, 2).join('/') || 'overview'}`;
    if (isHere) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  const [, , part] = id.split('/');
  const row = part && document.getElementById(part === 'expects' ? part : `column-${part}`);
  find<HTMLDetailsElement>('#menu').open = matchMedia('(min-width: 60rem)').matches;
  if (row) {
    row.closest('tr')?.classList.add('here');
    row.scrollIntoView({ block: 'center' });
    row.focus();
  } else {
    scrollTo(0, 0);
    view.focus({ preventScroll: true });
  }
}

/** Dims what has nothing to do with the box that is pointed at. */
function mark(id: string | undefined) {
  const related = id === undefined ? undefined : relatedTo(graph, id);
  const isIn = (name: string | undefined) => related?.has(name ?? '') ?? true;
  for (const node of view.querySelectorAll<SVGElement>('.node'))
    node.classList.toggle('dim', !isIn(node.dataset.id));
  for (const edge of view.querySelectorAll<SVGElement>('.edge'))
    edge.classList.toggle('dim', !(isIn(edge.dataset.from) && isIn(edge.dataset.to)));
}

const boxOf = (target: EventTarget | null) =>
  (target as Element | null)?.closest<SVGElement>('.node')?.dataset.id;

function zoom(by: string) {
  const svg = view.querySelector<SVGSVGElement>('.canvas svg');
  if (!svg) return;
  const { width, height } = svg.viewBox.baseVal;
  const canvas = svg.parentElement as HTMLElement;
  const now = svg.clientWidth / width;
  const fitting = Math.min(1, canvas.clientWidth / width);
  const scale =
    by === 'fit'
      ? fitting
      : by === 'begin'
        ? Math.max(LEGIBLE, fitting)
        : Math.min(4, Math.max(0.05, now * Number(by)));
  svg.setAttribute('width', String(width * scale));
  svg.setAttribute('height', String(height * scale));
}

view.addEventListener('focusin', (event) => mark(boxOf(event.target)));
view.addEventListener('mouseover', (event) => mark(boxOf(event.target)));
view.addEventListener('focusout', () => mark(undefined));
view.addEventListener('click', (event) => {
  const by = (event.target as HTMLElement).dataset.zoom;
  if (by) zoom(by);
});
view.addEventListener('change', (event) => {
  const box = event.target as HTMLInputElement;
  if (box.dataset.queries === undefined) return;
  graph = box.checked ? withQueries(model.graph, model.queries) : model.graph;
  find('.canvas').innerHTML = graphView(model, graph).text;
  zoom('begin');
});

input.addEventListener('input', () => {
  const found = search(entries, input.value);
  results.hidden = input.value.trim() === '';
  results.replaceChildren(
    ...found.slice(0, SHOWN).map(({ id, kind, title, text }) => {
      const [item, link, what] = ['li', 'a', 'small'].map((name) => document.createElement(name)) as [
        HTMLElement,
        HTMLAnchorElement,
        HTMLElement,
      ];
      link.href = `#${id}`;
      link.textContent = title;
      what.textContent = ` ${kind} · ${text.slice(0, 90)}`;
      item.append(link, what);
      return item;
    }),
  );
  find('#found').textContent =
    input.value.trim() === ''
      ? ''
      : `${found.length} found${found.length > SHOWN ? `, the first ${SHOWN} shown` : ''}`;
});

function closeSearch() {
  input.value = '';
  results.hidden = true;
  find('#found').textContent = '';
}

document.addEventListener('keydown', (event) => {
  const links = [...results.querySelectorAll('a')];
  const at = links.indexOf(document.activeElement as HTMLAnchorElement);
  const isSearching = at >= 0 || document.activeElement === input;
  if (event.key === '/' && !isSearching) input.focus();
  else if (event.key === 'Escape' && isSearching) {
    closeSearch();
    input.focus();
  } else if (event.key === 'Enter' && document.activeElement === input) links[0]?.click();
  else if (event.key === 'ArrowDown' && isSearching) links[at + 1]?.focus();
  else if (event.key === 'ArrowUp' && isSearching) (links[at - 1] ?? input).focus();
  else return;
  event.preventDefault();
});
results.addEventListener('click', closeSearch);
addEventListener('hashchange', show);
show();
