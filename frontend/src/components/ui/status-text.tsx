// What somebody says of themselves: the sign and the words, or in a narrow place the sign alone, with the
// words for whoever points at it or does not see it.
import type { Status } from '@/lib/http/types';
import { statusAt } from '@/lib/presence/status';
import { useMinute } from '@/lib/time/periods';

interface StatusTextProps {
  status: Status | null | undefined;
  /** The sign alone, where there is one. */
  brief?: boolean;
  className?: string | undefined;
}

export function StatusText({ status, brief = false, className }: StatusTextProps) {
  const shown = statusAt(status, useMinute());
  if (!shown) return null;
  const { emoji, text } = shown;
  if (brief)
    return emoji === null ? null : (
      <span className={className} title={text ?? undefined} data-testid="status">
        {' '}
        <span role="img" aria-label={text ?? `Status ${emoji}`}>
          {emoji}
        </span>
      </span>
    );
  return (
    <span className={className} title={text ?? undefined} data-testid="status" dir="auto">
      {[emoji, text].filter((part) => part !== null).join(' ')}
    </span>
  );
}
