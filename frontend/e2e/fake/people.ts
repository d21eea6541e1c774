// Who writes in the tests of the views, and what: short and long, several scripts, both directions.
import type { Person, Session } from '../../src/lib/http/types';

import { directConversation } from '../../src/lib/ids/direct-conversation';

import { ORIGIN } from './fake-backend';
import type { FakeBackend } from './fake-backend';

const person = (username: string, display_name: string): Person => ({
  id: `0192f0c1-0000-7000-8000-${hex(username).padEnd(12, '0').slice(0, 12)}`,
  username,
  display_name,
});

const hex = (text: string) => Buffer.from(text).toString('hex');

export const me = person('franz', 'Franz');
export const milena = person('milena', 'Milena Jesenská');
export const max = person('max.brod', 'Max Brod');
export const ottla = person('ottla', 'Ottla');
export const mei = person('mei', '陈美玲');
export const layla = person('layla', 'ليلى حداد');
export const long = person(
  'a_very_long_user_name_of_32_chars',
  'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamter',
);

/** The conversation with somebody. */
export const idOf = (other: Person) => directConversation(me.id, other.id) ?? '';
/** Its address. */
export const chatOf = (other: Person) => `${ORIGIN}/c/${idOf(other)}`;

export const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000);

const session = (id: string, user_agent: string, begun: number, seen: number): Session => ({
  id,
  user_agent,
  created_at: minutesAgo(begun).toISOString(),
  last_seen_at: minutesAgo(seen).toISOString(),
  expires_at: minutesAgo(-60 * 24 * 30).toISOString(),
  current: id === 'here',
});

/** A browser here, one in the pocket, one long ago, and a program. */
export const sessions = (): Session[] => [
  session('here', 'Mozilla/5.0 (X11; Linux x86_64) Chrome/142.0.0.0 Safari/537.36', 60 * 26, 0),
  session(
    'phone',
    'Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/142.0 Mobile Safari/537.36',
    60 * 24 * 12,
    7,
  ),
  session(
    'mac',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.1 Safari/605.1.15',
    60 * 24 * 400,
    60 * 30,
  ),
  session('script', 'curl/8.14.1', 95, 95),
];

/** A list and a conversation as they look in use. */
export function furnish(backend: FakeBackend): void {
  backend.people = [milena, max, ottla, mei, layla, long];
  backend.add(max, max, 'Did you burn it, as you said you would?', minutesAgo(60 * 24 * 9));
  backend.read(max);
  backend.add(long, me, 'https://en.wikipedia.org/wiki/Longest_word_in_German', minutesAgo(60 * 24 * 3));
  backend.read(long);
  backend.add(layla, layla, 'صباح الخير! هل وصلت الرسالة الأخيرة؟ (PDF 2.0)', minutesAgo(60 * 26));
  backend.read(layla, 1);
  backend.add(mei, mei, '明天下午三点在老地方见面可以吗？我会带上那本书。', minutesAgo(190));
  backend.read(mei, 12);
  backend.add(ottla, me, 'Thanks for the parcel!', minutesAgo(95));
  backend.read(ottla);
  conversation(backend);
}

function conversation(backend: FakeBackend): void {
  const say = (who: Person, minutes: number, body: string) =>
    backend.add(milena, who, body, minutesAgo(minutes));
  say(milena, 60 * 24 * 2 + 50, 'Your letter came this morning.');
  say(milena, 60 * 24 * 2 + 49, 'I read it on the tram and missed my stop, twice.');
  say(me, 60 * 24 * 2 + 40, 'Then it was worth the postage.');
  say(me, 60 * 24 + 130, 'Is the translation done?');
  say(
    milena,
    60 * 24 + 120,
    'Almost. Three sentences resist. The one about the cage and the bird I have rewritten so often that ' +
      'neither of them knows any more who went looking for whom. Could you say it in your ' +
      'own words once more, plainly, as if you were explaining it to Ottla?',
  );
  say(
    me,
    60 * 24 + 100,
    'Plainly:\n\n1. There is a cage.\n2. There is no bird.\n3. The cage goes out to find one.',
  );
  say(milena, 60 * 24 + 99, '😄');
  say(milena, 60 * 24 + 98, 'That is worse, and much better.');
  say(
    me,
    34,
    'I looked the word up: https://en.wikipedia.org/wiki/Letter_(message). It says nothing about trams.',
  );
  say(milena, 31, '我在学中文：你好吗？');
  say(
    me,
    30,
    'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft, as you asked',
  );
  say(milena, 4, 'See you at the station on Saturday, then.');
  say(milena, 3, 'Platform two. I’ll be the one with the missing gloves.');
  backend.read(milena, 2);
}

/** What Markdown can do, in both directions of a conversation. */
export function formatted(backend: FakeBackend): void {
  const say = (who: Person, minutes: number, body: string) =>
    backend.add(max, who, body, minutesAgo(minutes));
  say(max, 41, 'Where do the drafts go? **Not** into the fire, I hope 🔥');
  say(
    me,
    39,
    'Into the log, where nobody can burn them:\n\n```rust\n/// Accepted means durable.\n' +
      'pub fn accepted(ack: Ack) -> bool {\n    ack.replicas >= 3 // and not a letter less\n}\n```',
  );
  say(
    max,
    37,
    '> nobody can burn them\n\nI promised to *try*. Three things before Friday:\n\n' +
      '1. the trial, ~~all of it~~ as it is\n2. `castle.txt`\n3. [the list](https://example.org/list)',
  );
  say(me, 36, 'You will burn nothing.\n- [x] promised\n- `git push --force` is **forbidden**');
  say(max, 35, '👍');
  backend.thread(max).conversation.other_last_read = backend.thread(max).conversation.last_position;
  backend.read(max);
}

/** Conversations in which nothing is short or left to right. */
export function scripts(backend: FakeBackend): void {
  const say = (person: Person, who: Person, minutes: number, body: string) =>
    backend.add(person, who, body, minutesAgo(minutes));
  say(layla, layla, 58, 'وصلت بالأمس، مع ثلاثة طوابع بريدية وخط لا يُقرأ 🙂');
  say(layla, me, 55, 'Was it the **blue** envelope?');
  say(layla, layla, 54, 'نعم، الأزرق. راجع https://example.org/رسائل?id=42 ثم أخبرني.');
  say(layla, me, 51, 'تمام:\n\n1. الظرف الأزرق\n2. الطابع (PDF 2.0)\n3. `letters/2024.txt`');
  say(layla, layla, 50, '> الظرف الأزرق\n\nهذا هو. שלום גם לך!');
  say(long, long, 30, `${'Rindfleischetikettierungsüberwachungs'.repeat(4)}gesetz`);
  say(long, me, 29, `\`${'a'.repeat(140)}\` and https://example.org/${'path/'.repeat(40)}`);
  say(
    long,
    long,
    28,
    `| who | what | ${'a very wide column '.repeat(6)}|\n|---|---|---|\n| Ottla | bread | none |\n\n` +
      '```sql\nSELECT sender_id, count(*) AS letters FROM messages WHERE conversation_id = $1 ' +
      'GROUP BY sender_id ORDER BY letters DESC;\n```',
  );
  say(mei, me, 20, '好的。要带伞吗？天气预报说明天下午有雨，而且老地方的屋檐很窄。');
  say(mei, mei, 19, '带吧！顺便把《城堡》也还给我，借了三年零四个月了。😄');
  say(mei, mei, 18, '「世界」、（括号）和 English 混排，数字１２３与123。');
}
