// The picker's rows: headings and lines of emoji, and how the keyboard moves over them. Pure.
import { EMOJI, GROUPS, searchEmoji } from './emoji-set';
import type { Emoji } from './emoji-set';

export const COLUMNS = 8;
const MAX_FOUND = 96;

export type GridRow =
  { heading: string } | { emoji: Emoji[]; /** Index of the first one among all. */ first: number };

export interface Grid {
  rows: GridRow[];
  /** All emoji of the grid in a row. */
  all: Emoji[];
}

export function gridOf(query: string, recent: readonly string[]): Grid {
  if (query.trim() !== '') return lines([['', searchEmoji(query, MAX_FOUND)]]);
  const known = recent.flatMap((char) => EMOJI.find((emoji) => emoji.char === char) ?? []);
  return lines([['Used lately', known], ...GROUPED]);
}

const GROUPED = Object.entries(GROUPS).map(([group, heading]): [string, Emoji[]] => [
  heading,
  EMOJI.filter((emoji) => emoji.group === Number(group)),
]);

function lines(parts: [string, Emoji[]][]): Grid {
  const grid: Grid = { rows: [], all: [] };
  for (const [heading, emoji] of parts) {
    if (heading !== '' && emoji.length > 0) grid.rows.push({ heading });
    for (let start = 0; start < emoji.length; start += COLUMNS)
      grid.rows.push({ emoji: emoji.slice(start, start + COLUMNS), first: grid.all.length + start });
    grid.all.push(...emoji);
  }
  return grid;
}

/** The line that an emoji stands in. */
export const rowOf = ({ rows }: Grid, index: number): number =>
  rows.findLastIndex((row) => 'emoji' in row && row.first <= index);

/** Where an arrow leads from `index`; up and down keep the column as far as the line reaches. */
export function moved(grid: Grid, index: number, key: string): number {
  const last = grid.all.length - 1;
  if (key === 'ArrowRight') return Math.min(last, index + 1);
  if (key === 'ArrowLeft') return Math.max(0, index - 1);
  const step = key === 'ArrowUp' ? -1 : 1;
  const from = rowOf(grid, index);
  const here = grid.rows[from];
  if (!here || !('emoji' in here)) return index;
  for (let row = from + step; row >= 0 && row < grid.rows.length; row += step) {
    const line = grid.rows[row];
    if (line && 'emoji' in line) return line.first + Math.min(index - here.first, line.emoji.length - 1);
  }
  return index;
}
