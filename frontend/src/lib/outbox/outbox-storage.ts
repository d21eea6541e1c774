// Where the outbox survives a reload: IndexedDB. Without it (some private modes) the outbox lives in memory
// only, and sending goes on.
//
// Pages of the first version kept the person that a message goes to, and no conversation. Items of theirs are
// read as what they mean, and items of this version still have the person: a tab that was opened before an
// update reads, sends and takes them over like its own. That is why the database keeps its version: a higher
// one would have to wait until such a tab is closed, and would keep that tab from its own messages. What such
// a tab cannot send, because it goes to a room, it shows to nobody and keeps as refused, for the next page.
//
// What is done with messages (edits, reactions and the like) has a database of its own, for the same reason:
// a tab of an earlier version would send an edit as a message.
import { openDB } from 'idb';
import type { DBSchema, IDBPDatabase } from 'idb';

import { directConversation } from '@/lib/ids/direct-conversation';

import { isUnsentMessage } from './outbox-item';
import type { OutboxItem } from './outbox-item';

export interface OutboxStorage {
  load(owner: string): Promise<OutboxItem[]>;
  /** False when it could not be written: it lives as long as this page. */
  put(item: OutboxItem): Promise<boolean>;
  delete(clientId: string): void;
  /** All of this person's. Resolves when it is done, and everything before it. */
  clear(owner: string): Promise<void>;
}

type Stored = OutboxItem | (Omit<OutboxItem, 'conversation' | 'to'> & { to: string });

interface Schema extends DBSchema {
  outbox: { key: string; value: Stored; indexes: { owner: string } };
}

function itemOf(stored: Stored): OutboxItem {
  if ('conversation' in stored) return stored;
  return { ...stored, conversation: directConversation(stored.owner, stored.to) ?? stored.to };
}

type Database = IDBPDatabase<Schema>;

export class IdbOutboxStorage implements OutboxStorage {
  readonly #messages: Promise<Database | null>;
  readonly #deeds: Promise<Database | null>;
  /** Writes in the order in which they were asked for. */
  #writes: Promise<unknown> = Promise.resolve();

  constructor(name = 'milena') {
    this.#messages = open(name);
    this.#deeds = open(`${name}-deeds`);
  }

  async load(owner: string): Promise<OutboxItem[]> {
    await this.#writes;
    const all = [this.#messages, this.#deeds].map(async (opened) => {
      const db = await opened;
      return db?.getAllFromIndex('outbox', 'owner', owner).catch(() => []) ?? [];
    });
    return (await Promise.all(all)).flat().map(itemOf);
  }

  put(item: OutboxItem): Promise<boolean> {
    const to = isUnsentMessage(item) ? this.#messages : this.#deeds;
    return this.#write([to], (db) => db.put('outbox', item));
  }

  delete(clientId: string): void {
    void this.#write([this.#messages, this.#deeds], (db) => db.delete('outbox', clientId));
  }

  async clear(owner: string): Promise<void> {
    await this.#write([this.#messages, this.#deeds], async (db) => {
      const { store, done } = db.transaction('outbox', 'readwrite');
      const keys = await store.index('owner').getAllKeys(owner);
      await Promise.all([...keys.map((key) => store.delete(key)), done]);
    });
  }

  /** A full or broken disk must not stop the conversation: the item is still in memory and on its way. */
  #write(where: Promise<Database | null>[], action: (db: Database) => Promise<unknown>): Promise<boolean> {
    const written = this.#writes.then(async () => {
      const done = where.map(async (opened) => {
        const db = await opened;
        if (!db) return false;
        return action(db).then(
          () => true,
          () => false,
        );
      });
      return (await Promise.all(done)).every(Boolean);
    });
    this.#writes = written;
    return written;
  }
}

/** Null where storage is forbidden: there, even asking for it can throw. */
function open(name: string): Promise<Database | null> {
  return Promise.resolve()
    .then(() =>
      openDB<Schema>(name, 1, {
        upgrade: (db) => {
          db.createObjectStore('outbox', { keyPath: 'client_id' }).createIndex('owner', 'owner');
        },
      }),
    )
    .catch(() => null);
}
