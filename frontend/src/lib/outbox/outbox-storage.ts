// Where the outbox survives a reload: IndexedDB. Without it (some private modes) the outbox lives in memory only, and
// sending goes on.
import { openDB } from 'idb';
import type { DBSchema, IDBPDatabase } from 'idb';

import type { OutboxItem } from './outbox-item';

export interface OutboxStorage {
  load(owner: string): Promise<OutboxItem[]>;
  put(item: OutboxItem): void;
  delete(clientId: string): void;
  /** Resolves when everything given so far is written. */
  settled(): Promise<void>;
}

interface Schema extends DBSchema {
  outbox: { key: string; value: OutboxItem; indexes: { owner: string } };
}

export class IdbOutboxStorage implements OutboxStorage {
  readonly #db: Promise<IDBPDatabase<Schema> | null>;
  /** Writes in the order in which they were asked for. */
  #writes: Promise<unknown> = Promise.resolve();

  constructor(name = 'milena') {
    this.#db = openDB<Schema>(name, 1, {
      upgrade: (db) => {
        db.createObjectStore('outbox', { keyPath: 'client_id' }).createIndex('owner', 'owner');
      },
    }).catch(() => null);
  }

  async load(owner: string): Promise<OutboxItem[]> {
    await this.#writes;
    const db = await this.#db;
    return (await db?.getAllFromIndex('outbox', 'owner', owner).catch(() => [])) ?? [];
  }

  put(item: OutboxItem): void {
    this.#write((db) => db.put('outbox', item));
  }

  delete(clientId: string): void {
    this.#write((db) => db.delete('outbox', clientId));
  }

  async settled(): Promise<void> {
    await this.#writes;
  }

  #write(action: (db: IDBPDatabase<Schema>) => Promise<unknown>): void {
    this.#writes = this.#writes.then(async () => {
      const db = await this.#db;
      // A full or broken disk must not stop the conversation: the item is still in memory and on its way.
      await (db && action(db))?.catch(() => undefined);
    });
  }
}
