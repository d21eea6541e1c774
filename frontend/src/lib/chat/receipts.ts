// Who has read what, in rooms that are small enough for it: asked for of a message that somebody looks at,
// and told live from then on.
import type { Api } from '@/lib/http/api';
import type { ConversationId, Position, ReaderList, UserId } from '@/lib/http/types';

import type { Names } from './names';

export interface Receipt {
  conversation: ConversationId;
  user: UserId;
  position: Position;
}

type Listener = (receipt: Receipt) => void;

export class Receipts {
  readonly #api: Pick<Api, 'readers'>;
  readonly #names: Pick<Names, 'need'>;
  readonly #listeners = new Set<Listener>();

  constructor(api: Pick<Api, 'readers'>, names: Pick<Names, 'need'>) {
    this.#api = api;
    this.#names = names;
  }

  async of(id: ConversationId, at: Position): Promise<ReaderList> {
    const answer = await this.#api.readers(id, at);
    this.#names.need(answer.readers.map(({ user }) => user));
    return answer;
  }

  /** Somebody else has read up to here. */
  told(receipt: Receipt): void {
    for (const listener of this.#listeners) listener(receipt);
  }

  /** Gives back what ends it. */
  readonly listen = (listener: Listener): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };
}
