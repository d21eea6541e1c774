// Who `@name` can mean, above the composer. The focus stays in the text.
import { Avatar } from '@/components/ui/avatar';
import { Icon } from '@/components/ui/icon';

import styles from './emoji/emoji-suggestions.module.css';
import type { Nameable } from './use-mention-completion';

interface MentionSuggestionsProps {
  id: string;
  found: readonly Nameable[];
  /** Null until somebody moves in the list: then Tab alone takes the first one. */
  chosen: number | null;
  onTake: (nameable: Nameable) => void;
}

function bringIntoView(option: HTMLElement | null) {
  option?.scrollIntoView({ block: 'nearest' });
}

export function MentionSuggestions({ id, found, chosen, onTake }: MentionSuggestionsProps) {
  return (
    <ul id={id} className={styles.list} role="listbox" aria-label="People">
      {found.map((nameable, index) => (
        <li
          key={nameable.username}
          id={`${id}-${index}`}
          role="option"
          aria-selected={index === chosen}
          className={styles.option}
          ref={index === chosen ? bringIntoView : undefined}
          // The text keeps the focus.
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => onTake(nameable)}
        >
          <Who nameable={nameable} />
          {chosen === null && index === 0 && (
            <kbd className={styles.key} aria-hidden="true">
              Tab
            </kbd>
          )}
        </li>
      ))}
    </ul>
  );
}

function Who({ nameable: { person, username } }: { nameable: Nameable }) {
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
      <span>
        <bdi>{person.display_name}</bdi> @{username}
      </span>
    </>
  );
}
