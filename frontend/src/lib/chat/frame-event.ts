// What a frame of the server does to the store, where it does no more than that.
import type { DeliveredFrame, Gap, ReadFrame, RoomFrame, SeenFrame } from '@/lib/socket/frames';
import type { ChatEvent } from '@/lib/store/events';

export function eventOf(frame: ReadFrame | SeenFrame | DeliveredFrame | Gap | RoomFrame): ChatEvent {
  switch (frame.type) {
    case 'room':
      return { kind: 'room', room: frame.room, atMs: Date.now() };
    case 'gap':
      return { kind: 'gap', conversation: frame.conversation, after: frame.after, before: frame.before };
    default:
      return { kind: frame.type, conversation: frame.conversation, position: frame.position };
  }
}
