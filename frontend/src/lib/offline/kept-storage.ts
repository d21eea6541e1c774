// Where the page keeps what one reads without a connection: IndexedDB, apart from what is unsent. It is one
// person's, the last one's who was here: nobody finds another one's conversations in it. Where storage is
// forbidden or full nothing is kept, and nothing else changes.
import { openDB } from 'idb';
import type { DBSchema, IDBPDatabase } from 'idb';

import type { ConversationId, Me, Message, Person, UserId } from '@/lib/http/types';
import type { Limits } from '@/lib/socket/frames';
import type { ConversationEntry } from '@/lib/store/conversation-entry';

/** The conversation list, with everybody whom it names. */
export interface KeptList {
  owner: UserId;
  me: Me;
  entries: readonly ConversationEntry[];
  people: readonly Person[];
  limits: Limits | null;
}

/** The newest messages of a conversation, without a hole between them. */
export interface KeptWindow {
  owner: UserId;
  id: ConversationId;
  messages: readonly Message[];
  /** Everybody who is named in them. */
  people: readonly Person[];
  hasBefore: boolean;
  /** When it was written: beyond the bound the oldest go. */
  atMs: number;
}

/** So many conversations can be read without a connection. */
const WINDOWS_MAX = 30;

interface Schema extends DBSchema {
  lists: { key: UserId; value: KeptList };
  windows: { key: [UserId, ConversationId]; value: KeptWindow; indexes: { at: number } };
}

export class KeptStorage {
  readonly #db: Promise<IDBPDatabase<Schema> | null>;
  /** Writes in the order in which they were asked for. */
  #writes: Promise<unknown> = Promise.resolve();

  constructor(name = 'milena-kept') {
    this.#db = Promise.resolve()
      .then(() =>
        openDB<Schema>(name, 1, {
          upgrade: (db) => {
            db.createObjectStore('lists', { keyPath: 'owner' });
            db.createObjectStore('windows', { keyPath: ['owner', 'id'] }).createIndex('at', 'atMs');
          },
        }),
      )
      .catch(() => null);
  }

  /** Of whoever was here last. */
  async list(): Promise<KeptList | null> {
    await this.#writes;
    const all = await this.#read((db) => db.getAll('lists'));
    return all?.[0] ?? null;
  }

  async window(owner: UserId, id: ConversationId): Promise<KeptWindow | null> {
    await this.#writes;
    return (await this.#read((db) => db.get('windows', [owner, id]))) ?? null;
  }

  async windows(owner: UserId): Promise<ConversationId[]> {
    await this.#writes;
    const keys = (await this.#read((db) => db.getAllKeys('windows'))) ?? [];
    return keys.flatMap(([of, id]) => (of === owner ? id : []));
  }

  putList(list: KeptList): void {
    void this.#write((db) => db.put('lists', list));
  }

  putWindow(window: KeptWindow): void {
    void this.#write(async (db) => {
      const { store, done } = db.transaction('windows', 'readwrite');
      await store.put(window);
      let over = (await store.count()) - WINDOWS_MAX;
      for (let one = await store.index('at').openCursor(); one && over > 0; over -= 1) {
        await one.delete();
        one = await one.continue();
      }
      await done;
    });
  }

  deleteWindow(owner: UserId, id: ConversationId): void {
    void this.#write((db) => db.delete('windows', [owner, id]));
  }

  /** All, or all but this person's. */
  clear(but?: UserId): Promise<void> {
    return this.#write(async (db) => {
      const transaction = db.transaction(['lists', 'windows'], 'readwrite');
      const [lists, windows] = [transaction.objectStore('lists'), transaction.objectStore('windows')];
      for (const key of await lists.getAllKeys()) if (key !== but) await lists.delete(key);
      for (const key of await windows.getAllKeys()) if (key[0] !== but) await windows.delete(key);
      await transaction.done;
    });
  }

  async #read<T>(action: (db: IDBPDatabase<Schema>) => Promise<T>): Promise<T | null> {
    const db = await this.#db;
    return db ? action(db).catch(() => null) : null;
  }

  #write(action: (db: IDBPDatabase<Schema>) => Promise<unknown>): Promise<void> {
    const written = this.#writes.then(async () => {
      const db = await this.#db;
      if (db) await action(db).catch(() => undefined);
    });
    this.#writes = written;
    return written;
  }
}
