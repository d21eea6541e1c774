// A link that somebody wrote. It opens in a new tab, which learns nothing about this one; only addresses of
// conversations of this very server open in this page.
import type { MouseEvent, ReactNode } from 'react';
import { navigate } from 'wouter/use-browser-location';

import { targetOf } from '@/config/paths';
import { otherHost } from '@/lib/markup/links';

import styles from './formatted.module.css';

interface MessageLinkProps {
  href: string;
  /** What is shown of it. */
  label: string;
  children: ReactNode;
}

export function MessageLink({ href, label, children }: MessageLinkProps) {
  const host = otherHost(label, href);
  return (
    <a
      href={href}
      // Names in other scripts as the browser resolves them: letters can look like others.
      title={/^[!-~]*$/.test(href) ? href : new URL(href).href}
      target="_blank"
      rel="noopener noreferrer nofollow"
      onClick={openHere}
    >
      {children}
      {host !== null && (
        <bdi className={styles.host} dir="ltr">
          {' '}
          ({host})
        </bdi>
      )}
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
