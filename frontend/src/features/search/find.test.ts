import { describe, expect, it } from 'vitest';

import { find } from './find';

/** In the order of the list: newest activity first. A number is what is unread. */
const list = (...entries: [name: string, username: string, unread?: number][]) =>
  entries.map(([name, username, unread = 0]) => ({ names: [name, username], unread }));
const found = (query: string, candidates: ReturnType<typeof list>) =>
  find(query, candidates).map(({ names }) => names[0]);

describe('finds', () => {
  const all = list(
    ['Milena Jesenská', 'milena'],
    ['Max Brod', 'max.brod'],
    ['Ottla Davidová', 'o_davidova'],
    ['Łukasz Öß', 'lukasz'],
    ['王小明', 'xiaoming'],
    ['김민수', 'minsu'],
    ['İpek Yılmaz', 'ipek'],
    ['🦊', 'fox'],
    ["Conan O'Brien", 'conan'],
  );

  it.each([
    ['mil', 'Milena Jesenská'],
    ['JESENSKA', 'Milena Jesenská'],
    ['jesenská', 'Milena Jesenská'],
    ['mi je', 'Milena Jesenská'],
    ['je mi', 'Milena Jesenská'],
    ['brod', 'Max Brod'],
    ['@max.b', 'Max Brod'],
    ['davidova', 'Ottla Davidová'],
    ['o_d', 'Ottla Davidová'],
    ['lukasz o', 'Łukasz Öß'],
    ['öss', 'Łukasz Öß'],
    ['小明', '王小明'],
    ['민수', '김민수'],
    ['yilm', 'İpek Yılmaz'],
    ['ipek', 'İpek Yılmaz'],
    ['🦊', '🦊'],
    ['o’brien', "Conan O'Brien"],
    ['  ottla  ', 'Ottla Davidová'],
  ])('%j: %s', (query, name) => {
    expect(found(query, all)).toEqual([name]);
  });

  it.each(['', '  ', '@', 'esenska', 'milena brod', 'x y z'])('%j: nobody', (query) => {
    expect(found(query, all)).toEqual([]);
  });
});

describe('best first', () => {
  it('the whole name, then how a name begins, then how a word of it begins', () => {
    const all = list(
      ['Hanna Anna', 'hanna'],
      ['Joe', 'annabel'],
      ['Anna Karenina', 'ak'],
      ['Anna', 'a1'],
      ['Someone', 'anna'],
    );
    expect(found('anna', all)).toEqual(['Anna', 'Someone', 'Joe', 'Anna Karenina', 'Hanna Anna']);
  });

  it('of equal ones, what is unread, then the newest', () => {
    const all = list(['Ben A', 'x1'], ['Ben B', 'x2'], ['Ben C', 'x3', 2], ['Abe Ben', 'x4', 9]);
    expect(found('ben', all)).toEqual(['Ben C', 'Ben A', 'Ben B', 'Abe Ben']);
  });

  it('is quick enough for each key, with thousands', () => {
    const many = Array.from({ length: 5_000 }, (_, i) => ({
      names: [`Name Number ${i}`, `n${i}`],
      unread: 0,
    }));
    expect(find('numb 4999', many)).toHaveLength(1);
  });
});
