import { render } from '@testing-library/react';
import { describe, expect, it } from 'vitest';

import { isEmojiOnly, mayHaveMarkdown } from './detect';
import { formatMarkdown } from './markdown';

/** The elements that a text becomes, without attributes; null when it stays as typed. */
function html(text: string): string | null {
  const formatted = formatMarkdown(text);
  if (formatted === null) return null;
  const { container } = render(<div>{formatted}</div>);
  return container.firstElementChild!.innerHTML.replace(
    / (dir|title|target|rel|tabindex|role|class|type)="[^"]*"/g,
    '',
  );
}

function links(text: string): (string | null)[] {
  const { container } = render(<div>{formatMarkdown(text)}</div>);
  return [...container.querySelectorAll('a')].map((link) => link.getAttribute('href'));
}

describe('formatMarkdown', () => {
  it.each([
    ['**bold** *it* _it_ ~~gone~~', '<p><strong>bold</strong> <em>it</em> <em>it</em> <s>gone</s></p>'],
    ['`a <b> *c*`', '<p><code>a &lt;b&gt; *c*</code></p>'],
    ['> said\n> so\n\nwell', '<blockquote><p>said\nso</p></blockquote><p>well</p>'],
    ['- a\n- b\n  - c', '<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>'],
    ['3. c\n4. d', '<ol start="3"><li>c</li><li>d</li></ol>'],
    ['**a\nb**', '<p><strong>a\nb</strong></p>'],
    ['\\*not\\* **yes**', '<p>*not* <strong>yes</strong></p>'],
  ])('formats %j', (text, expected) => {
    expect(html(text)).toBe(expected);
  });

  it.each([
    'plain',
    '2 * 3 * 4',
    'snake_case_name',
    '# not a heading',
    'a\n===\nb\n---',
    '    indented',
    '| a | b |\n|---|---|\n| 1 | 2 |',
    '[a]: /note',
    '&amp; &#65;',
    'C:\\_dir\\*',
    'a\n\n\n\nb   c',
    '<b>bold</b>',
  ])('leaves %j as it was typed', (text) => {
    expect(html(text)).toBeNull();
  });

  it('links what is an address on the web, and nothing else', () => {
    expect(
      links(
        '*a* https://a.example/b_c_d <https://c.example> [x](https://d.example "t") <mailto:e@f.example>',
      ),
    ).toEqual(['https://a.example/b_c_d', 'https://c.example', 'https://d.example', 'mailto:e@f.example']);
    for (const bad of [
      'javascript:alert(1)',
      'JaVaScRiPt:alert(1)',
      '&#106;avascript:alert(1)',
      'java\tscript:alert(1)',
      'vbscript:x',
      'data:text/html,<script>alert(1)</script>',
      'file:///etc/passwd',
      '//evil.example',
      '/api/v1/logout',
    ])
      expect(links(`**a** [x](${bad}) <${bad}> ![x](${bad})`), bad).toEqual([]);
  });

  it('never loads an image or makes an element of HTML', () => {
    const { container } = render(
      <div>
        {formatMarkdown(
          '**a** ![x](https://a.example/p.png) <img src=x onerror=alert(1)> <script>x</script>',
        )}
      </div>,
    );
    expect(container.querySelectorAll('img, script')).toHaveLength(0);
    expect(container.textContent).toContain('<script>x</script>');
  });

  it('keeps code as it is, with the language in its label', () => {
    const { container } = render(<div>{formatMarkdown('```rust\nfn main() {\n    <b>*x*</b>\n}\n```')}</div>);
    const block = container.querySelector('pre');
    expect(block?.textContent).toBe('fn main() {\n    <b>*x*</b>\n}');
    expect(block?.getAttribute('aria-label')).toBe('Code, rust');
  });

  it('takes hostile texts of full length in reasonable work', () => {
    for (const piece of ['[', '*a ', '`', '> ', '- ', '_*', '![', '<', '~~a', '[a](', '**a '])
      expect(() => formatMarkdown(piece.repeat(8_000 / piece.length)), piece).not.toThrow();
  });

  it('formats the same text once', () => {
    expect(formatMarkdown('**once**')).toBe(formatMarkdown('**once**'));
  });
});

describe('mayHaveMarkdown', () => {
  it('is false for what people mostly write', () => {
    for (const text of ['Hello', 'at 5:30 (or so)?', 'https://a.example', '你好', '<b>', 'a-b + c', '1.5'])
      expect(mayHaveMarkdown(text), text).toBe(false);
    for (const text of ['**a**', '> a', 'b\n- a', '1. a', '[a](b)', '`a`'])
      expect(mayHaveMarkdown(text), text).toBe(true);
  });
});

describe('isEmojiOnly', () => {
  it('knows emoji of several characters, and few of them', () => {
    for (const text of ['😄', '👩‍👩‍👧 🇨🇿', '❤️❤️', ' 👍🏽 ']) expect(isEmojiOnly(text), text).toBe(true);
    for (const text of ['', '1', 'a 😄', '😄'.repeat(7), '*', '😄'.repeat(4_000)])
      expect(isEmojiOnly(text), text).toBe(false);
  });
});
