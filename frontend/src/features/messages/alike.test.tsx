// Whoever takes a name that looks like another's is told apart wherever the page says who said or did
// something in a room: beside their words, in a quote, in the lists of pins and mentions, and at a reaction.
import { render, screen } from '@testing-library/react';
import { beforeEach, expect, it } from 'vitest';

import { ChatProvider } from '@/lib/chat/chat-context';
import type { ChatSession } from '@/lib/chat/chat-session';
import type { Message, Person } from '@/lib/http/types';
import { withConversations } from '@/lib/store/events';
import { anna, message } from '@/testing/builders';
import { fakeChat } from '@/testing/fake-chat';
import { welcome } from '@/testing/fake-socket';
import { roomConversation } from '@/testing/rooms';

import { DeedsProvider } from './deeds';
import { MessageExcerpt } from './message-excerpt';
import { Quote } from './quote';
import { Reactions } from './reactions';
import { RoomMessage } from './room-message';
import { rowsOf } from './rows';

/** With a Cyrillic А. */
const other: Person = { id: 'other', username: 'anna.2', display_name: 'Аnna' };
const said: Message = message(5, {
  conversation: 'r',
  kind: 'room',
  sender: other.id,
  body: 'It was me',
  pinned: 7,
  reactions: [{ emoji: '🎉', count: 2, mine: false, users: [anna.id, other.id] }],
});

const nothing = () => undefined;

function show(element: React.ReactNode): void {
  const { chat } = fakeChat();
  chat.store.setState((state) => ({
    ...withConversations(state, [roomConversation()]),
    people: { ...state.people, [other.id]: other },
    aside: { r: [said] },
    limits: { ...welcome().limits, mentions_max: 50 },
  }));
  const known = Object.assign(chat, { names: { need: nothing } }) as unknown as ChatSession;
  const deeds = { conversation: 'r', reply: nothing, edit: nothing, jump: nothing };
  render(
    <ChatProvider value={known}>
      <DeedsProvider value={deeds}>{element}</DeedsProvider>
    </ChatProvider>,
  );
}

beforeEach(() => document.body.replaceChildren());

it('beside their words', () => {
  const [row] = rowsOf([said], [], 'me', null, true);
  if (!row) throw new Error('no row');
  show(
    <RoomMessage
      row={row}
      conversation="r"
      mine={false}
      name="General"
      read={false}
      delivered={false}
      receipts={false}
      meant={false}
      number={1}
      total={1}
    />,
  );
  expect(screen.getByRole('link', { name: 'Аnna @anna.2' })).toBeTruthy();
});

it('in a quote', () => {
  show(<Quote target={said} from={9} />);
  expect(screen.getByRole('button').textContent).toContain('Аnna @anna.2');
});

it('in the lists of pins and mentions', () => {
  show(<MessageExcerpt message={said} />);
  expect(screen.getByText('Аnna @anna.2')).toBeTruthy();
});

it('at a reaction', () => {
  show(<Reactions message={said} onLayer={nothing} />);
  expect(screen.getByRole('button', { name: '🎉 2: Anna @anna and Аnna @anna.2' })).toBeTruthy();
});
