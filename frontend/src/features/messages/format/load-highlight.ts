// The colours of code are fetched with the first block that names its language. A fetch that failed is tried again by the
// next one.

type Highlight = typeof import('./highlight');

let highlight: Promise<Highlight> | null = null;

export function loadHighlight(): Promise<Highlight> {
  highlight ??= import('./highlight').catch((error: unknown) => {
    highlight = null;
    throw error;
  });
  return highlight;
}
