// A message as the page shows it, as plain values that tests can compare.
import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';

import { MessageBody } from '@/features/messages/format/message-body';

/** The markup of a message inside its own element, without what only looks or is for programs. */
export function markupOf(text: string): string {
  return renderToStaticMarkup(createElement(MessageBody, { text, id: 'x' }))
    .replace(/^<\w+[^>]*>|<\/\w+>$/g, '')
    .replace(/ (?:dir|title|target|rel|tabindex|role|class|type)="[^"]*"/g, '')
    .replace(/<button>.*?<\/button>/g, '');
}

/**
 * What a reader sees of it: text and the numbers of lists, without the host that is put beside a misleading
 * label.
 */
export function shown(text: string): string {
  return markupOf(text)
    .replace(/<bdi>.*?<\/bdi>/g, '')
    .replace(
      /<li[^>]*?&quot;([^&]*)&quot;[^>]*>|<li value="(\d+)">/g,
      (_, style?: string, value?: string) => style ?? value ?? '',
    )
    .replace(/<[^>]*>/g, '')
    .replace(/&(?:amp|lt|gt|quot|#x27);/g, (entity) => ENTITIES[entity] ?? entity);
}

const ENTITIES: Record<string, string> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#x27;': "'",
};

export const lettersOf = (text: string): string => (text.match(/[\p{L}\p{N}]/gu) ?? []).join('');
