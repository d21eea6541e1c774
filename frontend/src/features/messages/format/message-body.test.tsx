import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { sourceOf } from '@/lib/markup/nodes';
import { blocksOf } from '@/lib/markup/blocks';
import { plainText } from '@/lib/markup/plain-text';
import { LINKS } from '@/testing/links';
import { lettersOf, markupOf, shown } from '@/testing/rendered';

import { isEmojiOnly } from './detect';

describe('what means something', () => {
  it.each([
    ['**bold** *it* _it_ ~~gone~~', '<p><strong>bold</strong> <em>it</em> <em>it</em> <s>gone</s></p>'],
    ['***both*** **a *b***', '<p><strong><em>both</em></strong> <strong>a <em>b</em></strong></p>'],
    ['***a* b** _**x**_', '<p><strong><em>a</em> b</strong> <em><strong>x</strong></em></p>'],
    ['**a\nb**', '<p><strong>a\nb</strong></p>'],
    [
      '(*so*), "**so**"! **so**: _so_.',
      '<p>(<em>so</em>), &quot;<strong>so</strong>&quot;! <strong>so</strong>: <em>so</em>.</p>',
    ],
    ['这是**重点**的', '<p>这是<strong>重点</strong>的</p>'],
    [
      '`a <b> *c*` ``x`y`` `` `z` ``',
      '<p><code>a &lt;b&gt; *c*</code> <code>x`y</code> <code>`z`</code></p>',
    ],
    ['`Vec`s', '<p><code>Vec</code>s</p>'],
    ['> said\n> so\n\nwell', '<blockquote><p>said\nso</p></blockquote><p>well</p>'],
    ['> > a\n> b', '<blockquote><blockquote><p>a</p></blockquote><p>b</p></blockquote>'],
    ['> - a\n> - b', '<blockquote><ul><li>a</li><li>b</li></ul></blockquote>'],
    [
      '- a\n- b\n  - c\n- **d**',
      '<ul><li>a</li><li>b<ul><li>c</li></ul></li><li><strong>d</strong></li></ul>',
    ],
    ['1. a\n2. b\n- c', '<ol><li value="1">a</li><li value="2">b</li></ol><ul><li>c</li></ul>'],
    ['\\*not\\* **yes**', '<p>*not* <strong>yes</strong></p>'],
    ['[a **b**](https://a.example/(b))', '<a href="https://a.example/(b)">a <strong>b</strong></a>'],
    [
      '**https://a.example/b.**',
      '<p><strong><a href="https://a.example/b">https://a.example/b</a>.</strong></p>',
    ],
  ])('%j', (text, expected) => {
    expect(markupOf(text)).toBe(expected);
  });

  it('keeps code as it is, with its language in view', () => {
    const markup = markupOf('```rust\nfn main() {\n    <b>*x*</b>\n}\n```');
    expect(markup).toContain('fn main() {\n    &lt;b&gt;*x*&lt;/b&gt;\n}</code>');
    expect(markup).toContain('<span>rust</span>');
    expect(markup).toContain('aria-label="Code, rust"');
  });
});

/** Texts of which every visible character is shown. */
const AS_TYPED = [
  'plain',
  // Marks that people mean as something else.
  '2*3*4',
  'a*b + c*d',
  '2 * 3 * 4',
  '(a)*(b)*(c)',
  'f(x)*g(y)*h',
  'x**2 + y**2',
  'snake_case_name',
  '__init__.py',
  'char **argv, *p',
  '/*foo*/ //*bar*',
  'rm *.tar.* .*foo.*',
  '*foo*.txt',
  '**/foo/**',
  'a **  ** b',
  '****',
  '~~~~',
  '*-* *_* ^_^ -_- >_< (*^_^*) T_T',
  '*_* cute *_*',
  '*_* cute\n*_*',
  '_*_ a _*_',
  '**_** a **_**',
  '(*_*) a (*_*)',
  'so *_*, so *_*.',
  '*Required. Fields (*) are optional',
  '¯\\_(ツ)_/¯',
  'don`t, it`s',
  '` `',
  '~~ so ~~',
  '明天****项目，**吧',
  'f*** you, **** it',
  '* * * * * /run',
  '* 5 * * * /run',
  '- - -',
  '***',
  '___',
  '-- Franz',
  '+ 5',
  '-5',
  // Backslashes.
  'C:\\Users\\_me',
  'C:\\_dir\\*',
  '\\\\server\\share',
  'PS1="\\[\\e[0m\\]\\u@\\h:\\w\\$"',
  // Quotes, lists and code that are none.
  '>_<',
  '>5 people',
  '> ',
  '>',
  '>\n> ',
  '1.',
  '- ',
  '1. \n2. ',
  '1.5 kg',
  '-a',
  '1)a',
  '~~~Pleaseeee',
  '```so it goes',
  '```\nnever closed',
  '```\n\n```',
  '~~~\ncode\n~~~',
  '``` a b\nc\n```',
  '# not a heading',
  'a\n===\nb\n---',
  '| a | b |\n|---|---|\n| 1 | 2 |',
  '[a]: /note',
  '&amp; &#65;',
  '<b>bold</b>',
  // Spaces and art.
  '    indented',
  'a\n\n\n\nb   c',
  '  /\\_/\\\n ( o.o )\n  > ^ <',
  '\ttab\t',
  // Links that would show nothing, or lead nowhere.
  '[](https://)',
  '[ ](x)',
  '[x]()',
  '[x](/api/v1/logout)',
  '[x](javascript:alert(1))',
  '![x](data:y)',
];

describe('what means nothing', () => {
  it.each(AS_TYPED)('%j is shown as it was typed', (text) => {
    expect(markupOf(text)).not.toContain('<');
    expect(shown(text)).toBe(text);
  });

  it('looks the same beside what means something', () => {
    for (const text of AS_TYPED)
      for (const other of ['**bold**', '[link](https://a.example)', '`code`']) {
        expect(shown(`${text}\n\n${other}`), text).toBe(`${text}\n\n${shown(other)}`);
        expect(shown(`${text}\n\n\n- item`), text).toContain(text);
      }
  });

  it('stays beside quotes and lists, each as far as it reaches', () => {
    expect(markupOf('> What time?\nAt five')).toBe(
      '<blockquote><p>What time?</p></blockquote><p>At five</p>',
    );
    expect(markupOf('5. b\n7. c')).toBe('<ol><li value="5">b</li><li value="7">c</li></ol>');
    expect(shown('007) x\n1) y')).toBe('007) x1) y');
    expect(markupOf('- a\n- \n- b')).toBe('<ul><li>a</li></ul><p>- </p><ul><li>b</li></ul>');
    expect(markupOf('- a\n  more')).toBe('<ul><li>a</li></ul><p>  more</p>');
    expect(shown('[](https://a.example) **x**')).toBe('[](https://a.example) x');
  });

  it('takes a backslash away only where it kept something from happening', () => {
    expect(shown('\\> a')).toBe('> a');
    expect(shown('1\\. a')).toBe('1. a');
    expect(shown('\\`a\\`, \\[a](https://a.example/)')).toBe('`a`, [a](https://a.example/)');
    expect(shown('\\** and \\_ and \\`')).toBe('\\** and \\_ and \\`');
  });
});

describe('depth', () => {
  it('loses nothing', () => {
    const lists = Array.from({ length: 80 }, (_, i) => `${'  '.repeat(i)}- item${i}`).join('\n');
    expect(lettersOf(shown(lists))).toBe(lettersOf(lists));
    expect(markupOf(lists).split('<ul>').length - 1).toBe(6);
    expect(shown(`${'> '.repeat(2_000)}deep`)).toMatch(/deep$/);
    expect(markupOf(`${'> '.repeat(2_000)}deep`).split('<blockquote>').length - 1).toBe(4);
    const stars = '*a **b _c '.repeat(500) + 'c_ b** a* '.repeat(500);
    expect(lettersOf(shown(stars))).toBe(lettersOf(stars));
  });
});

/** What random texts are made of. */
const PIECES = [
  ...[
    '*',
    '**',
    '***',
    '_',
    '__',
    '~~',
    '~',
    '`',
    '``',
    '```',
    '~~~',
    '[',
    ']',
    '(',
    ')',
    '](',
    '\\',
    '<',
    '>',
    '!',
    '|',
    '#',
  ],
  ...[
    '> ',
    '- ',
    '* ',
    '1. ',
    '7) ',
    '  - ',
    '    ',
    ' ',
    ' ',
    '\n',
    '\n',
    '\n\n',
    '\t',
    '```js\n',
    '\n```\n',
    '\n> ',
    '\n- ',
  ],
  ...[
    'a',
    'b',
    'Wort',
    '5',
    '42',
    '谢谢',
    'ü',
    'é',
    '。',
    '😀',
    '👩‍👩‍👧',
    "'",
    '"',
    '.',
    ',',
    ':',
    '-',
    '—',
    '¯',
    'صباح',
  ],
  ...[
    'https://a.example/x_y',
    'https://b.example/(a)',
    'www.c.example',
    'f@g.example',
    'C:\\d',
    'snake_case',
    '2*3',
  ],
];
const RANDOM = fc.array(fc.constantFrom(...PIECES), { maxLength: 60 }).map((pieces) => pieces.join(''));
const RUNS = { numRuns: Number(process.env.RUNS ?? 400) };

describe('of any text', () => {
  it('every character is in the tree, in order', () => {
    fc.assert(
      fc.property(fc.oneof(RANDOM, fc.string({ unit: 'grapheme' })), (text) => {
        expect(sourceOf(blocksOf(text))).toBe(text);
      }),
      RUNS,
    );
  });

  it('every letter and digit is shown, in order, and nothing is blank', () => {
    fc.assert(
      fc.property(RANDOM, (random) => {
        // The address behind a label is not shown: that is what a label is for.
        const text = random.replaceAll('](', '] (');
        expect(lettersOf(shown(text))).toBe(lettersOf(text));
        expect(shown(text).replace(/\s/g, '') === '').toBe(text.trim() === '');
        expect(plainText(text).trim() === '').toBe(text.trim() === '');
        expect(lettersOf(plainText(text).replaceAll('js', ''))).toBe(lettersOf(text.replaceAll('js', '')));
      }),
      RUNS,
    );
  });

  it('the same words look the same, whatever else is in the message', () => {
    const inside = (text: string) =>
      markupOf(text)
        .replace(/<\/?p>/g, '')
        .trimEnd();
    fc.assert(
      fc.property(RANDOM, (text) => {
        fc.pre(text.trim() !== '' && !text.includes('```'));
        expect(inside(`${text}\n\n**x**`).startsWith(inside(text))).toBe(true);
      }),
      RUNS,
    );
  });
});

describe('hostile texts', () => {
  it('are never markup, and never load or run anything', () => {
    const markup = markupOf(
      '**a** ![x](https://a.example/p.png) <img src=x onerror=alert(1)> ' +
        '<script>x</script> [x](data:text/html,x)',
    );
    expect(markup).not.toMatch(/<(?:img|script)/);
    for (const bad of [
      'javascript:alert(1)',
      'JaVaScRiPt:alert(1)',
      '&#106;avascript:alert(1)',
      'java\tscript:alert(1)',
      'vbscript:x',
      'data:text/html,<script>alert(1)</script>',
      'file:///etc/passwd',
      '//evil.example',
      '/api',
    ])
      expect(markupOf(`**a** [x](${bad}) <${bad}> ![x](${bad})`), bad).not.toContain('href');
  });

  it('show where a link really leads when its label looks like another address', () => {
    expect(markupOf('[https://bank.example](https://evil.example/x)')).toContain('(evil.example)</bdi>');
    expect(markupOf('https://bank.example@evil.example/')).toContain('(evil.example)</bdi>');
    expect(markupOf('[me@bank.com](mailto:x@evil.example,me@bank.com)')).toContain('(evil.example)</bdi>');
    expect(markupOf('first.last@company.com mailto:first.last@company.com')).not.toContain('<bdi>');
    expect(markupOf('[the page](https://a.example) https://a.example/index.html')).not.toContain('<bdi>');
  });
});

describe('addresses', () => {
  const AROUND: [string, (text: string) => string][] = [
    ['alone', (text) => text],
    ['in bold', (text) => `**${text}**`],
    ['in a quote', (text) => `> ${text}`],
    ['in a list', (text) => `- ${text}`],
    ['in parentheses', (text) => `(${text})`],
    ['behind a name', (text) => `@franz ${text}`],
  ];
  // What stands in code is not pressed.
  const texts = LINKS.filter((text) => !text.includes('`'));

  it.each(AROUND)('are the same links %s', (_, around) => {
    for (const marked of texts) {
      const links = [...marked.matchAll(/⟦([^⟧]*)⟧/g)].map(([, address = '']) => address);
      const text = around(marked.replace(/[⟦⟧]/g, ''));
      const seen = [...markupOf(text).matchAll(/<a [^>]*>(.*?)<\/a>/g)].map(([, label = '']) =>
        unescaped(label),
      );
      expect(seen, text).toEqual(links);
    }
  });
});

const unescaped = (markup: string) =>
  markup
    .replace(/<[^>]*>/g, '')
    .replaceAll('&#x27;', "'")
    .replaceAll('&amp;', '&');

describe('isEmojiOnly', () => {
  it('knows emoji of several characters, and few of them', () => {
    for (const text of ['😄', '👩‍👩‍👧 🇨🇿', '❤️❤️', ' 👍🏽 ']) expect(isEmojiOnly(text), text).toBe(true);
    for (const text of ['', '1', 'a 😄', '😄'.repeat(7), '*', '😄'.repeat(4_000)])
      expect(isEmojiOnly(text), text).toBe(false);
  });
});
