// Finds the end of code by the runs of backticks of a text, which are counted once.
import { charAt, charBefore, isWord } from './delimiters';

const VISIBLE = /[^\s\p{Cf}]/u;

export class CodeRuns {
  readonly #text: string;
  #runs: Map<number, number[]> | null = null;

  constructor(text: string) {
    this.#text = text;
  }

  /** Where the marks begin that end the code after these; code stays in its line and out of words. */
  closeOf(at: number, length: number): number | null {
    const text = this.#text;
    if (isWord(charBefore(text, at))) return null;
    this.#runs ??= runsOf(text);
    const close = firstAfter(this.#runs.get(length) ?? [], at);
    if (close === undefined) return null;
    const inside = text.slice(at + length, close);
    if (inside.includes('\n') || !VISIBLE.test(inside)) return null;
    // `Vec`s is code, don`t … it`s is not.
    return isWord(charAt(text, close + length)) && /\s/.test(inside) ? null : close;
  }
}

function runsOf(text: string): Map<number, number[]> {
  const runs = new Map<number, number[]>();
  for (const { index, 0: run } of text.matchAll(/`+/g)) {
    const known = runs.get(run.length);
    if (known) known.push(index);
    else runs.set(run.length, [index]);
  }
  return runs;
}

/** The first of ascending numbers that is greater than `than`. */
function firstAfter(numbers: readonly number[], than: number): number | undefined {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? 0) > than) high = middle;
    else low = middle + 1;
  }
  return numbers[low];
}
