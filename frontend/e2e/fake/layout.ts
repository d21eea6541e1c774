// What can be measured of a layout: whether anything is cut off or covered, whether fingers can hit what is
// to be pressed, and whether the keyboard's place can be seen. All of it is judged by the rendered page, not
// by its style sheets.
import type { Page } from '@playwright/test';

/** Fingers hit 44 px reliably. One pixel of it may belong to a neighbour. */
const REACH_PX = 21;

/** How much wider than the screen the page is; 0 when one never scrolls sideways. */
export const excessWidth = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

/** Controls in view of which a finger would miss a part, with what it would hit instead. */
export function smallTargets(page: Page): Promise<string[]> {
  return page.evaluate((reach) => {
    const found: string[] = [];
    const all = 'button, a[href], input, textarea, label:has(input), [role="option"]';
    for (const element of document.querySelectorAll<HTMLElement>(all)) {
      // What stands in a line of text is as high as the line.
      if (getComputedStyle(element).display === 'inline') continue;
      const box = element.getBoundingClientRect();
      const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
      const ours = (left: number, top: number) => {
        const hit = document.elementFromPoint(left, top);
        return hit !== null && (element.contains(hit) || (hit.contains(element) && hit.matches('label')));
      };
      const inView = x > reach && y > reach && x < innerWidth - reach && y < innerHeight - reach;
      if (box.width < 2 || !inView || !ours(x, y)) continue;
      const missed = [
        [x - reach, y],
        [x + reach, y],
        [x, y - reach],
        [x, y + reach],
      ].some(([left, top]) => !ours(left ?? 0, top ?? 0));
      // What is half out of its scroller is whole after scrolling.
      let around = element.parentElement;
      while (around && !/auto|scroll/.test(getComputedStyle(around).overflowY)) around = around.parentElement;
      const scroller = around?.getBoundingClientRect();
      const cut = scroller && (box.top < scroller.top || box.bottom > scroller.bottom);
      if (missed && !cut) found.push(`${element.outerHTML.slice(0, 120)} ${box.width}×${box.height}`);
    }
    return found;
  }, REACH_PX);
}

/** Texts that somebody sees a part of only, without an ellipsis and without a way to scroll to the rest. */
export function cutTexts(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (node.textContent?.trim() === '' || !node.parentElement?.checkVisibility()) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const text = range.getBoundingClientRect();
      for (let box: HTMLElement | null = node.parentElement; box; box = box.parentElement) {
        const style = getComputedStyle(box);
        if (style.clipPath !== 'none' || style.textOverflow === 'ellipsis') break;
        const edge =
          box === document.body ? new DOMRect(0, 0, innerWidth, innerHeight) : box.getBoundingClientRect();
        const slack = 1 + (style.overflowY === 'clip' ? parseFloat(style.overflowClipMargin) || 0 : 0);
        const wide = text.left < edge.left - slack || text.right > edge.right + slack;
        const high = text.top < edge.top - slack || text.bottom > edge.bottom + slack;
        const hidden = (overflow: string) => overflow === 'hidden' || overflow === 'clip';
        if ((wide && hidden(style.overflowX)) || (high && hidden(style.overflowY)))
          found.push(`${node.textContent?.slice(0, 60)} in ${box.className}`);
        // From here on it can be scrolled into view, or lies above everything else.
        if (/auto|scroll/.test(style.overflowY) || box.matches('dialog, [popover]')) break;
      }
    }
    return found;
  });
}

/** Pairs of these that lie over each other, and those that are not wholly on the screen. */
export function collisions(page: Page, selectors: string[]): Promise<string[]> {
  return page.evaluate((names) => {
    const boxes = names.flatMap((name) => {
      const box = document.querySelector(name)?.getBoundingClientRect();
      return box && box.width > 0 ? [{ name, box }] : [];
    });
    const found = boxes
      .filter(
        ({ box }) =>
          box.left < -1 || box.top < -1 || box.right > innerWidth + 1 || box.bottom > innerHeight + 1,
      )
      .map(({ name }) => `${name} is partly off the screen`);
    boxes.forEach(({ name, box: a }, index) => {
      for (const { name: other, box: b } of boxes.slice(index + 1))
        if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
          found.push(`${name} and ${other}`);
    });
    return found;
  }, selectors);
}

/**
 * What has the focus, by its name; fails unless it is marked by an outline of at least 2 px on itself or on
 * its field.
 */
export function focusMark(page: Page): Promise<{ name: string; marked: boolean }> {
  return page.evaluate(() => {
    const element = document.activeElement as HTMLElement;
    const label = 'labels' in element ? (element as HTMLInputElement).labels?.[0]?.textContent : undefined;
    const name = element.ariaLabel ?? label ?? element.textContent;
    const outlined = (candidate: Element | null, levels: number): boolean => {
      if (!candidate || levels === 0) return false;
      const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(candidate);
      const seen =
        outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 && outlineColor !== 'rgba(0, 0, 0, 0)';
      return seen || outlined(candidate.parentElement, levels - 1);
    };
    return { name: name.trim(), marked: outlined(element, 3) };
  });
}
