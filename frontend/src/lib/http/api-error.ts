// The one error of every REST call: what the server answered, or that it did not.
import type { Problem } from './types';

/** `offline`: no answer at all; `timeout`: none in time; the rest are the codes of docs/PROTOCOL.md. */
export class ApiError extends Error {
  readonly code: string;
  /** 0 when there was no answer. */
  readonly status: number;
  /** The field of the form that broke a rule. */
  readonly field: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(problem: Pick<Problem, 'code' | 'status'> & Partial<Problem>) {
    super(problem.detail ?? problem.code);
    this.name = 'ApiError';
    this.code = problem.code;
    this.status = problem.status;
    this.field = problem.field;
    this.retryAfterMs = problem.retry_after_ms;
  }

  /** Trying again later can help, without doing anything first. */
  get temporary(): boolean {
    return (
      this.status === 0 ||
      this.status === 429 ||
      this.status === 503 ||
      this.status === 502 ||
      this.status === 504
    );
  }
}

const MESSAGES: Record<string, string> = {
  offline: 'The server cannot be reached.',
  timeout: 'The server did not answer in time.',
  bad_credentials: 'Unknown username or wrong password.',
  wrong_password: 'This is not your current password.',
  username_taken: 'This username is taken.',
  rate_limited: 'That was too much in a short time. The server asks to wait a moment.',
  log_unavailable: 'The server cannot save messages right now.',
  store_unavailable: 'The server’s database does not answer right now.',
  storage_low: 'The server has no room for messages right now.',
  overloaded: 'The server is very busy right now.',
  shutting_down: 'The server is restarting.',
  unknown_conversation: 'There is no such conversation, or you are not in it.',
  unknown_recipient: 'This person does not exist.',
  not_member: 'You are not in this room any more.',
  not_permitted: 'You may not do this in this room.',
  last_owner: 'A room needs an owner: make somebody else an owner first.',
  banned: 'You were banned from this room.',
  archived: 'This room is archived: nobody can write in it.',
  deleted: 'The message was deleted meanwhile.',
  blocked: 'One of you does not want to hear from the other.',
  too_many_reactions: 'You have put as many reactions to this message as one can.',
  edit_too_late: 'It is too long ago: messages can be edited for a while only.',
  full: 'This room is full.',
  too_many_members: 'This room is too large to tell who has read what.',
  too_many_rooms: 'You are in as many rooms as one can be in. Leave one first.',
  upgrade_needed: 'The server is being upgraded, and cannot take this yet.',
  no_room: 'There is no such room.',
  handle_taken: 'Another room has this address already.',
  too_large: 'This is too long to send.',
  client_id_reused: 'Another message was already sent under the name of this one. Retry gives it a new name.',
};

/** A sentence for people. The server's own `detail` is used for codes that say nothing by themselves. */
export function explain(code: string, detail?: string): string {
  return (
    MESSAGES[code] ??
    (detail !== undefined && detail !== code ? sentence(detail) : `Something went wrong (${code}).`)
  );
}

export function explainError(error: unknown): string {
  return error instanceof ApiError
    ? explain(error.code, error.message)
    : 'Something went wrong in this page.';
}

/** How a sentence calls what the protocol calls so. */
const FIELDS: Record<string, string> = {
  current_password: 'the current password',
  display_name: 'the name',
  handle: 'the address',
  members: 'the list of people',
  users: 'the list of people',
  title: 'the name',
  topic: 'the topic',
  new_password: 'the new password',
  password: 'this password',
  username: 'the username',
};

function sentence(detail: string): string {
  const text = detail.replace(/^[a-z_]+(?= )/, (field) => FIELDS[field] ?? field);
  const upper = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(upper) ? upper : `${upper}.`;
}
