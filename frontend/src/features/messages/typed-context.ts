// Where in a text that is being typed nothing is completed: in code, and in a word that is an address. Pure,
// and linear in the text.
import { findLinks } from '@/lib/markup/links';

const FENCE = /^ {0,3}(?:`{3,}|~{3,})/gm;

/** Whether what begins at `from` and is typed up to the caret stands in code, or belongs to an address. */
export function isLeftAlone(text: string, from: number, caret: number): boolean {
  return isInCode(text.slice(0, from)) || isInAddress(text.slice(0, caret));
}

/** The last word has an address in it: what stands in it or behind it is a part of that. */
function isInAddress(before: string): boolean {
  let start = before.length;
  while (start > 0 && !/\s/.test(before.charAt(start - 1))) start -= 1;
  return findLinks(before.slice(start)).length > 0;
}

/** Between fences, or behind a backtick of the same line that none has closed yet. */
function isInCode(before: string): boolean {
  const fences = before.match(FENCE)?.length ?? 0;
  if (fences % 2 === 1) return true;
  const runs = before.slice(before.lastIndexOf('\n') + 1).match(/`+/g) ?? [];
  let open: string | null = null;
  for (const run of runs) open = open === null ? run : open === run ? null : open;
  return open !== null;
}
