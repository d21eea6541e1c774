// Learns the names of those whom the page knows by id only: who wrote in a room, came, or went. Each is asked
// for once, few at a time; one that could not be had is asked for again when somebody needs it later.
import type { StoreApi } from 'zustand/vanilla';

import type { Api } from '@/lib/http/api';
import { ApiError } from '@/lib/http/api-error';
import type { Person, UserId } from '@/lib/http/types';
import type { ChatState } from '@/lib/store/chat-state';
import { withPeople } from '@/lib/store/people';

/** The server works on so many questions of one person at once. */
const AT_ONCE = 3;
/** Names that come together render once. */
const TOGETHER_MS = 40;

export class Names {
  readonly #store: StoreApi<ChatState>;
  readonly #api: Pick<Api, 'person'>;
  readonly #asked = new Set<UserId>();
  #queue: UserId[] = [];
  #running = 0;
  #told: Person[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(store: StoreApi<ChatState>, api: Pick<Api, 'person'>) {
    this.#store = store;
    this.#api = api;
  }

  need(ids: Iterable<UserId>): void {
    const { people } = this.#store.getState();
    for (const id of ids) {
      if (people[id] || this.#asked.has(id)) continue;
      this.#asked.add(id);
      this.#queue.push(id);
    }
    this.#pump();
  }

  /** What another answer told of people. */
  told(people: Iterable<Person>): void {
    this.#store.setState((state) => {
      const known = withPeople(state.people, people);
      return known === state.people ? state : { people: known };
    });
  }

  dispose(): void {
    this.#queue = [];
    clearTimeout(this.#timer);
  }

  #pump(): void {
    while (this.#running < AT_ONCE) {
      const id = this.#queue.shift();
      if (id === undefined) return;
      // Told meanwhile, by a list of members.
      if (this.#store.getState().people[id]) continue;
      this.#running += 1;
      void this.#ask(id).finally(() => {
        this.#running -= 1;
        this.#pump();
      });
    }
  }

  async #ask(id: UserId): Promise<void> {
    try {
      this.#told.push(await this.#api.person(id));
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.told(this.#told.splice(0));
      }, TOGETHER_MS);
    } catch (error) {
      // Nobody is asked for twice who does not exist.
      if (!(error instanceof ApiError) || error.temporary) this.#asked.delete(id);
    }
  }
}
