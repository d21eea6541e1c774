import { afterEach, expect, it, vi } from 'vitest';

/** What the loudspeaker is told. */
function fakeAudio(resume: () => Promise<void>) {
  const notes: { hertz: number; from: number; to: number }[] = [];
  const loudness: number[] = [];
  vi.stubGlobal(
    'AudioContext',
    class {
      currentTime = 10;
      destination = {};
      resume = resume;
    },
  );
  vi.stubGlobal(
    'OscillatorNode',
    class {
      #note = { hertz: 0, from: 0, to: 0 };
      constructor(_: unknown, { frequency }: { frequency: number }) {
        this.#note.hertz = frequency;
      }
      connect = (next: unknown) => next;
      start(at: number) {
        this.#note.from = at;
        notes.push(this.#note);
      }
      stop(at: number) {
        this.#note.to = at;
      }
    },
  );
  vi.stubGlobal(
    'GainNode',
    class {
      gain = {
        setValueAtTime: (value: number) => loudness.push(value),
        linearRampToValueAtTime: (value: number) => loudness.push(value),
        exponentialRampToValueAtTime: (value: number) => loudness.push(value),
      };
      connect = (next: unknown) => next;
    },
  );
  return { notes, loudness };
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

it('is two soft notes, one after the other, that end', async () => {
  const { notes, loudness } = fakeAudio(() => Promise.resolve());
  const { chime } = await import('./sound');
  await chime();
  expect(notes.map(({ hertz }) => hertz)).toEqual([659, 880]);
  for (const { from, to } of notes) expect(to - from).toBeLessThan(0.5);
  expect(notes[0]!.from).toBeGreaterThanOrEqual(10);
  expect(notes[1]!.from).toBeGreaterThan(notes[0]!.from);
  expect(Math.max(...loudness)).toBeLessThanOrEqual(0.1);
});

it('is silent, without an error, where the browser forbids it or has none', async () => {
  const { notes } = fakeAudio(() => Promise.reject(new DOMException('no', 'NotAllowedError')));
  const { chime } = await import('./sound');
  await expect(chime()).resolves.toBeUndefined();
  expect(notes).toEqual([]);
  vi.resetModules();
  vi.stubGlobal('AudioContext', undefined);
  const without = await import('./sound');
  await expect(without.chime()).resolves.toBeUndefined();
});
