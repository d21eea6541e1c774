// What messages said before they were edited, where the server keeps that: it does not say so beforehand, so
// it is asked with the first message of which somebody could see it.
import type { Api } from '@/lib/http/api';
import { ApiError } from '@/lib/http/api-error';
import type { ConversationId, EditList, Position } from '@/lib/http/types';

export class Edits {
  readonly #api: Pick<Api, 'edits'>;
  #kept: boolean | null = null;

  constructor(api: Pick<Api, 'edits'>) {
    this.#api = api;
  }

  of(id: ConversationId, at: Position, before?: Position): Promise<EditList> {
    return this.#api.edits(id, at, before === undefined ? {} : { before });
  }

  /** Whether they are kept at all; asked once. */
  async kept(id: ConversationId, at: Position): Promise<boolean> {
    if (this.#kept !== null) return this.#kept;
    try {
      await this.#api.edits(id, at);
      this.#kept = true;
    } catch (error) {
      const unkept = error instanceof ApiError && UNKNOWN.includes(error.code);
      if (unkept) this.#kept = false;
    }
    return this.#kept ?? false;
  }
}

/** There is no such thing, or no such address. */
const UNKNOWN = ['not_found', 'method_not_allowed'];
