import { describe, expect, it } from 'vitest';

import { LINKS } from '@/testing/links';

import { findLinks, hrefOf, otherHost } from './links';

const marked = (text: string) =>
  findLinks(text)
    .toReversed()
    .reduce(
      (rest, { start, end }) => `${rest.slice(0, start)}⟦${rest.slice(start, end)}⟧${rest.slice(end)}`,
      text,
    );
const bare = (text: string) => text.replace(/[⟦⟧]/g, '');

describe('findLinks', () => {
  it.each(LINKS)('%s', (expected) => {
    expect(marked(bare(expected))).toBe(expected);
  });

  it('says where it leads', () => {
    const hrefs = (text: string) => findLinks(text).map(({ href }) => href);
    expect(hrefs('www.a.example/b franz@example.org HTTP://c.example')).toEqual([
      'https://www.a.example/b',
      'mailto:franz@example.org',
      'HTTP://c.example',
    ]);
  });

  it('ends before what cannot be seen', () => {
    expect(findLinks('https://a.example/\u202Emoc')[0]?.href).toBe('https://a.example/');
    expect(findLinks('https://a.example/b\u200Bc')[0]?.href).toBe('https://a.example/b');
  });
});

describe('hrefOf', () => {
  it('takes addresses of the web and of mail, and nothing else', () => {
    for (const good of ['https://a.example', 'HTTP://a.example/b', 'mailto:a@b.example'])
      expect(hrefOf(good)).toBe(good);
    for (const bad of [
      'javascript:alert(1)',
      '//a.example',
      '/api',
      'data:x',
      'https://',
      'mailto:',
      ' x',
      '',
    ])
      expect(hrefOf(bad), bad).toBeNull();
  });
});

describe('otherHost', () => {
  it.each([
    ['https://bank.example', 'https://evil.example/', 'evil.example'],
    ['bank.example', 'https://evil.example/bank.example', 'evil.example'],
    ['see www.bank.example now', 'https://evil.example', 'evil.example'],
    ['https://bank.example@evil.example/', 'https://bank.example@evil.example/', 'evil.example'],
    ['ｂａｎｋ．example', 'https://evil.example', 'evil.example'],
    ['ba\u200Bnk.example', 'https://evil.example', 'evil.example'],
    ['bank.example', 'https://xn--mnchen-3ya.example', 'xn--mnchen-3ya.example'],
    ['me@bank.example', 'mailto:me@evil.example', 'evil.example'],
    ['bank.example', 'mailto:me@evil.example', 'evil.example'],
    ['http://192.168.1.1/admin', 'https://evil.example', 'evil.example'],
    ['127.0.0.1', 'https://evil.example', 'evil.example'],
    ['localhost', 'https://evil.example', 'evil.example'],
    ['http://router/admin', 'https://evil.example', 'evil.example'],
    ['bank.xn--p1ai', 'https://evil.example', 'evil.example'],
    ['Bank/bank.com', 'https://evil.example', 'evil.example'],
    ['→/bank.com', 'https://evil.example', 'evil.example'],
    ['x/bank.com', 'https://evil.example', 'evil.example'],
    ['./bank.com', 'https://evil.example', 'evil.example'],
    ['bank.com@evil', 'https://evil', 'evil'],
    ['first.last@company.com', 'https://company.com', 'company.com'],
    ['me@bank.com', 'mailto:x@evil.example,me@bank.com', 'evil.example'],
    ['me@bank.com', 'mailto:x%40evil.example%2Cme@bank.com', 'evil.example'],
    ['me@bank.com', 'mailto:me@bank.com,x@bank.com', 'bank.com'],
  ])('%s that leads to %s: %s', (label, href, host) => {
    expect(otherHost(label, href)).toBe(host);
  });

  it.each([
    ['the page', 'https://evil.example'],
    ['https://a.example/index.html?next=b.example', 'https://a.example/index.html?next=b.example'],
    ['a.example', 'https://www.a.example/b'],
    ['https://münchen.example', 'https://xn--mnchen-3ya.example'],
    ['A.Example', 'https://a.example'],
    ['bank.example', 'mailto:me'],
    ['e.g. 1.5', 'https://a.example'],
    ['first.last@company.com', 'mailto:first.last@company.com'],
    ['mailto:first.last@company.com', 'mailto:first.last@company.com'],
    ['a.bb.cc+log.dd@company.com', 'mailto:a.bb.cc+log.dd@company.com'],
    ['mailto:first.last@company.com?subject=a.bb', 'mailto:first.last@company.com?subject=a.bb'],
    ['http://router/index.html', 'http://router/index.html'],
    ['192.168.1.1:8080/index.html', 'http://192.168.1.1:8080/'],
    ['a.example/b.html#c.html', 'https://a.example'],
  ])('%s that leads to %s misleads nobody', (label, href) => {
    expect(otherHost(label, href)).toBeNull();
  });

  it('is nothing for an address that is shown as it was found', () => {
    for (const text of LINKS.map(bare))
      for (const { start, end, href } of findLinks(text))
        expect(otherHost(text.slice(start, end), href), text).toBeNull();
  });
});

describe('the work', () => {
  it('grows with the text, not with its square', () => {
    const pieces = [
      'http://',
      'https://a',
      'https://a:99999/',
      'www.',
      'www.a.',
      '@',
      'a@',
      'a@b.',
      'https://a/(',
      'mailto:',
      'https://a/)',
      "'https://a/",
      '.',
      '/',
      '*https://a.example/*',
      'a.b@c.d@',
      ')]}',
      'https://a.example/x。',
    ];
    for (const piece of pieces) {
      const reads = (length: number) => charsRead(piece.repeat(Math.ceil(length / piece.length)));
      expect(reads(16_000) / reads(8_000), piece).toBeLessThan(2.5);
    }
  });
});

/** How many characters the finder looks at: counted on the tests that it makes, not timed. */
function charsRead(text: string): number {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- they are called with their `this`
  const { test, exec } = RegExp.prototype;
  let count = 0;
  RegExp.prototype.test = function (input) {
    count += input.length;
    return test.call(this, input);
  };
  RegExp.prototype.exec = function (input) {
    // The search for the next beginning reads on from where it stopped.
    count += this.global ? 1 : input.length;
    return exec.call(this, input);
  };
  try {
    findLinks(text);
  } finally {
    Object.assign(RegExp.prototype, { test, exec });
  }
  return count;
}
