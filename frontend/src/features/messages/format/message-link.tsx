// A link that somebody wrote. It opens in a new tab, which learns nothing about this one; only addresses of conversations of
// this very server open in this page.
import type { MouseEvent, ReactNode } from 'react';
import { navigate } from 'wouter/use-browser-location';

import { targetOf } from '@/config/paths';

export function MessageLink({ href, children }: { href: string; children: ReactNode }) {
  return (
    <a href={href} title={href} target="_blank" rel="noopener noreferrer nofollow" onClick={openHere}>
      {children}
    </a>
  );
}

function openHere(event: MouseEvent<HTMLAnchorElement>): void {
  const { origin, pathname } = event.currentTarget;
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  if (!plain || origin !== window.location.origin || !targetOf(pathname)) return;
  event.preventDefault();
  navigate(pathname);
}
