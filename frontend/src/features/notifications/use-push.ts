// Being told while no page is open: what the server and the browser know of it, and changing that.
import { useCallback, useEffect, useState } from 'react';

import { useChatState } from '@/lib/chat/chat-context';
import { api } from '@/lib/http/api';
import { ApiError, explainError } from '@/lib/http/api-error';
import type { PushDevice, PushSettings } from '@/lib/http/types';
import { keepWords, subscribe, subscription, unsubscribe } from '@/lib/push/browser-push';

import { turnOn as allow } from './permission';

export interface Push {
  /** Null until the server has answered, and where it has none. */
  settings: PushSettings | null;
  /** This browser, as long as it is told. */
  here: PushDevice | null;
  /** The others. */
  elsewhere: PushDevice[];
  busy: boolean;
  problem: string | undefined;
  turnOn: () => void;
  turnOff: () => void;
  showWords: (words: boolean) => void;
  remove: (id: string) => void;
}

export function usePush(): Push {
  const me = useChatState((state) => state.me.id);
  const [settings, setSettings] = useState<PushSettings | null>(null);
  /** Whether this browser would hear it. */
  const [heard, setHeard] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | undefined>();

  const load = useCallback(async () => {
    const [told, own] = await Promise.all([api.push(), subscription(me)]);
    setSettings(told);
    setHeard(own !== null);
  }, [me]);

  useEffect(() => {
    // It may change on another device, and in the browser's own settings.
    const look = () => {
      if (document.visibilityState === 'visible') load().catch(() => undefined);
    };
    look();
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, [load]);

  const current = settings?.subscriptions.find((device) => device.current);
  const here = heard && current !== undefined ? current : null;

  async function run(action: () => Promise<unknown>) {
    setBusy(true);
    setProblem(undefined);
    try {
      await action();
    } catch (error) {
      setProblem(explain(error));
    }
    await load().catch(() => undefined);
    setBusy(false);
  }

  async function turnOn(key: string) {
    await allow();
    const form = await subscribe(key, me);
    try {
      await api.subscribePush(form);
    } catch (error) {
      // What the server does not know would never be used.
      await unsubscribe();
      throw error;
    }
  }

  async function turnOff() {
    await unsubscribe();
    if (here) await api.unsubscribePush(here.id).catch(unlessGone);
  }

  async function showWords(words: boolean) {
    const form = await subscription(me);
    if (!form) return;
    await api.subscribePush({ ...form, words });
    keepWords(words);
  }

  return {
    settings,
    here,
    elsewhere: settings?.subscriptions.filter(({ id }) => id !== here?.id) ?? [],
    busy,
    problem,
    turnOn: () => {
      const key = settings?.public_key;
      if (key) void run(() => turnOn(key));
    },
    turnOff: () => void run(turnOff),
    showWords: (words) => void run(() => showWords(words)),
    remove: (id) => void run(() => api.unsubscribePush(id).catch(unlessGone)),
  };
}

/** It has ended already: what was wanted. */
function unlessGone(error: unknown): void {
  if (!(error instanceof ApiError && error.status === 404)) throw error;
}

function explain(error: unknown): string {
  if (!(error instanceof DOMException)) return explainError(error);
  return error.name === 'NotAllowedError'
    ? 'Your browser does not let this page show notifications.'
    : 'The push service of your browser cannot be reached, or it has none.';
}
