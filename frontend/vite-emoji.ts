// The emoji, made from emojibase's data when the page is built: what the page needs of them and no more.
// Their short names are there from the first key on, so that `:name:` becomes the same whatever was loaded;
// the rest is a module of its own that is loaded with the picker.
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

const MODULES: Record<string, () => unknown> = {
  /** A line for each: the emoji and its short names, in the order of Unicode. */
  'virtual:emoji-codes': () => {
    const lines = rows().map(([char, , , codes]) => `${char} ${codes}`);
    return lines.join('\n');
  },
  /** `[name, group, other words]`, in the same order. */
  'virtual:emoji': () => rows().map(([, name, group, , words]) => [name, group, words]),
};

export function emoji(): Plugin {
  return {
    name: 'milena-emoji',
    resolveId: (source) => (source in MODULES ? `\0${source}` : undefined),
    load(id) {
      const made = id.startsWith('\0') ? MODULES[id.slice(1)] : undefined;
      return made && `export default ${JSON.stringify(made())};`;
    },
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
