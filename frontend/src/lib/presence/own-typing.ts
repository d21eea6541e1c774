// What the others are told of one's own writing: now and then while keys are pressed, and its end once. Pure:
// the time is handed in.
import type { ConversationId } from '@/lib/http/types';

/** The server tells no more. */
const AT_MOST_EVERY_MS = 3_000;
/** Others take it for over by themselves then. */
const LASTS_MS = 6_000;

export interface OwnTypingSaid {
  conversation: ConversationId;
  on: boolean;
}

export class OwnTyping {
  #conversation: ConversationId | null = null;
  #saidAtMs = -Infinity;
  #on = false;

  /** Something was typed or taken away; `isBlank`: nothing is left. Gives back what is to be said. */
  typed(conversation: ConversationId, isBlank: boolean, nowMs: number): OwnTypingSaid[] {
    const before = conversation === this.#conversation ? [] : this.left(nowMs);
    if (conversation !== this.#conversation) this.#saidAtMs = -Infinity;
    this.#conversation = conversation;
    if (isBlank) return [...before, ...this.#ended(nowMs)];
    // Who takes everything away and begins again does not say it more often.
    if (nowMs < this.#saidAtMs + AT_MOST_EVERY_MS) return before;
    this.#saidAtMs = nowMs;
    this.#on = true;
    return [...before, { conversation, on: true }];
  }

  /** The conversation is no longer open. */
  left(nowMs: number): OwnTypingSaid[] {
    const said = this.#ended(nowMs);
    this.#conversation = null;
    return said;
  }

  #ended(nowMs: number): OwnTypingSaid[] {
    const conversation = this.#conversation;
    const isShown = this.#on && nowMs < this.#saidAtMs + LASTS_MS;
    this.#on = false;
    return isShown && conversation !== null ? [{ conversation, on: false }] : [];
  }
}
