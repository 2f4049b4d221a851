import {
  allKept,
  type Comparison,
  differences,
  figure,
  layout,
  median,
  rowsOf,
  sampleRows,
  spellingRows,
} from './report';

describe('median', () => {
  it('sorts by number and takes the middle', () => {
    expect(median([10, 9, 100])).toBe(10);
    expect(median([1, 4, 2, 3])).toBe(2.5);
    expect(median([7])).toBe(7);
  });

  it('refuses no values', () => {
    expect(() => median([])).toThrow('no median');
  });
});

describe('figure', () => {
  it('keeps a limit that it reaches and breaks one that it exceeds', () => {
    expect(figure(1.5, 's', 1.5)).toEqual({ text: '1.50 s (≤ 1.5 ok)', ok: true });
    expect(figure(1.51, 's', 1.5)).toEqual({ text: '1.51 s (≤ 1.5 OVER)', ok: false });
    expect(figure(850_400_000, 'bytes')).toEqual({ text: '850 MB', ok: true });
  });
});

const at = (copies: number, seconds: number, peakBytes: number): Comparison => ({
  copies,
  ours: { seconds, peakBytes },
  plain: { seconds: copies / 10, peakBytes: copies * 1e6 },
});

describe('rowsOf', () => {
  it('puts each limit beside its figure', () => {
    expect(layout(rowsOf([at(1, 1, 3e6), at(20, 4, 40e6), at(100, 20, 200e6)]))).toBe(
      [
        '                        1 copy             20 copies        100 copies       growth 20 → 100',
        'lake run, time          1.00 s (≤ 1.5 ok)  4.00 s           20.00 s          5.00 × (≤ 6 ok)',
        'plain SQL, time         0.10 s             2.00 s           10.00 s          5.00 ×',
        '  ratio (aim: 1.5)      10.00 ×            2.00 × (≤ 2 ok)  2.00 × (≤ 2 ok)',
        'lake run, peak memory   3 MB               40 MB            200 MB           5.00 ×',
        'plain SQL, peak memory  1 MB               20 MB            100 MB           5.00 ×',
        '  ratio (aim: 1.5)      3.00 ×             2.00 × (≤ 2 ok)  2.00 × (≤ 2 ok)',
      ].join('\n'),
    );
  });

  it.each([
    ['the time of one copy', [at(1, 1.6, 1e6)], '1.60 s (≤ 1.5 OVER)'],
    ['the ratio of times on 20 copies', [at(20, 4.2, 1e6)], '2.10 × (≤ 2 OVER)'],
    ['the ratio of memory on 20 copies', [at(20, 1, 42e6)], '2.10 × (≤ 2 OVER)'],
    ['the ratio of times on 100 copies', [at(100, 21, 1e6)], '2.10 × (≤ 2 OVER)'],
    ['the ratio of memory on 100 copies', [at(100, 1, 210e6)], '2.10 × (≤ 2 OVER)'],
    ['the growth', [at(20, 0.5, 1e6), at(100, 3.1, 1e6)], '6.20 × (≤ 6 OVER)'],
  ])('fails on %s alone', (_, comparisons, text) => {
    const rows = rowsOf(comparisons);
    expect(allKept(rows)).toBe(false);
    expect(rows.flat().filter((cell) => typeof cell !== 'string' && !cell.ok)).toEqual([{ text, ok: false }]);
  });

  it('judges no growth where 100 copies were not measured', () => {
    const rows = rowsOf([at(1, 1, 1e6), at(10, 100, 1e9)]);
    expect(rows[1]?.at(-1)).toBe('–');
    expect(allKept(rows)).toBe(true);
  });
});

test('spellingRows holds each spelling to the plain one', () => {
  const rows = spellingRows(2, { 'a further key': 3, 'pretty-printed': 3.1 }, 1.5);
  expect(
    layout([['', '', ''], ...rows])
      .split('\n')
      .slice(1),
  ).toEqual([
    'plain spelling  2.00 s',
    'a further key   3.00 s  1.50 × (≤ 1.5 ok)',
    'pretty-printed  3.10 s  1.55 × (≤ 1.5 OVER)',
  ]);
  expect(allKept(rows)).toBe(false);
});

test('sampleRows judges the time on 100,000 customers or more, and no memory', () => {
  const cost = (seconds: number) => ({ seconds, peakBytes: seconds * 1e8 });
  expect(layout(sampleRows(100_000, cost(31), cost(10)))).toBe(
    [
      'a sample as written, 100,000 customers  time               peak memory',
      'lake run                                31.00 s            3100 MB',
      'plain SQL, ignore_errors                10.00 s            1000 MB',
      '  ratio                                 3.10 × (≤ 3 OVER)  3.10 ×',
    ].join('\n'),
  );
  expect(allKept(sampleRows(200_000, cost(31), cost(10)))).toBe(false);
  expect(allKept(sampleRows(99_999, cost(31), cost(10)))).toBe(true);
  expect(allKept(sampleRows(2000, cost(31), cost(10)))).toBe(true);
});

describe('differences', () => {
  it('names the tables whose rows differ or are missing, and leaves others alone', () => {
    expect(differences({ a: 1, b: 2, landing: 9 }, { a: 1, b: 3, c: 4 })).toEqual([
      'b: lake run has 2 rows, plain SQL 3',
      'c: lake run has no rows, plain SQL 4',
    ]);
  });
});
