// What is shown for a push (docs/PROTOCOL.md, Push). Browsers want something shown for each, so whatever came
// is shown as well as it can be read.
import { oneLine } from '../lib/markup/plain-text';

const TEXT_MAX_CHARS = 200;

/** Words for those who want none on their screen. */
const WITHOUT_WORDS: Record<string, string> = {
  mention: 'You were mentioned',
  reply: 'Your message was answered',
};

export interface Pushed {
  title: string;
  body: string;
  /** Of one conversation there is one notification at a time, also of an open page. */
  tag: string;
  /** Where it leads. */
  data: { conversation: string; position: number } | null;
  timestamp: number | undefined;
}

export function pushedOf(text: string): Pushed {
  const { kind, conversation, position, sent_at, title, sender, words } = fieldsOf(text);
  const at =
    typeof conversation === 'string' && typeof position === 'number' ? { conversation, position } : null;
  const sentAt = typeof sent_at === 'string' ? Date.parse(sent_at) : NaN;
  const said = typeof words === 'string' ? oneLine(words, TEXT_MAX_CHARS) : null;
  const body =
    said === null
      ? (WITHOUT_WORDS[String(kind)] ?? 'New message')
      : kind === 'direct' || typeof sender !== 'string'
        ? said
        : `${sender}: ${said}`;
  return {
    title: typeof title === 'string' ? title : 'Milena',
    body,
    tag: at ? `milena-${at.conversation}` : 'milena',
    data: at,
    timestamp: Number.isNaN(sentAt) ? undefined : sentAt,
  };
}

/** The address in the page. */
export const addressOf = ({ conversation, position }: NonNullable<Pushed['data']>): string =>
  `/c/${encodeURIComponent(conversation)}/m/${position}`;

function fieldsOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
