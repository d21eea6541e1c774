// Every address of the page, in one place.

export const paths = {
  home: '/',
  login: '/login',
  register: '/register',
  conversation: (id: string) => `/c/${encodeURIComponent(id)}`,
  /** A person; becomes the conversation once there is one. */
  person: (id: string) => `/u/${encodeURIComponent(id)}`,
};

export interface Target {
  kind: 'conversation' | 'person';
  id: string;
}

export function targetOf(path: string): Target | null {
  const match = /^\/([cu])\/([^/]+)\/?$/.exec(path);
  if (!match?.[2]) return null;
  return { kind: match[1] === 'c' ? 'conversation' : 'person', id: decodeURIComponent(match[2]) };
}

export function socketUrl(location: Location = window.location): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`;
}
