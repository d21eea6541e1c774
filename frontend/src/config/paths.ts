// Every address of the page, in one place.

export const paths = {
  home: '/',
  /** `next`: the address to show after it. */
  login: (next = '/') => withNext('/login', next),
  register: (next = '/') => withNext('/register', next),
  settings: '/settings',
  conversation: (id: string) => `/c/${encodeURIComponent(id)}`,
  /** One message of it, by its position. */
  message: (id: string, position: number) => `/c/${encodeURIComponent(id)}/m/${position}`,
  /** All that names oneself. */
  mentions: '/mentions',
  /** The public rooms. */
  rooms: '/rooms',
  /** A room by its handle, to be passed on; becomes the conversation. */
  room: (handle: string) => `/r/${encodeURIComponent(handle)}`,
  /** A person; becomes the conversation once there is one. */
  person: (id: string) => `/u/${encodeURIComponent(id)}`,
};

export interface Target {
  kind: 'conversation' | 'person' | 'room';
  /** Of a room its handle. */
  id: string;
  /** The message that the address means. */
  position: number | null;
}

export function targetOf(path: string): Target | null {
  const match = /^\/([cur])\/([^/]+)(?:\/m\/(\d{1,16}))?\/?$/.exec(path);
  if (!match?.[2]) return null;
  const id = decoded(match[2]);
  if (match[1] === 'c') return { kind: 'conversation', id, position: match[3] ? Number(match[3]) : null };
  return match[3] ? null : { kind: match[1] === 'u' ? 'person' : 'room', id, position: null };
}

/** A broken escape stays as it is: it names nobody. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const DOORS = ['/login', '/register'];

export const isDoor = (path: string) => DOORS.includes(path);

/** Where to go after signing in: what was asked for before, and only ever to this page itself. */
export function nextOf(path: string, search: string): string {
  const next = ownPath(isDoor(path) ? (new URLSearchParams(search).get('next') ?? '/') : path);
  return next === null || isDoor(next.pathname) ? paths.home : next.pathname + next.search + next.hash;
}

/** Any origin that is nobody's. */
const OWN = 'http://own.invalid';

/** An address of this page as a browser reads it; null for whatever would lead elsewhere. */
function ownPath(path: string): URL | null {
  if (!path.startsWith('/') || !URL.canParse(path, OWN)) return null;
  const url = new URL(path, OWN);
  // `/.//evil.example` is a path here, and another host when it is read again.
  return url.origin === OWN && !url.pathname.startsWith('//') ? url : null;
}

function withNext(door: string, next: string): string {
  return next === '/' ? door : `${door}?next=${encodeURIComponent(next)}`;
}

export function socketUrl(location: Location = window.location): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`;
}
