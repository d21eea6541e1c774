// A part of a conversation, as the server tells it.
import type { Message, MessagePage } from '../../src/lib/http/types';

export function pageOf(messages: Message[], parameters: URLSearchParams): MessagePage {
  const number = (name: string) => (parameters.has(name) ? Number(parameters.get(name)) : undefined);
  const limit = number('limit') ?? 50;
  const [before, after, around] = [number('before'), number('after'), number('around')];
  const index = (position: number) => messages.findIndex((message) => message.position >= position);
  let start = Math.max(0, messages.length - limit);
  let end = messages.length;
  if (before !== undefined) [start, end] = [Math.max(0, index(before) - limit), index(before)];
  if (after !== undefined) {
    const first = messages.findIndex((message) => message.position > after);
    [start, end] = first < 0 ? [end, end] : [first, Math.min(end, first + limit)];
  }
  if (around !== undefined) {
    start = Math.max(0, index(around) - Math.floor(limit / 2));
    end = Math.min(messages.length, start + limit);
  }
  return {
    messages: messages.slice(start, end),
    has_before: start > 0,
    has_after: end < messages.length,
    complete: true,
  };
}
