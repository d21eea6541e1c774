// Markdown to React elements, from a short list of elements: there is no HTML on the way, so that nothing in a message can
// become markup by mistake. Loaded when the first message needs it.
import MarkdownIt from 'markdown-it';
import { createElement, Fragment } from 'react';
import type { ReactNode } from 'react';

import { CodeBlock } from './code-block';
import { MessageLink } from './message-link';

/** Formatted messages that are kept: rows come back into view with what was made before. */
const KEPT = 500;

// From nothing upwards: what is not named here stays as it was typed. No tables, no headings, no images, no HTML; no
// indented code and no character references, because people type those without meaning them.
const markdown = new MarkdownIt('zero', { html: false, linkify: true, breaks: true }).enable([
  'linkify',
  'newline',
  'escape',
  'backticks',
  'strikethrough',
  'emphasis',
  'link',
  'autolink',
  'fence',
  'blockquote',
  'list',
]);
// What looks like an address to a person: with its scheme. Otherwise every `main.rs` is one.
markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
markdown.validateLink = (address) => /^(https?|mailto):/i.test(address.trim());
// The text of a link is shown as it was written; what its address really is stands in its title.
markdown.normalizeLinkText = (address) => address;

type Token = ReturnType<typeof markdown.parse>[number];

const ELEMENTS: Record<string, string> = {
  paragraph_open: 'p',
  blockquote_open: 'blockquote',
  bullet_list_open: 'ul',
  ordered_list_open: 'ol',
  list_item_open: 'li',
  strong_open: 'strong',
  em_open: 'em',
  s_open: 's',
};

const kept = new Map<string, ReactNode>();

/** Null when there is nothing to format: then the text is shown as it was typed, to the last space. */
export function formatMarkdown(text: string): ReactNode {
  const known = kept.get(text);
  if (known !== undefined) return known;
  const tokens = markdown.parse(text, {});
  const made = tokens.every(isPlain) ? null : build(tokens);
  kept.set(text, made);
  const oldest = kept.size > KEPT ? kept.keys().next() : null;
  if (oldest?.done === false) kept.delete(oldest.value);
  return made;
}

function isPlain({ type, children }: Token): boolean {
  if (type === 'inline') return children?.every(isPlain) ?? true;
  return ['paragraph_open', 'paragraph_close', 'text', 'softbreak', 'hardbreak'].includes(type);
}

interface Open {
  token: Token | null;
  children: ReactNode[];
}

/** Opening and closing tokens in a row become nested elements. */
function build(tokens: readonly Token[]): ReactNode[] {
  const root: Open = { token: null, children: [] };
  const open = [root];
  for (const token of tokens) {
    const inside = open.at(-1) ?? root;
    if (token.nesting === 1) open.push({ token, children: [] });
    else if (token.nesting === 0) inside.children.push(leaf(token, inside.children.length));
    else {
      open.pop();
      const outside = open.at(-1) ?? root;
      outside.children.push(element(inside, outside.children.length));
    }
  }
  return root.children;
}

function leaf(token: Token, key: number): ReactNode {
  switch (token.type) {
    case 'inline':
      return createElement(Fragment, { key }, ...build(token.children ?? []));
    case 'softbreak':
    case 'hardbreak':
      return '\n';
    case 'code_inline':
      return <code key={key}>{token.content}</code>;
    case 'fence':
      return <CodeBlock key={key} code={token.content.replace(/\n$/, '')} language={token.info.trim()} />;
    default:
      return token.content;
  }
}

function element({ token, children }: Open, key: number): ReactNode {
  if (token?.type === 'link_open')
    return (
      <MessageLink key={key} href={String(token.attrGet('href') ?? '')}>
        {children}
      </MessageLink>
    );
  // A paragraph of a list without blank lines has no room of its own.
  const name = token && !token.hidden ? ELEMENTS[token.type] : undefined;
  if (name === undefined) return createElement(Fragment, { key }, ...children);
  if (name === 'ol')
    return createElement('ol', { key, start: Number(token?.attrGet('start') ?? 1) }, ...children);
  return createElement(name, { key }, ...children);
}
