// The id of the conversation of two people, as every part of Milena reckons it (crates/domain/src/ids.rs): it
// is known before the first message, so that drafts, unsent messages and the view have one key from the first
// letter on. By a library, because browsers have SHA-256 of their own only in secure contexts, and it is
// needed at once.
import { sha256 } from '@noble/hashes/sha2.js';

import type { ConversationId, UserId } from '@/lib/http/types';

const PREFIX = new TextEncoder().encode('milena/direct-conversation/v1');
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** Asked for at every render of a search, for each that was found. */
const known = new Map<string, ConversationId>();
const KNOWN_MAX = 1_000;

/** The same whichever way round; with oneself it is notes to self. Null: one of them is no id of a person. */
export function directConversation(a: UserId, b: UserId): ConversationId | null {
  const [low = '', high = ''] = [a.toLowerCase(), b.toLowerCase()].sort();
  if (!UUID.test(low) || !UUID.test(high)) return null;
  const id = known.get(low + high) ?? derived(low, high);
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(low + high, id);
  return id;
}

function derived(low: UserId, high: UserId): ConversationId {
  const input = Uint8Array.from([...PREFIX, ...bytesOf(low), ...bytesOf(high)]);
  const bytes = sha256(input).slice(0, 16);
  // RFC 9562: version 8, and the variant.
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

const bytesOf = (id: string) =>
  Array.from(id.replaceAll('-', '').matchAll(/../g), ([hex]) => Number.parseInt(hex, 16));
