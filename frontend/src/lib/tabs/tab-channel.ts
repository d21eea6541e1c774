// What the tabs of one person tell each other, in one browser. Without BroadcastChannel each tab is alone,
// and the server's word reaches them all a little later.
import type { ConversationId, Me, Position, PresenceSettings, UserId } from '@/lib/http/types';

export type TabNews =
  | { kind: 'read'; conversation: ConversationId; position: Position }
  /** Direct ones by person, which is all that a tab of an earlier version says and understands. */
  | { kind: 'draft'; conversation?: ConversationId; to?: UserId; text: string }
  | { kind: 'me'; me: Me }
  /** How the person wants to be seen from now on. */
  | { kind: 'presence'; settings: PresenceSettings }
  /** The person logged out, in another tab. */
  | { kind: 'left' }
  /**
   * A tab tells about a message that came: whether somebody looks at it there, and whether it was announced
   * from there.
   */
  | { kind: 'arrival'; message: string; tab: string; inView: boolean; announced: boolean };

export interface TabChannel {
  post(news: TabNews): void;
  /** Gives back what ends it. */
  listen(listener: (news: TabNews) => void): () => void;
  close(): void;
}

export function openTabChannel(owner: UserId): TabChannel {
  const listeners = new Set<(news: TabNews) => void>();
  const channel =
    typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(`milena.tabs.${owner}`);
  if (channel)
    channel.onmessage = ({ data }: MessageEvent<TabNews>) => {
      for (const listener of listeners) listener(data);
    };
  return {
    post: (news) => channel?.postMessage(news),
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      listeners.clear();
      channel?.close();
    },
  };
}
