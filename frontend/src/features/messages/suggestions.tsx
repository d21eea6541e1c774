// How an emoji and a person look in the list of what `:name` and `@name` can become.
import { Avatar } from '@/components/ui/avatar';
import { Icon } from '@/components/ui/icon';

import type { Emoji } from './emoji/emoji-set';
import styles from './suggestion-list.module.css';
import type { Nameable } from './use-mention-completion';

export function EmojiSuggestion({ emoji: { char, codes, name } }: { emoji: Emoji }) {
  return (
    <>
      <span className={styles.char} aria-hidden="true">
        {char}
      </span>
      :{codes[0] ?? name}:
    </>
  );
}

export function PersonSuggestion({ nameable }: { nameable: Nameable }) {
  const { person, username, outside } = nameable;
  if (!person)
    return (
      <>
        <Icon name="people" />
        <span>@{username} · everybody in this room</span>
      </>
    );
  return (
    <>
      <Avatar id={person.id} name={person.display_name} size={28} />
      <span className={styles.who}>
        <bdi>{person.display_name}</bdi> @{username}
        {outside && <small> · not in this room</small>}
      </span>
    </>
  );
}
