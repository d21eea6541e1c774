// A finger that rests on something, as phones ask for its menu. Moving it is scrolling; links keep the
// browser's own menu.
import { useEffect, useRef } from 'react';
import type { MouseEvent, PointerEvent } from 'react';

const REST_MS = 500;
const MOVED_PX = 10;

/** `others`: what has a long press of its own. */
export function useLongPress(onLongPress: () => void, others = 'a, button') {
  const press = useRef<{ timer: ReturnType<typeof setTimeout>; x: number; y: number } | null>(null);
  function end() {
    clearTimeout(press.current?.timer);
    press.current = null;
  }
  useEffect(() => end, []);
  return {
    onPointerDown: ({ pointerType, target, clientX: x, clientY: y }: PointerEvent) => {
      end();
      if (pointerType !== 'touch' || (others !== '' && (target as Element).closest(others))) return;
      press.current = { timer: setTimeout(onLongPress, REST_MS), x, y };
    },
    onPointerMove: ({ clientX, clientY }: PointerEvent) => {
      const { x, y } = press.current ?? { x: clientX, y: clientY };
      if (Math.hypot(clientX - x, clientY - y) > MOVED_PX) end();
    },
    onPointerUp: end,
    onPointerCancel: end,
    // The browser's own menu for the same gesture.
    onContextMenu: (event: MouseEvent) => {
      if (press.current) event.preventDefault();
    },
  };
}
