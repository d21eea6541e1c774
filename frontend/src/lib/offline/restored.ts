// What the page shows of what was kept, until the server answers.
import type { ChatState } from '@/lib/store/chat-state';
import { inOrder } from '@/lib/store/conversation-entry';
import { withPeople } from '@/lib/store/people';

import type { KeptList } from './kept-storage';

export function restored(state: ChatState, kept: KeptList | undefined): ChatState {
  if (!kept) return state;
  const { entries, people, limits } = kept;
  return {
    ...state,
    conversations: Object.fromEntries(entries.map((entry) => [entry.id, entry])),
    order: inOrder(entries),
    people: withPeople(state.people, people),
    limits,
    list: { status: 'ready', next: null, loadingMore: false },
  };
}
