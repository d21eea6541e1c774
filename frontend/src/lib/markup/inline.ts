// The marks inside of lines: code, links, emphasis. Two passes, both linear: first into tokens (an address or
// code is one, whatever it contains), then pairs of marks are matched, the nearest with the nearest, never
// one kind inside itself; so the tree is a few levels deep, however hostile the text.
import { CodeRuns } from './code-runs';
import { canClose, canOpen, hasContent, sideOf } from './delimiters';
import type { Delimiter, Token } from './emphasis';
import { nested } from './emphasis';
import { findLinks, hrefOf } from './links';
import type { FoundLink } from './links';
import type { Inline } from './nodes';

const URL_MAX_CHARS = 2_000;
const LABEL_MAX_CHARS = 1_000;
/**
 * Runs of marks, alone or after a backslash; brackets, code, backslashes that keep a line from being a list
 * or a quote.
 */
const SPECIAL =
  /(?<=^ {0,3})\\(?=> |[-*] +\S)|(?<=^ {0,3}\d{1,9})\\(?=[.)] +\S)|(\\?)(\*+|_+|~+|`+|\[|\])|\n[^\S\n]*\n/gmu;

export function parseInline(text: string): Inline[] {
  return nested(tokens(text, findLinks(text)));
}

function tokens(text: string, links: readonly FoundLink[]): Token[] {
  const found: Token[] = [];
  const code = new CodeRuns(text);
  /** Brackets that may begin a label: where in `found`, and in the text. */
  const brackets: { token: number; at: number; escaped: boolean }[] = [];
  const partners = new Set<number>();
  let done = 0;
  let next = 0;
  const upTo = (end: number) => {
    if (end > done) found.push({ kind: 'text', text: text.slice(done, end) });
    done = Math.max(done, end);
  };
  /** An address that begins before `end` is one token; where it ends. */
  const linkBefore = (end: number): number | null => {
    while ((links[next]?.start ?? Infinity) < done) next += 1;
    const link = links[next];
    if (!link || link.start > end) return null;
    upTo(link.start);
    const shown = text.slice(link.start, link.end);
    found.push({ kind: 'link', href: link.href, children: [{ kind: 'text', text: shown }] });
    done = link.end;
    next += 1;
    return link.end;
  };

  const special = new RegExp(SPECIAL);
  for (let hit = special.exec(text); ; hit = special.exec(text)) {
    let linkEnd: number | null;
    do linkEnd = linkBefore(hit?.index ?? text.length);
    while (linkEnd !== null && linkEnd <= (hit?.index ?? text.length));
    if (linkEnd !== null) {
      // The mark is part of an address.
      special.lastIndex = linkEnd;
      continue;
    }
    if (!hit) break;
    const [all, slash = '', run] = hit;
    const at = hit.index;
    const from = at + slash.length;
    const end = at + all.length;
    if (run === undefined) {
      upTo(at);
      // A blank line, over which nothing reaches; or a backslash.
      found.push({ kind: all === '\\' ? 'mark' : 'blank', text: all });
      if (all !== '\\') brackets.length = 0;
      done = end;
    } else if (run.startsWith('`')) {
      const close = code.closeOf(from, run.length);
      if (partners.has(from) && slash !== '') {
        upTo(at);
        found.push({ kind: 'mark', text: slash });
        done = from;
      } else if (close !== null && slash !== '') {
        upTo(at);
        found.push({ kind: 'mark', text: slash });
        done = from;
        partners.add(close);
      } else if (close !== null) {
        upTo(from);
        found.push(...codeTokens(text.slice(from, close + run.length), run));
        done = close + run.length;
        special.lastIndex = done;
      }
    } else if (run === '[') {
      upTo(from);
      brackets.push({ token: found.length, at: from, escaped: slash !== '' });
    } else if (run === ']') {
      if (slash !== '') continue;
      const bracket = brackets.pop();
      const link = bracket && labelled(text, bracket.at, from);
      if (!link) continue;
      if (bracket.escaped) {
        // It would have been one: the backslash is before the bracket, at the end of a text.
        const before = found[bracket.token - 1];
        if (before?.kind === 'text') {
          const cut: Token[] = [
            { ...before, text: before.text.slice(0, -1) },
            { kind: 'mark', text: '\\' },
          ];
          found.splice(bracket.token - 1, 1, ...cut);
        }
        continue;
      }
      upTo(from);
      found.length = bracket.token;
      found.push({ kind: 'link', href: link.href, children: link.children });
      brackets.length = 0;
      done = link.end;
      special.lastIndex = done;
    } else {
      upTo(at);
      found.push(delimiter(text, at, slash, run));
      done = end;
    }
  }
  upTo(text.length);
  return found;
}

function delimiter(text: string, at: number, slash: string, run: string): Delimiter | Inline {
  const known = run.startsWith('*') ? run.length <= 3 : run === '_' || run === '~~';
  const side = sideOf(text, at, at + slash.length + run.length, run);
  const [opens, closes] = known ? [canOpen(side), canClose(side)] : [false, false];
  if (!opens && !closes) return { kind: 'text', text: slash + run };
  return { kind: 'delimiter', run, opens, closes, escaped: slash !== '' };
}

function codeTokens(source: string, run: string): Inline[] {
  // A space on both sides is there to keep apart the marks and backticks of the code.
  const inside = source.slice(run.length, -run.length);
  const pad = run.length > 1 && inside.startsWith(' ') && inside.endsWith(' ') ? ' ' : '';
  return [
    { kind: 'mark', text: run + pad },
    { kind: 'code', text: inside.slice(pad.length, inside.length - pad.length) },
    { kind: 'mark', text: pad + run },
  ];
}

/** `[label](address)`, seen from the end of the label; null when it is not one or would show nothing. */
function labelled(text: string, open: number, close: number) {
  if (text[close + 1] !== '(' || close - open > LABEL_MAX_CHARS) return null;
  const label = text.slice(open + 1, close);
  const address = /^(?:https?:\/\/|mailto:)[^\s<>"]+/i.exec(
    text.slice(close + 2, close + 2 + URL_MAX_CHARS),
  )?.[0];
  if (address === undefined || !hasContent(label)) return null;
  let depth = 0;
  for (let i = 0; i < address.length; i += 1) {
    if (address[i] === '(') depth += 1;
    if (address[i] !== ')' || depth-- > 0) continue;
    const href = hrefOf(address.slice(0, i));
    const end = close + 2 + i + 1;
    return href === null ? null : { href, end, children: around(label, text.slice(close, end)) };
  }
  return null;
}

/** Inside a label nothing is a link of its own. */
function around(label: string, rest: string): Inline[] {
  return [{ kind: 'mark', text: '[' }, ...nested(tokens(label, [])), { kind: 'mark', text: rest }];
}
