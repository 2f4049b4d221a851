import { allKept, type Comparison, differences, figure, layout, median, rowsOf } from './report';

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
    expect(layout(rowsOf([at(1, 1, 3e6), at(10, 2, 20e6), at(100, 20, 200e6)]))).toBe(
      [
        '                        1 copy             10 copies  100 copies       growth 10 → 100',
        'lake run, time          1.00 s (≤ 1.5 ok)  2.00 s     20.00 s          10.00 × (≤ 12 ok)',
        'plain SQL, time         0.10 s             1.00 s     10.00 s          10.00 ×',
        '  ratio                 10.00 ×            2.00 ×     2.00 × (≤ 2 ok)',
        'lake run, peak memory   3 MB               20 MB      200 MB           10.00 ×',
        'plain SQL, peak memory  1 MB               10 MB      100 MB           10.00 ×',
        '  ratio                 3.00 ×             2.00 ×     2.00 × (≤ 2 ok)',
      ].join('\n'),
    );
  });

  it.each([
    ['the time of one copy', [at(1, 1.6, 1e6)], '1.60 s (≤ 1.5 OVER)'],
    ['the ratio of times on 100 copies', [at(100, 21, 1e6)], '2.10 × (≤ 2 OVER)'],
    ['the ratio of memory on 100 copies', [at(100, 1, 210e6)], '2.10 × (≤ 2 OVER)'],
    ['the growth', [at(10, 0.5, 1e6), at(100, 6.1, 1e6)], '12.20 × (≤ 12 OVER)'],
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

describe('differences', () => {
  it('names the tables whose rows differ or are missing, and leaves others alone', () => {
    expect(differences({ a: 1, b: 2, landing: 9 }, { a: 1, b: 3, c: 4 })).toEqual([
      'b: lake run wrote 2 rows, plain SQL 3',
      'c: lake run wrote no rows, plain SQL 4',
    ]);
  });
});
