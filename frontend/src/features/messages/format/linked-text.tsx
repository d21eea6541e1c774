// Plain text as it was typed, with its http(s) addresses as links. Nothing else of the text is ever markup.
import { Fragment } from 'react';

import { MessageLink } from './message-link';

const ADDRESS = /https?:\/\/[^\s<>"'`]+/gi;
/** Punctuation that belongs to the sentence, not to the address. */
const TRAILING = /[.,;:!?…)\]}»”’]+$/;

export function LinkedText({ text }: { text: string }) {
  return splitLinks(text).map((part, index) =>
    part.href === null ? (
      <Fragment key={index}>{part.text}</Fragment>
    ) : (
      <MessageLink key={index} href={part.href}>
        {part.text}
      </MessageLink>
    ),
  );
}

export function splitLinks(text: string): { text: string; href: string | null }[] {
  const parts: { text: string; href: string | null }[] = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = trimmed(match[0]);
    if (!URL.canParse(address)) continue;
    if (match.index > end) parts.push({ text: text.slice(end, match.index), href: null });
    parts.push({ text: address, href: address });
    end = match.index + address.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end), href: null });
  return parts;
}

/** A closing bracket stays when its opening one is part of the address, as in many encyclopaedia links. */
function trimmed(address: string): string {
  const cut = address.replace(TRAILING, '');
  return address[cut.length] === ')' && cut.includes('(') && !cut.includes(')') ? `${cut})` : cut;
}
