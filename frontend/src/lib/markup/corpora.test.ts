// Real conversations through the renderer: no letter or digit is missing, no bubble and no preview is blank.
// The excerpt is part of the project; the whole corpora are read where they stand beside the checkout.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { lettersOf, shown } from '@/testing/rendered';

import { blocksOf } from './blocks';
import { sourceOf } from './nodes';
import { oneLine, plainText } from './plain-text';

const BESIDE = join(import.meta.dirname, '../../../../../shared/corpora');
const EXCERPT = join(import.meta.dirname, '../../testing/corpora/ubuntu-irc-excerpt.jsonl');
/** Whatever makes a bubble blank when nothing else is in it. */
const BLANK = /^[\s\p{Cf}]*$/u;

const textsOf = (lines: string): string[] =>
  lines
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { text: string }).text);

/** With one of these something can happen to a text besides links; of the others a part is enough. */
const MARKED = /[*_~`\\[\]>]|^[ \t]*(?:-|\d+[.)])/m;
const READ_EVERY = 8;
/** Text with addresses and nothing else is drawn as it is: of such messages a part is enough. */
const DRAWN_EVERY = 20;

/** What is wrong with the way in which a text is shown; null when nothing is. */
function fault(text: string, index: number): string | null {
  const blocks = blocksOf(text);
  if (sourceOf(blocks) !== text) return 'is not in its tree';
  if (BLANK.test(text)) return null;
  const plain = plainText(text);
  if (BLANK.test(plain) || BLANK.test(oneLine(text, 160))) return 'has a blank preview';
  if (lettersOf(plain) !== lettersOf(text)) return 'has a preview without some of its letters';
  const [only, second] = blocks;
  const plainly =
    only?.kind === 'text' && !second && only.children.every(({ kind }) => kind === 'text' || kind === 'link');
  if (plainly && index % DRAWN_EVERY > 0) return null;
  if (BLANK.test(shown(text))) return 'is a blank bubble';
  return lettersOf(shown(text)) === lettersOf(text) ? null : 'is shown without some of its letters';
}

const faults = (texts: readonly string[]) =>
  texts.flatMap((text, index) => {
    const found = fault(text, index);
    return found === null ? [] : [`${JSON.stringify(text)} ${found}`];
  });

describe('real messages', () => {
  it('of the excerpt are shown whole', () => {
    const texts = textsOf(readFileSync(EXCERPT, 'utf8'));
    expect(texts.length).toBeGreaterThan(300);
    expect(faults(texts)).toEqual([]);
  });

  for (const name of ['ubuntu-irc', 'sms-dm']) {
    const file = join(BESIDE, `${name}.jsonl.gz`);
    it.runIf(existsSync(file))(`of ${name} are shown whole`, { timeout: 60_000 }, () => {
      const texts = textsOf(gunzipSync(readFileSync(file)).toString());
      expect(texts.length).toBeGreaterThan(50_000);
      expect(faults(texts.filter((text, at) => MARKED.test(text) || at % READ_EVERY === 0))).toEqual([]);
    });
  }
});
