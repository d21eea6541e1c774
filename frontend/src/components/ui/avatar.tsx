// Initials on a colour that belongs to the person, or the sign of a room: the same on every device, because
// the colour follows from the id. Whether the person is here is a mark at its corner, told by its shape, too;
// in words it stands where the caller puts `AvailabilityText`.
import type { CSSProperties } from 'react';

import styles from './avatar.module.css';
import { AvailabilityMark } from './availability';
import type { ShownAvailability } from './availability';
import { Icon } from './icon';

export interface AvatarProps {
  id: string;
  name: string;
  size?: number;
  /** Oneself, as the partner of notes to self. */
  notes?: boolean;
  /** Not a person, but a room. */
  room?: 'public' | 'private';
  /** Absent where nobody knows. */
  availability?: ShownAvailability | undefined;
  /** Others are told that they are offline. */
  hidden?: boolean;
}

export function Avatar({
  id,
  name,
  size = 44,
  notes = false,
  room,
  availability,
  hidden = false,
}: AvatarProps) {
  const style = { '--hue': hue(id), '--size': `${size}px` } as CSSProperties;
  if (room)
    return (
      <span className={`${styles.avatar} ${styles.room}`} style={style} aria-hidden="true">
        <Icon name={room === 'public' ? 'hash' : 'lock'} size={size * 0.56} />
      </span>
    );
  const mark = hidden ? 'hidden' : availability === 'offline' ? undefined : availability;
  return (
    <span className={styles.place} style={style} aria-hidden="true">
      <span className={[styles.avatar, mark && styles.notched].filter(Boolean).join(' ')}>
        {notes ? <Icon name="note" size={size * 0.5} /> : initials(name)}
      </span>
      {mark && (
        <span className={styles.mark}>
          <AvailabilityMark mark={mark} />
        </span>
      )}
    </span>
  );
}

function hue(id: string): number {
  let hash = 0;
  for (const char of id) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) % 3_600;
  return hash / 10;
}

const characters = new Intl.Segmenter();

/** First letters of the first and last word; whole characters, as people see them. */
function initials(name: string): string {
  const words = name.split(/[\s._-]+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters.map((word) => firstCharacter(word ?? '?').toUpperCase()).join('');
}

function firstCharacter(text: string): string {
  for (const { segment } of characters.segment(text)) return segment;
  return '';
}
