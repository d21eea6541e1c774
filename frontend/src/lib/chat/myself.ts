// Who one is, and what one shows of oneself: told by the server, by another tab, or chosen here.
import type { StoreApi } from 'zustand/vanilla';

import type { Api } from '@/lib/http/api';
import type { Me } from '@/lib/http/types';
import type { ChatState } from '@/lib/store/chat-state';
import { withMe } from '@/lib/store/events';
import type { TabChannel } from '@/lib/tabs/tab-channel';

export class Myself {
  readonly #store: StoreApi<ChatState>;
  readonly #api: Pick<Api, 'me'>;
  readonly #tabs: TabChannel;
  #disposed = false;

  constructor(store: StoreApi<ChatState>, api: Pick<Api, 'me'>, tabs: TabChannel) {
    this.#store = store;
    this.#api = api;
    this.#tabs = tabs;
  }

  readonly told = (me: Me): void => this.#store.setState((state) => withMe(state, me));

  /** As the server took it from this page. */
  renamed(me: Me): void {
    this.told(me);
    this.#tabs.post({ kind: 'me', me });
  }

  /** `away`: what was changed on another device meanwhile, nobody tells. Nor does `welcome` say all of it. */
  welcomed(me: Me, away: boolean): void {
    this.told(me);
    if (away || this.#store.getState().me.show_receipts === undefined) this.ask();
  }

  ask(): void {
    this.#api.me().then(
      (me) => !this.#disposed && this.told(me),
      () => undefined,
    );
  }

  dispose(): void {
    this.#disposed = true;
  }
}
