// Whether this browser's session is over: only the server can say so, not a connection that failed.
import { ApiError } from '@/lib/http/api-error';

import type { ChatSessionOptions } from './chat-session-options';

export async function isSignedOut(api: Pick<ChatSessionOptions['api'], 'me'>): Promise<boolean> {
  try {
    await api.me();
    return false;
  } catch (error) {
    return error instanceof ApiError && error.code === 'unauthenticated';
  }
}
