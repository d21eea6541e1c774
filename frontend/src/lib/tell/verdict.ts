// Whether somebody is told of a message, and how loudly: the same decision as the server's for push
// (crates/domain/src/tell), proven by one table of cases that both run.
import { hasKeyword } from './keywords';
import { isQuiet } from './quiet';
import { isMuted } from './settings';
import type { General, OfConversation } from './settings';

/** `tell` makes a noise; `count` is unread and silent; `nothing` is counted as muted at most. */
export type Verdict = 'tell' | 'count' | 'nothing';

/** A message as it concerns one person. */
export interface Occasion {
  kind: 'direct' | 'notes' | 'room';
  mine: boolean;
  /** It names them. */
  named: boolean;
  /** It calls everybody. */
  everyone: boolean;
  /** It answers a message of theirs. */
  answers: boolean;
  body: string;
}

/** `active`: they look at it anyway. */
export function verdict(
  occasion: Occasion,
  general: General,
  own: OfConversation,
  nowMs: number,
  active: boolean,
): Verdict {
  if (occasion.mine || occasion.kind === 'notes') return 'nothing';
  if (isMuted(own, nowMs)) return occasion.named ? 'count' : 'nothing';
  return !isCalling(occasion, general, own) || active || isQuiet(general, nowMs) ? 'count' : 'tell';
}

function isCalling(occasion: Occasion, general: General, own: OfConversation): boolean {
  const { kind, named, answers, everyone, body } = occasion;
  switch (own.level ?? (kind === 'direct' ? general.direct : general.rooms)) {
    case 'all':
      return true;
    case 'mentions':
      return named || answers || (everyone && !own.ignore_everyone) || hasKeyword(body, general.keywords);
    case 'nothing':
      return false;
  }
}

export interface Counts {
  /** Unread messages that call for the person. */
  calls: number;
  /** Those that are muted. */
  muted: number;
}

export function countsOf({ unread, mentions }: { unread: number; mentions: number }, muted: boolean): Counts {
  if (!muted) return { calls: unread, muted: 0 };
  return { calls: mentions, muted: Math.max(0, unread - mentions) };
}
