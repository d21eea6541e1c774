// Two short soft notes, made by the browser: no file to load.

const NOTES = [
  { hertz: 659, at: 0 },
  { hertz: 880, at: 0.11 },
];
const LENGTH_S = 0.22;
const LOUDNESS = 0.08;
let context: AudioContext | undefined;

/** Silent where the browser allows no sound yet, because nobody has touched the page. */
export async function chime(): Promise<void> {
  try {
    context ??= new AudioContext();
    await context.resume();
    for (const { hertz, at } of NOTES) play(context, hertz, context.currentTime + at);
  } catch {
    // A browser without sound.
  }
}

function play(audio: AudioContext, hertz: number, start: number): void {
  const tone = new OscillatorNode(audio, { frequency: hertz, type: 'sine' });
  const volume = new GainNode(audio, { gain: 0 });
  volume.gain.setValueAtTime(0, start);
  volume.gain.linearRampToValueAtTime(LOUDNESS, start + 0.015);
  volume.gain.exponentialRampToValueAtTime(0.0001, start + LENGTH_S);
  tone.connect(volume).connect(audio.destination);
  tone.start(start);
  tone.stop(start + LENGTH_S);
}
