// Finds addresses in a text: `http://`, `https://`, `mailto:`, `www.` and e-mail. The only finder of the
// page, so that an address is the same link whatever stands around it. Work is linear: what can be refused is
// refused before it was read far.
//
// linkify-it 6 was tried on the table of links.test.ts: it finds no address beside Chinese words or
// punctuation, and takes `main.rs` and `root@127.0.0.1` for addresses.

export interface FoundLink {
  start: number;
  end: number;
  href: string;
}

const HOST_MAX_CHARS = 253;
const LOCAL_MAX_CHARS = 64;

const START = /https?:\/\/|mailto:|www\.|@/gi;
const HOST_CHAR = /[\p{L}\p{N}\p{M}_.-]/u;
/**
 * Of scripts with spaces between words: in a Chinese sentence the address begins with its first other letter.
 */
const LOCAL_CHAR = /[\p{sc=Latin}\p{sc=Cyrillic}\p{sc=Greek}\p{N}_.%+'-]/u;
/** What an address of e-mail does not begin with. */
const LOCAL_TRIM = /^[^\p{L}\p{N}_]+/u;
/**
 * At least two labels, the last one of letters: `www.` and e-mail only, for with a scheme `localhost` is a
 * host, too.
 */
const DOMAIN = /^[\p{L}\p{N}_-]+(?:\.[\p{L}\p{N}\p{M}_-]+)*\.(?:xn--[a-z0-9-]+|[\p{L}\p{M}]{2,})$/iu;
/** The last label is of one script: `a.example` ends where the Chinese sentence goes on. */
const RUN_ON = /\.[a-z]{2,}(?=[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Thai}])/iu;
/**
 * No part of an address: space, controls, invisible and bidi marks, quotes, punctuation of CJK and its
 * full-width forms.
 */
const STOP = new RegExp(
  String.raw`[\s\p{Cc}\p{Cf}\p{Zl}\p{Zp}<>"\x60\\“”„«»‹›…\u3001-\u3003\u3008-\u3011\u3014-\u301F` +
    String.raw`\uFF01-\uFF0F\uFF1A-\uFF20\uFF3B-\uFF40\uFF5B-\uFF65]`,
  'u',
);
const TRAILING = /[.,;:!?'’([{·、]/;
const CLOSING: Record<string, string> = { ')': '(', ']': '[', '}': '{' };

export function findLinks(text: string): FoundLink[] {
  const found: FoundLink[] = [];
  START.lastIndex = 0;
  for (let match = START.exec(text); match; match = START.exec(text)) {
    const link = linkAt(text, match.index, match[0].toLowerCase(), found.at(-1)?.end ?? 0);
    if (!link) continue;
    found.push(link);
    START.lastIndex = link.end;
  }
  return found;
}

/**
 * Whether a text that somebody declared to be an address is one, and nothing else (`javascript:` and the
 * like).
 */
export function hrefOf(address: string): string | null {
  const scheme = /^(?:https?:\/\/|mailto:)(?=\S)/i.exec(address)?.[0];
  return scheme !== undefined && URL.canParse(address) ? address : null;
}

function linkAt(text: string, at: number, start: string, from: number): FoundLink | null {
  if (start === '@') return mailAt(text, at, from);
  if (start === 'mailto:') {
    const begin = at + start.length;
    const sign = text.slice(begin, begin + LOCAL_MAX_CHARS + 1).indexOf('@');
    const mail = sign < 0 ? null : mailAt(text, begin + sign, begin);
    if (mail?.start !== begin) return null;
    const end = text[mail.end] === '?' ? pathEnd(text, mail.end, text[at - 1]) : mail.end;
    return { start: at, end, href: text.slice(at, end) };
  }
  const www = start === 'www.';
  if (www && /[A-Za-z0-9._/@-]/.test(text[at - 1] ?? '')) return null;
  const begin = www ? at : at + start.length;
  const host = hostEnd(text, begin);
  if (host === begin) return null;
  if (www && !DOMAIN.test(text.slice(at + start.length, host))) return null;
  const prefix = www ? 'https://' : '';
  if (!URL.canParse(prefix + text.slice(at, host))) return null;
  const end = '/?#'.includes(text[host] ?? ' ') ? pathEnd(text, host, text[at - 1]) : host;
  return { start: at, end, href: prefix + text.slice(at, end) };
}

/** Host with what may stand before it (`user@`) and after it (`:8080`). */
function hostEnd(text: string, begin: number): number {
  if (text[begin] === '[') {
    const ip = /^\[[0-9a-f:.]{2,45}\](?::\d{1,5})?/i.exec(text.slice(begin, begin + 55));
    return begin + (ip?.[0].length ?? 0);
  }
  const user =
    /^[\w.~%!$&*+=:-]{1,100}@(?=[\p{L}\p{N}])/u.exec(text.slice(begin, begin + 102))?.[0].length ?? 0;
  const first = begin + user;
  let end = first;
  while (end < text.length && end - first <= HOST_MAX_CHARS) {
    const char = String.fromCodePoint(text.codePointAt(end) ?? 0);
    if (!HOST_CHAR.test(char)) break;
    end += char.length;
  }
  const runOn = RUN_ON.exec(text.slice(first, end));
  if (runOn) return first + runOn.index + runOn[0].length;
  while (end > first && /[._-]/.test(text[end - 1] ?? '')) end -= 1;
  if (end === first) return begin;
  const port = /^:\d{1,5}(?!\d)/.exec(text.slice(end, end + 7));
  return end + (port?.[0].length ?? 0);
}

/** A closing bracket belongs to the address when its opening one does, as in many links to encyclopaedias. */
function pathEnd(text: string, begin: number, before: string | undefined): number {
  const open: string[] = [];
  let end = begin;
  for (; end < text.length; end += 1) {
    const char = text[end] ?? '';
    if (STOP.test(char) || (char === "'" && before === "'")) break;
    if ('([{'.includes(char)) open.push(char);
    else if (char in CLOSING && open.pop() !== CLOSING[char]) break;
  }
  // A straight one may be part of the address; a curly one, encoded there, is of the sentence.
  if (text.endsWith('’s', end)) end -= 2;
  while (end > begin && TRAILING.test(text[end - 1] ?? '')) end -= 1;
  return end;
}

function mailAt(text: string, at: number, from: number): FoundLink | null {
  const lowest = Math.max(from, at - LOCAL_MAX_CHARS);
  let start = at;
  while (start > lowest && LOCAL_CHAR.test(text[start - 1] ?? '')) start -= 1;
  // A longer one is none; after these it is part of something else: `https://a@b.c`, `@user@server`.
  start += LOCAL_TRIM.exec(text.slice(start, at))?.[0].length ?? 0;
  const local = text.slice(start, at);
  if (local === '' || local.endsWith('.') || /[~@/]/.test(text[start - 1] ?? '')) return null;
  if (start === lowest && start > from && LOCAL_CHAR.test(text[start - 1] ?? '')) return null;
  const end = hostEnd(text, at + 1);
  // `git@host.example:path` is for programs.
  if (!DOMAIN.test(text.slice(at + 1, end)) || /^:[^\s]/.test(text.slice(end, end + 2))) return null;
  const href = `mailto:${text.slice(start, end)}`;
  return URL.canParse(href) ? { start, end, href } : null;
}

/** What a reader takes for an address without a scheme. */
const HOSTS = [
  String.raw`(?:[\p{L}\p{N}_-]{1,63}[.。．]){1,9}(?:xn--[a-z0-9-]{1,59}|[\p{L}\p{M}]{2,63})`,
  String.raw`(?:\d{1,3}[.。．]){3}\d{1,3}`,
  'localhost',
];
/** With what stands behind it, which is nobody's name: `a.example/index.html`. */
const LOOKS_LIKE_HOST = new RegExp(
  String.raw`(?<![\p{L}\p{N}_-])(${HOSTS.join('|')})(?![\p{L}\p{N}_-])(?:(?::\d{1,5})?[/?#]\S*)?`,
  'giu',
);

const LABEL_MAX_CHARS = 2_000;
/** With a scheme any name is a host, and what follows it is its path. */
const PATH = /(https?:\/\/[^\s/?#\\]*)[/?#]\S*/gi;
/**
 * In an address of e-mail this is a person's name, also with a dot in it; in one of the web it is a trick.
 */
const LOCAL_PART = /[^\s@,;:<>()"/\\]{1,64}@(?=[\p{L}\p{N}])/gu;

/**
 * The host that a link really leads to, when its label looks like another one; null when nobody can be
 * misled.
 */
export function otherHost(label: string, href: string): string | null {
  const hosts = hostsOf(href);
  // What is written with invisible or wide characters is read as what it looks like.
  const visible = label
    .slice(0, LABEL_MAX_CHARS)
    .normalize('NFKC')
    .replace(/[\p{Cf}\p{M}]/gu, '');
  const seen = /^mailto:/i.test(href) ? visible.replace(LOCAL_PART, ' ') : visible;
  const named = [
    ...findLinks(seen).flatMap((link) => hostsOf(link.href)),
    ...[...seen.replace(PATH, '$1').matchAll(LOOKS_LIKE_HOST)].flatMap(([, name]) =>
      hostsOf(`http://${name}`),
    ),
  ].map(bare);
  const other = hosts.find((host) => named.some((name) => name !== bare(host)));
  // A label shows one receiver; of several the others stay unseen.
  return other ?? (hosts.length > 1 && named.length > 0 ? (hosts[0] ?? null) : null);
}

const bare = (host: string): string => host.replace(/^www\./, '');

/** One, or that of each receiver. */
function hostsOf(href: string): string[] {
  const receivers = /^mailto:([^?]*)/i.exec(href)?.[1];
  const addresses = receivers
    ?.split(/[,;]|%2c|%3b/i)
    .flatMap((receiver) => receiver.split(/@|%40/).slice(1).slice(-1))
    .map((host) => `http://${host}`);
  return (addresses ?? [href])
    .filter((address) => URL.canParse(address))
    .map((address) => new URL(address).hostname);
}
