// What the server tells of messages when it is asked: who reacted, who has read, what was said before, what
// names one; and who is in a room.
import type { Conversation, ConversationPage, Message, Person, Room } from '../../src/lib/http/types';
import { OF_CONVERSATION } from '../../src/lib/tell/settings';

import type { FakeBackend, Thread } from './fake-backend';

/** What was said before, and who has read, by the message's id. */
export interface Kept {
  edits: Map<string, { position: number; at: string; body: string }[]>;
  readers: Map<string, { user: string; at?: string }[]>;
  members: Map<string, Person[]>;
}

const ROOM: Omit<Room, 'id' | 'handle' | 'title' | 'members'> = {
  topic: '',
  visibility: 'public',
  history: 'all',
  posting: 'members',
  archived: false,
  role: 'member',
  banned: false,
};

/** A room with these people and oneself in it. */
export function roomOf(title: string, members: readonly Person[], change: Partial<Room> = {}): Thread {
  const handle = title.toLowerCase().replaceAll(' ', '-');
  const id = `0192f0c1-0000-7000-9000-${Buffer.from(handle).toString('hex').padEnd(12, '0').slice(0, 12)}`;
  const room = { ...ROOM, id, handle, title, members: members.length, ...change };
  const conversation = {
    id,
    kind: 'room',
    person: null,
    room,
    last_message: null,
    last_position: 0,
    last_read: 0,
    other_last_read: 0,
    unread: 0,
    notifications: OF_CONVERSATION,
    at: new Date().toISOString(),
  };
  return { conversation, messages: [] };
}

/** The first `most`, or the rest of them. */
export function listPage(all: Conversation[], most: number, rest: boolean): ConversationPage {
  const conversations = rest ? all.slice(most) : all.slice(0, most);
  const calls = conversations.reduce((sum, entry) => sum + entry.unread, 0);
  const next = !rest && all.length > most ? 'the rest' : null;
  return { conversations, next, complete: true, totals: { calls, mentions: 0, muted: 0 } };
}

/** Undefined: it is another kind of question. */
export function listed(
  backend: FakeBackend,
  call: string,
  search: URLSearchParams,
  data: string | null,
): unknown {
  const limit = Number(search.get('limit') ?? 50);
  if (call === 'GET mentions') {
    const all = backend.threads
      .flatMap(({ messages }) => messages)
      .filter(({ mentions }) => mentions?.includes(backend.me?.id ?? ''))
      .sort((a, b) => (a.sent_at < b.sent_at ? 1 : -1));
    const { items, next } = page(all, search.get('before'), limit);
    return { messages: items, next, complete: true };
  }
  const [, into] = /^POST rooms\/([^/]+)\/members$/.exec(call) ?? [];
  if (into !== undefined)
    return added(backend, into, (JSON.parse(data ?? '{}') as { users: string[] }).users);
  const [, room] = /^GET rooms\/([^/]+)\/members$/.exec(call) ?? [];
  if (room !== undefined) {
    const wanted = search.get('q')?.toLowerCase() ?? '';
    const people = (backend.kept.members.get(room) ?? []).filter(({ username, display_name }) =>
      [username, ...display_name.toLowerCase().split(' ')].some((name) => name.startsWith(wanted)),
    );
    const members = people.map((user) => ({ user, role: 'member', since: 1 }));
    const { items, next } = page(members, search.get('after'), limit);
    return { members: items, next, total: members.length, complete: true };
  }
  const [, id, at, what] =
    /^GET conversations\/([^/]+)\/messages\/(\d+)\/(reactions|edits|readers)$/.exec(call) ?? [];
  if (id === undefined) return undefined;
  const message = backend.threads
    .find(({ conversation }) => conversation.id === id)
    ?.messages.find(({ position }) => position === Number(at));
  if (what === 'edits' && !backend.keepsEdits) return undefined;
  if (what === 'edits') return { edits: backend.kept.edits.get(message?.id ?? '') ?? [] };
  if (what === 'readers')
    return { readers: backend.kept.readers.get(message?.id ?? '') ?? [], complete: true };
  const { items, next } = page(reactorsOf(message, search.get('emoji')), search.get('after'), limit);
  return { reactions: items, next, complete: true };
}

function added(backend: FakeBackend, id: string, users: readonly string[]) {
  const known = backend.kept.members.get(id) ?? [];
  const now = [...known, ...backend.people.filter((person) => users.includes(person.id))];
  backend.kept.members.set(id, now);
  const { room } = backend.threads.find(({ conversation }) => conversation.id === id)?.conversation ?? {};
  if (room) room.members = now.length;
  return { room, position: 1 };
}

/** Those who are named first, then others of whom nobody knows more than an id. */
function reactorsOf(message: Message | undefined, emoji: string | null) {
  const reaction = message?.reactions?.find((one) => one.emoji === emoji);
  const { count = 0, users = [] } = reaction ?? {};
  return Array.from({ length: count }, (_, n) => ({
    user: users[n] ?? `0192f0c1-0000-7000-8000-${String(n).padStart(12, '0')}`,
    emoji: emoji ?? '',
    position: n,
  }));
}

function page<T>(all: readonly T[], from: string | null, limit: number): { items: T[]; next: string | null } {
  const start = Number(from ?? 0);
  const end = start + limit;
  return { items: all.slice(start, end), next: end < all.length ? String(end) : null };
}
