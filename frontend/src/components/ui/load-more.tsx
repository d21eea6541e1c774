// At the end of a list of which there is more: asks for it when it comes into view, or when it is pressed.
import { useEffect, useEffectEvent, useRef } from 'react';

import { Button } from './button';
import styles from './load-more.module.css';

interface LoadMoreProps {
  status: 'idle' | 'loading' | 'failed';
  onMore: () => void;
}

export function LoadMore({ status, onMore }: LoadMoreProps) {
  const end = useRef<HTMLDivElement>(null);
  const seen = useEffectEvent(() => {
    // What failed is asked for again by whoever presses.
    if (status === 'idle') onMore();
  });
  useEffect(() => {
    if (!end.current) return;
    const watch = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) seen();
    });
    watch.observe(end.current);
    return () => watch.disconnect();
  }, [status]);
  return (
    <div ref={end} className={styles.more}>
      <Button look="text" busy={status === 'loading'} onClick={onMore}>
        {status === 'loading' ? 'Loading…' : status === 'failed' ? 'Not loaded. Try again' : 'Show more'}
      </Button>
    </div>
  );
}
