// What is an address and what is not, for everything that finds one.

/** A text with its links in ⟦⟧. Everything that finds an address on this page answers by this table. */
export const LINKS: readonly string[] = [
  '⟦https://a.example⟧',
  'see ⟦https://a.example/b⟧, then ⟦http://c.example⟧!',
  'Go to ⟦https://a.example/b?c=d#e⟧. Now!',
  '⟦HTTPS://A.EXAMPLE/B⟧',
  '⟦http://localhost:3000/x⟧ and ⟦http://192.168.0.1:631⟧ and ⟦http://[::1]:8080/x⟧',
  'a=⟦https://a.example/?q=1&r=2⟧;',
  '⟦https://a.example/~franz/a-b_c.d,e;f:g@h!i$j⟧',
  '⟦https://a.example/x?y=(z)&q=[1]⟧',
  // Sentences and quotes around it.
  '(see ⟦https://a.example/b⟧)',
  '(⟦https://a.example⟧).',
  '[⟦https://a.example/b⟧]',
  '"⟦https://a.example/b⟧"',
  "'⟦https://a.example/b⟧', '⟦https://c.example/d⟧'",
  '“⟦https://a.example/b⟧” «⟦https://a.example/c⟧»',
  '<⟦https://a.example/b⟧>',
  '`⟦https://a.example/b⟧`',
  '⟦https://a.example/b⟧… ⟦https://a.example/c⟧...',
  'Really: ⟦https://a.example/b⟧?!',
  // Brackets that belong to it, nested and beside each other.
  '⟦https://a.example/Letter_(message)⟧.',
  '⟦https://a.example/a(b)/c(d)⟧',
  '⟦https://a.example/a_(b_(c)_d)⟧)',
  '(⟦https://a.example/a(b)⟧)',
  // Apostrophes.
  "⟦https://a.example/it's-here⟧",
  '⟦https://a.example/it’s-here⟧',
  "⟦https://a.example/it's⟧ and ⟦https://a.example/it's⟧.",
  "⟦https://a.example⟧'s",
  '⟦https://a.example/here⟧’s',
  "'⟦https://a.example/x⟧'",
  // CJK: its punctuation ends the address, its letters may be part of it.
  '请看⟦https://a.example⟧。谢谢',
  '请看⟦https://a.example/b⟧，谢谢',
  '（见⟦https://a.example/b⟧）',
  '「⟦https://a.example/b⟧」、⟦https://c.example⟧！',
  '⟦https://a.example⟧谢谢',
  '⟦https://zh.example/wiki/卡夫卡⟧',
  // Names in other scripts.
  '⟦https://münchen.example/straße⟧',
  '⟦http://例え.テスト/⟧',
  '⟦https://example.org/رسائل?id=42⟧ ثم',
  '⟦https://a.example/ü⟧',
  // Without a scheme.
  '⟦www.a.example⟧',
  'at ⟦www.a.example/b⟧, or ⟦WWW.A.EXAMPLE⟧.',
  '请看⟦www.a.example⟧。',
  'www. www.a www.1.2 xwww.a.example',
  'main.rs a.example a.example/b e.g. 1.5',
  // E-mail.
  '⟦franz@example.org⟧',
  'Mail:⟦franz.k+log@mail.example.org⟧.',
  '<⟦franz@example.org⟧> (⟦f@example.org⟧)',
  '⟦mailto:franz@example.org?subject=x⟧!',
  '请写⟦franz@example.org⟧。',
  'me@here a@1.2 @a.example @user@server.example git@a.example:b/c.git root@127.0.0.1:/x a..@b.example.',
  // None of it.
  'javascript:alert(1) data:text/html,x ftp://a.example file:///etc https:// http://. https://?a',
  'https://-/ http:// a https://a:99999/ https:/a.example',
];
