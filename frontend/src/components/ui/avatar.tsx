// Initials on a colour that belongs to the person, or the sign of a room: the same on every device, because
// the colour follows from the id.
import type { CSSProperties } from 'react';

import { Icon } from './icon';
import styles from './avatar.module.css';

export interface AvatarProps {
  id: string;
  name: string;
  size?: number;
  /** Oneself, as the partner of notes to self. */
  notes?: boolean;
  /** Not a person, but a room. */
  room?: 'public' | 'private';
}

export function Avatar({ id, name, size = 44, notes = false, room }: AvatarProps) {
  const style = { '--hue': hue(id), '--size': `${size}px` } as CSSProperties;
  if (room)
    return (
      <span className={`${styles.avatar} ${styles.room}`} style={style} aria-hidden="true">
        <Icon name={room === 'public' ? 'hash' : 'lock'} size={size * 0.56} />
      </span>
    );
  return (
    <span className={styles.avatar} style={style} aria-hidden="true">
      {notes ? <Icon name="note" size={size * 0.5} /> : initials(name)}
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
