// The few reactions that one reaches at once, and the way to all emoji. In a sheet, or in a strip beside the
// message, above everything else.
import { useEffect, useEffectEvent, useLayoutEffect, useRef } from 'react';
import type { ReactNode } from 'react';

import { IconButton } from '@/components/ui/button';
import { isComposing } from '@/lib/keys/composing';
import type { Message } from '@/lib/http/types';

import { recentEmoji } from './emoji/recent-emoji';
import styles from './message-actions.module.css';

const COUNT = 6;
const USUAL = ['👍', '❤️', '😄', '🎉', '😮', '😢'];

interface QuickReactionsProps {
  message: Message | null;
  onPick: (emoji: string) => void;
  onMore: () => void;
}

export function QuickReactions({ message, onPick, onMore }: QuickReactionsProps) {
  const emoji = [...new Set([...USUAL.slice(0, 3), ...recentEmoji().slice(0, 3), ...USUAL])].slice(0, COUNT);
  const mine = (char: string) => message?.reactions?.some((one) => one.emoji === char && one.mine) ?? false;
  return (
    <div className={styles.quick} role="group" aria-label="React" onKeyDown={walk}>
      {emoji.map((char) => (
        <button
          key={char}
          type="button"
          aria-pressed={mine(char)}
          aria-label={char}
          onClick={() => onPick(char)}
        >
          {char}
        </button>
      ))}
      <IconButton icon="plus" label="More emoji" onClick={onMore} />
    </div>
  );
}

/** Arrows move along. */
function walk(event: React.KeyboardEvent<HTMLElement>): void {
  if (event.key !== 'ArrowRight' && event.key !== 'ArrowLeft') return;
  const all = [...event.currentTarget.querySelectorAll('button')];
  const at = all.indexOf(document.activeElement as HTMLButtonElement);
  all[(at + (event.key === 'ArrowRight' ? 1 : -1) + all.length) % all.length]?.focus();
  event.preventDefault();
  event.stopPropagation();
}

const EDGE_PX = 8;

/** Beside what opened it, wholly on the screen. Escape and a press elsewhere close it. */
export function ReactionPopover({
  at,
  onClose,
  children,
}: {
  at: DOMRect;
  onClose: () => void;
  children: ReactNode;
}) {
  const strip = useRef<HTMLDivElement>(null);
  const outside = useEffectEvent((event: Event) => {
    const target = event.target as Element;
    if (!strip.current?.contains(target) && !target.closest('[data-opens-reactions]')) onClose();
  });
  useLayoutEffect(() => {
    const element = strip.current;
    if (!element) return;
    const before = document.activeElement;
    element.showPopover();
    const { width, height } = element.getBoundingClientRect();
    const left = Math.min(window.innerWidth - width - EDGE_PX, at.left + at.width / 2 - width / 2);
    const above = at.top - height - 4;
    element.style.left = `${Math.max(EDGE_PX, left)}px`;
    element.style.top = `${above < EDGE_PX ? at.bottom + 4 : above}px`;
    element.querySelector('button')?.focus();
    return () => {
      const inside = element.contains(document.activeElement) || document.activeElement === document.body;
      if (inside && before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, [at]);
  useEffect(() => {
    const listener = (event: Event) => outside(event);
    document.addEventListener('pointerdown', listener);
    document.addEventListener('focusin', listener);
    document.addEventListener('wheel', listener, { passive: true });
    return () => {
      document.removeEventListener('pointerdown', listener);
      document.removeEventListener('focusin', listener);
      document.removeEventListener('wheel', listener);
    };
  }, []);
  return (
    <div
      ref={strip}
      popover="manual"
      className={styles.strip}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || isComposing(event.nativeEvent)) return;
        event.preventDefault();
        event.stopPropagation();
        onClose();
      }}
    >
      {children}
    </div>
  );
}
