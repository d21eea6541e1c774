// Whether this browser's session is over: only the server can say so, not a connection that failed.
import { ApiError } from '@/lib/http/api-error';
import type { SocketState } from '@/lib/socket/socket-client';

import type { ChatSessionOptions } from './chat-session-options';

const NO_SESSION = [4500, 4501];
const ASKED_EVERY = 3;

/** The server has said it. */
export const isClosed = (connection: SocketState): boolean =>
  connection.phase === 'closed' && NO_SESSION.includes(connection.code);

/** It may be, and this asks. */
export async function isOver(
  connection: SocketState,
  api: Pick<ChatSessionOptions['api'], 'me'>,
): Promise<boolean> {
  // A browser does not tell why an upgrade failed; one that needs a new sign-in must not try for ever.
  if (connection.phase !== 'backing-off' || connection.opened || connection.attempt % ASKED_EVERY !== 0)
    return false;
  try {
    await api.me();
    return false;
  } catch (error) {
    return error instanceof ApiError && error.code === 'unauthenticated';
  }
}
