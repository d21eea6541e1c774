// How one wants to be seen: asked for with each connection, because another device may have changed it, and
// the same in all tabs.
import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

import type { Api } from '@/lib/http/api';
import type { PresenceSettings } from '@/lib/http/types';
import type { TabChannel } from '@/lib/tabs/tab-channel';

export class OwnPresence {
  /** Null while nobody knows, and for good where the server tells nobody who is here. */
  readonly store: StoreApi<{ settings: PresenceSettings | null }> = createStore(() => ({ settings: null }));
  readonly #api: Pick<Api, 'presence' | 'changePresence'>;
  readonly #tabs: TabChannel;
  /** What was chosen last is newer than any answer to a question from before. */
  #changes = 0;

  constructor(api: Pick<Api, 'presence' | 'changePresence'>, tabs: TabChannel) {
    this.#api = api;
    this.#tabs = tabs;
    tabs.listen((news) => {
      if (news.kind === 'presence') this.#set(news.settings);
    });
  }

  /** What cannot be had stays as it was known. */
  async load(): Promise<void> {
    const changes = this.#changes;
    const settings = await this.#api.presence().catch(() => null);
    if (settings && changes === this.#changes) this.store.setState({ settings });
  }

  /** Rejects with an ApiError; then nothing has changed. */
  async change(change: Partial<PresenceSettings>): Promise<void> {
    const settings = await this.#api.changePresence(change);
    this.#set(settings);
    this.#tabs.post({ kind: 'presence', settings });
  }

  #set(settings: PresenceSettings): void {
    this.#changes += 1;
    this.store.setState({ settings });
  }
}
