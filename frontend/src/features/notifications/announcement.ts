// Which tab of several tells about a message, and whether any does. Every tab says of each message that came
// whether somebody looks at it there; after a moment of listening, of those left the one with the smallest
// name speaks.
import type { TabChannel } from '@/lib/tabs/tab-channel';

/** Long enough for the other tabs to be heard, too short to be felt. */
export const LISTEN_MS = 150;
const MAX_REMEMBERED = 200;

interface Arrival {
  /** Somebody sees it, in some tab. */
  seen: boolean;
  announced: boolean;
  smallest: string;
}

export class Announcements {
  readonly #arrivals = new Map<string, Arrival>();
  readonly #tab: string;
  readonly #channel: TabChannel;
  readonly #stop: () => void;

  constructor(tab: string, channel: TabChannel) {
    this.#tab = tab;
    this.#channel = channel;
    this.#stop = channel.listen((news) => {
      if (news.kind === 'arrival') this.#note(news.message, news.tab, news.inView, news.announced);
    });
  }

  /** Whether this tab has to tell about it. */
  async isOurs(message: string, inView: boolean): Promise<boolean> {
    this.#tell(message, inView, false);
    if (inView) return false;
    await new Promise((resolve) => setTimeout(resolve, LISTEN_MS));
    const arrival = this.#arrivals.get(message);
    if (!arrival || arrival.seen || arrival.announced || arrival.smallest !== this.#tab) return false;
    this.#tell(message, false, true);
    return true;
  }

  dispose(): void {
    this.#stop();
  }

  #tell(message: string, inView: boolean, announced: boolean): void {
    this.#note(message, this.#tab, inView, announced);
    this.#channel.post({ kind: 'arrival', message, tab: this.#tab, inView, announced });
  }

  #note(message: string, tab: string, inView: boolean, announced: boolean): void {
    const known = this.#arrivals.get(message);
    this.#arrivals.set(message, {
      seen: inView || (known?.seen ?? false),
      announced: announced || (known?.announced ?? false),
      smallest: known && known.smallest < tab ? known.smallest : tab,
    });
    const oldest = this.#arrivals.keys().next().value;
    if (this.#arrivals.size > MAX_REMEMBERED && oldest !== undefined) this.#arrivals.delete(oldest);
  }
}
