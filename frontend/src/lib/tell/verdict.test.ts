// The table of cases that the server runs, too.
import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { hasKeyword } from './keywords';
import { isQuiet } from './quiet';
import { GENERAL, isMuted, OF_CONVERSATION } from './settings';
import type { General, OfConversation, QuietWindow } from './settings';
import { countsOf, verdict } from './verdict';
import type { Occasion } from './verdict';

interface Vectors {
  verdicts: ({ name: string; gives: string; kind: Occasion['kind'] } & Partial<Occasion> & {
      general?: Partial<General>;
      settings?: Partial<OfConversation>;
      active?: boolean;
    })[];
  counts: {
    name: string;
    settings?: Partial<OfConversation>;
    unread: number;
    mentions: number;
    calls: number;
    muted: number;
  }[];
  keywords: { keyword: string; body: string; matches: boolean }[];
  quiet: { name: string; zone?: string; windows?: QuietWindow[]; now: string; quiet: boolean }[];
}

const NOW_MS = Date.parse('2026-11-29T12:00:00.000Z');
const vectors = JSON.parse(readFileSync('../crates/domain/tests/tell.json', 'utf8')) as Vectors;
const NOTHING: Omit<Occasion, 'kind'> = {
  mine: false, named: false, everyone: false, answers: false, body: '',
}; // prettier-ignore

describe('the verdict', () => {
  it.each(vectors.verdicts)('$name', ({ gives, general, settings, active = false, ...occasion }) => {
    const given = verdict(
      { ...NOTHING, ...occasion },
      { ...GENERAL, ...general },
      { ...OF_CONVERSATION, ...settings },
      NOW_MS,
      active,
    );
    expect(given).toBe(gives);
  });
});

describe('the counts', () => {
  it.each(vectors.counts)('$name', ({ settings, unread, mentions, calls, muted }) => {
    const counts = countsOf({ unread, mentions }, isMuted({ ...OF_CONVERSATION, ...settings }, NOW_MS));
    expect(counts).toEqual({ calls, muted });
  });
});

describe('keywords', () => {
  it.each(vectors.keywords)('$keyword in $body: $matches', ({ keyword, body, matches }) => {
    expect(hasKeyword(body, [keyword])).toBe(matches);
  });
});

describe('do not disturb', () => {
  it.each(vectors.quiet)('$name', ({ zone = 'UTC', windows, now, quiet }) => {
    const dnd_schedule = windows ? { time_zone: zone, windows } : null;
    expect(isQuiet({ ...GENERAL, dnd_schedule }, Date.parse(now))).toBe(quiet);
  });

  it('nothing is kept quiet in a time zone that nobody knows', () => {
    const windows = [{ days: ['sun'] as const, from: '00:00', to: '24:00' }];
    const dnd_schedule = { time_zone: 'Europe/Nowhere', windows };
    expect(isQuiet({ ...GENERAL, dnd_schedule }, NOW_MS)).toBe(false);
  });
});
