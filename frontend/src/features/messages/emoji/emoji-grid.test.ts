import { describe, expect, it } from 'vitest';

import { COLUMNS, gridOf, moved, rowOf } from './emoji-grid';
import { EMOJI } from './emoji-set';

describe('gridOf', () => {
  it('has every emoji in lines under headings, the ones used lately first', () => {
    const grid = gridOf('', ['🎉', 'not one']);
    expect(grid.rows[0]).toEqual({ heading: 'Used lately' });
    expect(grid.all[0]?.char).toBe('🎉');
    expect(grid.all).toHaveLength(EMOJI.length + 1);
    for (const row of grid.rows) if ('emoji' in row) expect(row.emoji.length).toBeLessThanOrEqual(COLUMNS);
  });

  it('has what is searched, without headings', () => {
    const grid = gridOf('heart', []);
    expect(grid.rows.every((row) => 'emoji' in row)).toBe(true);
    expect(grid.all.length).toBeGreaterThan(10);
    expect(gridOf('qqqq', []).rows).toEqual([]);
  });
});

describe('moved', () => {
  const grid = gridOf('', ['🎉', '😄']);

  it('goes to the neighbour, and over headings to the next line', () => {
    expect(moved(grid, 0, 'ArrowRight')).toBe(1);
    expect(moved(grid, 1, 'ArrowDown')).toBe(3);
    expect(moved(grid, 3, 'ArrowUp')).toBe(1);
    expect(moved(grid, 9, 'ArrowUp')).toBe(1);
    expect(rowOf(grid, 2)).toBe(3);
  });

  it('stays at the edges', () => {
    expect(moved(grid, 0, 'ArrowLeft')).toBe(0);
    expect(moved(grid, 1, 'ArrowUp')).toBe(1);
    const last = grid.all.length - 1;
    expect(moved(grid, last, 'ArrowRight')).toBe(last);
    expect(moved(grid, last, 'ArrowDown')).toBe(last);
    expect(moved(gridOf('qqqq', []), 0, 'ArrowDown')).toBe(0);
  });
});
