// The emoji of the picker, made from emojibase's data when the page is built: what the page needs of them and no more, a
// module of its own that is loaded with the picker.
import { createRequire } from 'node:module';

import type { Plugin } from 'vite';

interface Source {
  hexcode: string;
  label: string;
  unicode: string;
  /** Missing for the letters that flags are made of. */
  group?: number;
  order?: number;
  tags?: string[];
}

type Shortcodes = Record<string, string | string[]>;

/** Modifiers, which nobody picks alone. */
const COMPONENTS = 2;
const NAME = 'virtual:emoji';

export function emoji(): Plugin {
  const id = `\0${NAME}`;
  return {
    name: 'milena-emoji',
    resolveId: (source) => (source === NAME ? id : undefined),
    load: (wanted) => (wanted === id ? `export default ${JSON.stringify(rows())};` : undefined),
  };
}

const EMOJI = new RegExp('^\\p{RGI_Emoji}$', 'v');

/** Without the mark that asks for an emoji, where it is one by itself. */
function shortest(char: string): string {
  const bare = char.replaceAll('\uFE0F', '');
  return EMOJI.test(bare) ? bare : char;
}

/** `[emoji, name, group, short names, other words]`, in the order of Unicode. */
function rows(): [string, string, number, string, string][] {
  const require = createRequire(import.meta.url);
  const all = require('emojibase-data/en/compact.json') as Source[];
  const github = require('emojibase-data/en/shortcodes/github.json') as Shortcodes;
  const others = require('emojibase-data/en/shortcodes/emojibase.json') as Shortcodes;
  return all
    .filter(({ group }) => group !== undefined && group !== COMPONENTS)
    .sort((a, b) => (a.order ?? 0) - (b.order ?? 0))
    .map(({ hexcode, label, unicode, group, tags }) => {
      const names = [github[hexcode] ?? others[hexcode] ?? []].flat().join(' ');
      return [shortest(unicode), label, group ?? 0, names, (tags ?? []).join(' ')];
    });
}
