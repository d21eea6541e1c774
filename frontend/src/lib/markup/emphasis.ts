// Matches the marks of emphasis in a row of tokens, the nearest with the nearest, and makes a tree of them.
// One kind never stands inside itself, so the tree is a few levels deep; what has no partner is the text that
// it was.
import { hasContent } from './delimiters';
import { findLinks } from './links';
import type { Inline } from './nodes';

export interface Delimiter {
  kind: 'delimiter';
  /** `*`, `**`, `***`, `_` or `~~`. */
  run: string;
  opens: boolean;
  closes: boolean;
  /** A backslash stands before it: the pair is taken for text, and the backslash has done something. */
  escaped: boolean;
}
/** `blank`: an empty line; nothing reaches over it. */
export type Token = Inline | Delimiter | { kind: 'blank'; text: string };

/** An opening mark that waits for its closing one. */
interface Opener {
  /** Where it is in the row. */
  at: number;
  /** How much had content before it. */
  content: number;
}

export function nested(tokens: readonly Token[]): Inline[] {
  const row = new Row();
  for (const token of tokens) row.take(token);
  return row.done();
}

class Row {
  /** An array stands for several that belong into one place. */
  readonly #row: (Inline | Delimiter | Inline[])[] = [];
  readonly #openers = new Map<string, Opener[]>();
  #content = 0;

  take(token: Token): void {
    switch (token.kind) {
      case 'delimiter':
        return this.#delimiter(token);
      case 'blank':
        this.#openers.clear();
        this.#row.push({ ...token, kind: 'text' });
        return;
      case 'link':
        return this.#link(token);
      default:
        if (token.kind === 'code' || (token.kind === 'text' && hasContent(token.text))) this.#content += 1;
        this.#row.push(token);
    }
  }

  done(): Inline[] {
    return this.#row.flatMap(settled);
  }

  /**
   * The marks at the end of an address end what began before it, when something did; otherwise they are part
   * of it.
   */
  #link(link: Extract<Inline, { kind: 'link' }>): void {
    this.#content += 1;
    const shown = link.children.length === 1 ? link.children[0] : undefined;
    const run = shown?.kind === 'text' ? /(?<![*_~])(?:\*{1,3}|_|~~)$/.exec(shown.text)?.[0] : undefined;
    if (shown?.kind !== 'text' || run === undefined || !this.#openers.get(run)?.length) {
      this.#row.push(link);
      return;
    }
    const text = shown.text.slice(0, -run.length);
    const end = findLinks(text)[0]?.end ?? 0;
    const href = link.href.slice(0, link.href.length - shown.text.length + end);
    this.#row.push({ kind: 'link', href, children: [{ kind: 'text', text: text.slice(0, end) }] });
    if (end < text.length) this.#row.push({ kind: 'text', text: text.slice(end) });
    this.#delimiter({ kind: 'delimiter', run, opens: false, closes: true, escaped: false });
  }

  #delimiter(token: Delimiter): void {
    let left: Delimiter | null = token;
    while (left?.closes === true) {
      const rest: Delimiter | null | undefined = this.#close(left);
      if (rest === undefined) break;
      left = rest;
    }
    if (!left) return;
    if (left.opens) this.#open(left.run, { at: this.#row.length, content: this.#content });
    this.#row.push(left);
  }

  #open(run: string, opener: Opener): void {
    const known = this.#openers.get(run);
    if (known) known.push(opener);
    else this.#openers.set(run, [opener]);
  }

  /** What is left of the closing mark; undefined when nothing waits for it. */
  #close(closer: Delimiter): Delimiter | null | undefined {
    const key = this.#partner(closer.run);
    const opener = key === null ? undefined : this.#openers.get(key)?.at(-1);
    if (key === null || !opener || opener.content === this.#content) return undefined;
    const opening = this.#row[opener.at];
    if (!opening || Array.isArray(opening) || opening.kind !== 'delimiter') return undefined;
    for (const waiting of this.#openers.values())
      while ((waiting.at(-1)?.at ?? -1) >= opener.at) waiting.pop();
    if (opening.escaped || closer.escaped) {
      this.#row[opener.at] = literal(opening);
      this.#row.push(literal(closer));
      return null;
    }
    const run = key.length < closer.run.length ? key : closer.run;
    const children = this.#row.splice(opener.at + 1).flatMap(settled);
    this.#row.pop();
    // Of three marks one or two can be used, the inner ones first.
    const unused = opening.run.slice(run.length);
    if (unused !== '') {
      this.#row.push({ ...opening, run: unused });
      this.#open(unused, opener);
    }
    this.#row.push(wrapped(run, children));
    for (const [other, waiting] of this.#openers)
      if (other === run || run === '***' || (other === '***' && run.startsWith('*'))) waiting.length = 0;
    const rest = closer.run.slice(run.length);
    return rest === '' ? null : { ...closer, run: rest };
  }

  /** The same run, or, of asterisks, one that is part of three. */
  #partner(run: string): string | null {
    const at = (key: string) => this.#openers.get(key)?.at(-1)?.at ?? -1;
    if (at(run) >= 0) return run;
    const others = run === '***' ? ['*', '**'] : run.startsWith('*') ? ['***'] : [];
    return others.filter((key) => at(key) >= 0).sort((a, b) => at(b) - at(a))[0] ?? null;
  }
}

function settled(token: Inline | Delimiter | Inline[]): Inline[] {
  if (Array.isArray(token)) return token;
  if (token.kind !== 'delimiter') return [token];
  return [{ kind: 'text', text: (token.escaped ? '\\' : '') + token.run }];
}

function literal({ run, escaped }: Delimiter): Inline[] {
  const text: Inline = { kind: 'text', text: run };
  return escaped ? [{ kind: 'mark', text: '\\' }, text] : [text];
}

function wrapped(run: string, children: Inline[]): Inline {
  const mark = (text: string): Inline => ({ kind: 'mark', text });
  if (run === '***') return { kind: 'strong', children: [mark('**'), wrapped('*', children), mark('**')] };
  const kind = run === '**' ? 'strong' : run === '~~' ? 's' : 'em';
  return { kind, children: [mark(run), ...children, mark(run)] };
}
