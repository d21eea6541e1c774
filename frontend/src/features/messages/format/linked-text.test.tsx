import { render } from '@testing-library/react';
import { describe, expect, it } from 'vitest';

import { LinkedText, splitLinks } from './linked-text';

const links = (text: string) => splitLinks(text).flatMap(({ href }) => href ?? []);

describe('splitLinks', () => {
  it('loses nothing of the text', () => {
    for (const text of [
      '',
      'a',
      'see https://a.example/b, then http://c.example!',
      'https://x.example',
      '(https://x.example)',
    ])
      expect(
        splitLinks(text)
          .map((part) => part.text)
          .join(''),
      ).toBe(text);
  });

  it('leaves the punctuation of the sentence out', () => {
    expect(links('Go to https://a.example/b?c=d#e. Now!')).toEqual(['https://a.example/b?c=d#e']);
    expect(links('(see https://a.example/b)')).toEqual(['https://a.example/b']);
    expect(links('https://a.example/Letter_(message).')).toEqual(['https://a.example/Letter_(message)']);
  });

  it('links http and https only', () => {
    expect(links('javascript:alert(1) data:text/html,x ftp://a.example www.a.example https://')).toEqual([]);
  });
});

describe('LinkedText', () => {
  it('never makes markup of the text', () => {
    const { container } = render(
      <LinkedText text={'<img src=x onerror=alert(1)> https://a.example/"onclick="x'} />,
    );
    expect(container.querySelector('img')).toBeNull();
    const link = container.querySelector('a');
    expect(link?.getAttribute('href')).toBe('https://a.example/');
    expect(link?.getAttribute('rel')).toContain('noopener');
  });
});
