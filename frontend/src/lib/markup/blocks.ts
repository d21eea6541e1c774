// A message as blocks: quotes, lists, fenced code, and text for everything else, line by line. What is not
// clearly one of these stays the text that it was: no headings, tables, rules or indented code, because
// people type those without meaning them.
import { hasContent } from './delimiters';
import { parseInline } from './inline';
import type { Block, ListItem } from './nodes';

/** Deeper is drawn as deep, with the marks that are left shown. */
const QUOTE_MAX_DEPTH = 4;
const LIST_MAX_DEPTH = 5;

// For a line without blanks at its end: two runs of blanks beside each other would be tried in every
// division.
const FENCE = /^ {0,3}(`{3,})[ \t]*([\w+#.-]{0,30})$/;
const FENCE_END = /^ {0,3}(`{3,})$/;
const QUOTE = /^ {0,3}> /;
const ITEM = /^([ \t]*)(?:[-*]|(\d{1,9}[.)]))[ \t]{1,3}(?=\S)(?![*-]+(?:\s|$))/;
/** `* 5 * * *` is a line of a crontab. */
const LONE_ASTERISK = /[ \t]\*(?:[ \t]|$)/;

/** Messages that are kept: rows come back into view with what was made before. */
const KEPT = 500;
const kept = new Map<string, readonly Block[]>();

/** The blocks of a message; the same ones for the same text. */
export function blocksOf(text: string): readonly Block[] {
  const known = kept.get(text);
  if (known) return known;
  const made = parseLines(text.split('\n'), 0);
  kept.set(text, made);
  const oldest = kept.size > KEPT ? kept.keys().next() : null;
  if (oldest?.done === false) kept.delete(oldest.value);
  return made;
}

function parseLines(lines: readonly string[], depth: number): Block[] {
  const blocks: Block[] = [];
  let text: string[] = [];
  /** So many backticks end no block of code any more. */
  let unclosed = Infinity;
  const flush = () => {
    if (text.length > 0) blocks.push({ kind: 'text', children: parseInline(text.join('\n')) });
    text = [];
  };
  for (let at = 0; at < lines.length;) {
    const line = lines[at] ?? '';
    const ticks = FENCE.exec(line.trimEnd())?.[1]?.length ?? Infinity;
    const end = ticks < unclosed ? fenceEnd(lines, at, ticks) : null;
    if (ticks < unclosed && end === null) unclosed = ticks;
    const taken = end !== null ? fence(lines, at, end) : (quote(lines, at, depth) ?? list(lines, at));
    if (taken) {
      flush();
      blocks.push(taken.block);
      at = taken.end;
    } else {
      // The lines of a quote without anything in it are text, all of them at once.
      const upTo = QUOTE.test(line) ? quoteEnd(lines, at) : at + 1;
      text.push(...lines.slice(at, upTo));
      at = upTo;
    }
  }
  flush();
  return blocks;
}

interface Taken {
  block: Block;
  /** The first line behind it. */
  end: number;
}

function fenceEnd(lines: readonly string[], at: number, ticks: number): number | null {
  for (let end = at + 1; end < lines.length; end += 1)
    if ((FENCE_END.exec((lines[end] ?? '').trimEnd())?.[1]?.length ?? 0) >= ticks) return end;
  return null;
}

function fence(lines: readonly string[], at: number, end: number): Taken | null {
  const [open = '', close = ''] = [lines[at], lines[end]];
  const code = lines.slice(at + 1, end).join('\n');
  if (!/[^\s\p{Cf}]/u.test(code)) return null;
  const language = FENCE.exec(open.trimEnd())?.[2] ?? '';
  return { block: { kind: 'fence', open, language, code, close }, end: end + 1 };
}

function quoteEnd(lines: readonly string[], at: number): number {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end] ?? '')) end += 1;
  return end;
}

function quote(lines: readonly string[], at: number, depth: number): Taken | null {
  if (depth >= QUOTE_MAX_DEPTH || !QUOTE.test(lines[at] ?? '')) return null;
  const end = quoteEnd(lines, at);
  const quoted = lines.slice(at, end);
  const marks = quoted.map((line) => QUOTE.exec(line)?.[0] ?? '');
  const inside = quoted.map((line, index) => line.slice(marks[index]?.length));
  if (!inside.some(hasContent)) return null;
  return { block: { kind: 'quote', marks, blocks: parseLines(inside, depth + 1) }, end };
}

function list(lines: readonly string[], at: number): Taken | null {
  const items: ListItem[] = [];
  /** The indentations of the items that the present one is inside of. */
  const levels: number[] = [];
  let end = at;
  for (; end < lines.length; end += 1) {
    const line = lines[end] ?? '';
    const match = ITEM.exec(line);
    const content = line.slice(match?.[0].length);
    if (!match || !hasContent(content) || LONE_ASTERISK.test(content)) break;
    const indent = (match[1] ?? '').replaceAll('\t', '    ').length;
    // Further in, without a list around it, it is part of a drawing.
    if (items.length === 0 && indent > 3) break;
    while ((levels.at(-1) ?? 0) > indent) levels.pop();
    if (levels.length === 0 || (levels.at(-1) ?? 0) + 1 < indent) levels.push(indent);
    const depth = Math.min(levels.length - 1, LIST_MAX_DEPTH);
    items.push({ mark: match[0], depth, number: match[2] ?? null, children: parseInline(content) });
  }
  return items.length > 0 ? { block: { kind: 'list', items }, end } : null;
}
