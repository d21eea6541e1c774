// Of what one wants to be told, as the server keeps it: in general, and of each conversation.

export type Level = 'all' | 'mentions' | 'nothing';
export type Day = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun';

/** Not to be disturbed from when to when; `to` at or before `from`: until then on the next day. */
export interface QuietWindow {
  /** Those on which it begins. */
  days: readonly Day[];
  /** `HH:MM`, `to` also `24:00`. */
  from: string;
  to: string;
}

export interface QuietSchedule {
  /** An IANA name. */
  time_zone: string;
  windows: readonly QuietWindow[];
}

export interface General {
  /** Conversations of two. */
  direct: Level;
  rooms: Level;
  keywords: readonly string[];
  dnd_until: string | null;
  dnd_schedule: QuietSchedule | null;
  /** Whether push messages say what was written. */
  push_words?: boolean;
}

export interface OfConversation {
  /** Null: as in general. */
  level: Level | null;
  muted: boolean;
  /** Null: for good. */
  muted_until: string | null;
  ignore_everyone: boolean;
}

/** Whoever has said nothing. */
export const GENERAL: General = {
  direct: 'all',
  rooms: 'mentions',
  keywords: [],
  dnd_until: null,
  dnd_schedule: null,
};

export const OF_CONVERSATION: OfConversation = {
  level: null,
  muted: false,
  muted_until: null,
  ignore_everyone: false,
};

export const isMuted = ({ muted, muted_until }: OfConversation, nowMs: number): boolean =>
  muted && (muted_until === null || nowMs < Date.parse(muted_until));
