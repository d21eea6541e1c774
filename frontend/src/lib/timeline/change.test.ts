// Whatever a connection brings in whatever order makes the same of a message: live, again after a resume, or
// in the server's own telling of it, made at any moment.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { changed, newest } from './change';
import type { Change, Changeable } from './change';

interface Shown extends Changeable {
  id: string;
}

const WRITTEN: Shown = { id: 'm', position: 1, body: 'first' };
const PEOPLE = ['me', 'ann', 'bob', 'carl', 'dora', 'emil', 'fritz'];
const EMOJI = ['👍', '🎉'];

type Wish = { who: number } & (
  { does: 'edit'; words: number } | { does: 'react'; emoji: number } | { does: 'pin' } | { does: 'delete' }
);

const wish: fc.Arbitrary<Wish> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ who: fc.nat(6), does: fc.constant('edit' as const), words: fc.nat(9) }),
  },
  {
    weight: 9,
    arbitrary: fc.record({ who: fc.nat(6), does: fc.constant('react' as const), emoji: fc.nat(1) }),
  },
  { weight: 2, arbitrary: fc.record({ who: fc.nat(6), does: fc.constant('pin' as const) }) },
  { weight: 1, arbitrary: fc.record({ who: fc.nat(6), does: fc.constant('delete' as const) }) },
);

/** What the fold lets count, and the message after each of it as a server would tell it. */
function server(wishes: readonly Wish[]): { changes: Change[]; tellings: Shown[] } {
  const changes: Change[] = [];
  const tellings: Shown[] = [WRITTEN];
  const on = new Map<string, string[]>();
  let [body, deleted] = ['first', false];
  let pinned: number | undefined;
  let edited: number | undefined;
  wishes.forEach((one, index) => {
    if (deleted) return;
    const at = 10 + index * 3;
    const by = PEOPLE[one.who] ?? '';
    const common = { at, target: 1, by };
    if (one.does === 'delete') {
      deleted = true;
      changes.push({ ...common, kind: 'deleted' });
      tellings.push({ id: 'm', position: 1, body: '', deleted: { position: at, by }, changed: at });
      return;
    }
    if (one.does === 'edit') {
      body = `words ${one.words}`;
      edited = at;
      changes.push({ ...common, kind: 'edited', body });
    } else if (one.does === 'pin') {
      pinned = pinned === undefined ? at : undefined;
      changes.push({ ...common, kind: 'pinned', on: pinned !== undefined });
    } else {
      const emoji = EMOJI[one.emoji] ?? '';
      const users = on.get(emoji) ?? [];
      const has = users.includes(by);
      on.set(emoji, has ? users.filter((user) => user !== by) : [...users, by]);
      changes.push({ ...common, kind: 'reacted', emoji, on: !has });
    }
    tellings.push({
      id: 'm',
      position: 1,
      body,
      ...(pinned === undefined ? {} : { pinned }),
      ...(edited === undefined ? {} : { edited }),
      reactions: [...on]
        .filter(([, users]) => users.length > 0)
        .map(([emoji, users]) => ({
          emoji,
          count: users.length,
          mine: users.includes('me'),
          users: users.slice(0, 5),
        })),
      changed: at,
    });
  });
  return { changes, tellings };
}

/** What is shown of it: who is named of many may differ, how many they are may not. */
function seen({ body, edited, deleted, pinned, reactions = [] }: Changeable) {
  const counted = reactions.map(({ emoji, count, mine }) => `${emoji} ${count} ${mine}`).sort();
  return { body, edited, deleted, pinned, counted };
}

describe('changes of a message', () => {
  it('make the same of it in any order, with any tellings in between, and whatever comes twice', () => {
    fc.assert(
      fc.property(fc.array(wish, { maxLength: 24 }), fc.array(fc.nat(1_000_000)), (wishes, chances) => {
        let drawn = 0;
        const next = () => (chances[drawn++ % (chances.length || 1)] ?? 0) + drawn;
        const { changes, tellings } = server(wishes);
        const last = tellings.at(-1) ?? WRITTEN;
        const any = () => tellings[next() % tellings.length] ?? WRITTEN;
        const twice = [...changes, ...changes.filter(() => next() % 3 === 0)];
        const steps: ({ change: Change } | { told: Shown })[] = [
          ...twice.map((change) => ({ change })),
          ...Array.from({ length: next() % 4 }, () => ({ told: any() })),
        ];
        const order = steps.map((step) => ({ step, at: next() % 97 })).sort((a, b) => a.at - b.at);
        let message = any();
        for (const { step } of order)
          message = 'told' in step ? newest(step.told, message) : changed(message, [step.change], 'me');
        expect(seen(message)).toEqual(seen(last));
      }),
      { numRuns: 2_000 },
    );
  });

  it('are the same object when nothing is new', () => {
    const { changes } = server([
      { who: 1, does: 'edit', words: 1 },
      { who: 0, does: 'react', emoji: 0 },
    ]);
    const after = changed(WRITTEN, changes, 'me');
    expect(changed(after, changes, 'me')).toBe(after);
    expect(newest(WRITTEN, after)).toBe(after);
  });

  it('leave nothing of the words of a deleted one, before or after', () => {
    const edit = (at: number): Change => ({ kind: 'edited', at, target: 1, by: 'ann', body: `secret ${at}` });
    const before = changed({ ...WRITTEN, body: 'secret' }, [edit(5), edit(6)], 'me');
    const after = changed(before, [{ kind: 'deleted', at: 9, target: 1, by: 'bob' }], 'me');
    expect(JSON.stringify(after)).not.toContain('secret');
    expect(changed(after, [edit(7), edit(12)], 'me')).toBe(after);
    expect(newest({ ...WRITTEN, body: 'secret', changed: 8 }, after)).toBe(after);
    const told: Shown = { id: 'm', position: 1, body: '', deleted: { position: 9, by: 'bob' }, changed: 9 };
    expect(newest(told, before)).toBe(told);
  });

  it('are kept up to a bound, and count the same beyond it', () => {
    const many = Array.from({ length: 5_000 }, (_, n): Change => ({
      kind: 'reacted',
      at: 10 + n,
      target: 1,
      by: `user ${n}`,
      emoji: '👍',
      on: true,
    }));
    const after = many.reduce<Shown>((message, change) => changed(message, [change], 'me'), WRITTEN);
    expect(after.reactions).toMatchObject([{ emoji: '👍', count: 5_000 }]);
    expect(after.reactions?.[0]?.users[0]).toBe('user 0');
    expect(after.live?.changes.length).toBeLessThanOrEqual(1_000);
  });
});
