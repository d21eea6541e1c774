// Keeps a text field as high as what is written in it.
import { useEffect } from 'react';
import type { RefObject } from 'react';

/** More than this is higher than the box may be. */
const MEASURED_CHARS = 20_000;

/**
 * As high as its text, up to the limit of the style sheet. Measured without a moment in which the box is low:
 * the messages above would become higher for it, and scroll.
 */
export function fit(area: HTMLTextAreaElement | null): void {
  const box = area?.parentElement;
  if (!area || !box) return;
  // Of so much text the height is known, and finding it out takes long.
  if (area.value.length > MEASURED_CHARS) {
    area.style.height = '100vh';
    return;
  }
  const { scrollTop } = area;
  box.style.minHeight = `${box.offsetHeight}px`;
  area.style.height = 'auto';
  area.style.height = `${area.scrollHeight}px`;
  box.style.minHeight = '';
  area.scrollTop = scrollTop;
}

/** Another width breaks the lines elsewhere, and so do other letters. */
export function useFitToWidth(area: RefObject<HTMLTextAreaElement | null>): void {
  useEffect(() => {
    const element = area.current;
    if (!element) return;
    let width = element.clientWidth;
    const refit = () => fit(element);
    const observer = new ResizeObserver(() => {
      if (element.clientWidth === width) return;
      width = element.clientWidth;
      refit();
    });
    observer.observe(element);
    document.fonts.addEventListener('loadingdone', refit);
    return () => {
      observer.disconnect();
      document.fonts.removeEventListener('loadingdone', refit);
    };
  }, [area]);
}
