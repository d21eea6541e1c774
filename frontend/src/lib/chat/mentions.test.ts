import { describe, expect, it } from 'vitest';

import type { Person } from '@/lib/http/types';

import { toNames, toTokens, toTyped } from './mentions';

const id = (n: number) => `0192f0c1-0000-7000-8000-00000000000${n}`;
const person = (n: number, username: string, display_name: string): Person => ({
  id: id(n),
  username,
  display_name,
});
const me = person(0, 'me', 'Me');
const ann = person(1, 'ann', 'Ann');
const dots = person(2, 'max.brod', 'Max Brod');
const people = [me, ann, dots];
const names = { me, people: Object.fromEntries(people.map((one) => [one.id, one])) };

describe('people who are named', () => {
  it.each([
    ['hi @ann!', `hi <@${ann.id}>!`, [ann.id]],
    ['@Ann, @max.brod. and @me', `<@${ann.id}>, <@${dots.id}>. and <@${me.id}>`, [ann.id, dots.id, me.id]],
    ['**@ann** said\n> @ann', `**<@${ann.id}>** said\n> <@${ann.id}>`, [ann.id]],
    ['write to joe@ann.example or https://x.example/@ann', null, []],
    ['`@ann` and\n```\n@ann\n```', null, []],
    ['@nobody and @annabel', null, []],
    ['@everyone', null, []],
  ])('%s', (typed, body, mentions) => {
    const said = toTokens(typed, people, false);
    expect(said).toEqual({ body: body ?? typed, mentions, everyone: false });
    expect(toTyped(said.body, names).toLowerCase()).toBe(typed.toLowerCase());
  });

  it('are everybody where one may call them', () => {
    expect(toTokens('@everyone: tea', people, true)).toEqual({
      body: '<@everyone>: tea',
      mentions: [],
      everyone: true,
    });
  });

  it('are read by the name that they have now', () => {
    const renamed = { ...names, people: { ...names.people, [ann.id]: { ...ann, display_name: 'Anna K.' } } };
    expect(toNames(`hi <@${ann.id}> <@everyone> <@${id(9)}>`, renamed)).toBe(
      'hi @Anna K. @everyone @Somebody',
    );
    expect(toTyped(`<@${id(9)}>`, names)).toBe(`<@${id(9)}>`);
  });

  it('are at most fifty', () => {
    const many = Array.from({ length: 60 }, (_, n) => ({
      id: `0192f0c1-0000-7000-8000-${String(n).padStart(12, '0')}`,
      username: `user${n}`,
      display_name: `User ${n}`,
    }));
    const said = toTokens(many.map(({ username }) => `@${username}`).join(' '), many, false);
    expect(said.mentions).toHaveLength(50);
    expect(said.body).toContain('@user55');
  });
});
