// Colours code beside the page: the grammars are regular expressions, and somebody can write code for which
// they take seconds.
import { highlight } from './highlight';

self.addEventListener('message', ({ data }: MessageEvent<{ code: string; language: string }>) => {
  self.postMessage(highlight(data.code, data.language));
});
