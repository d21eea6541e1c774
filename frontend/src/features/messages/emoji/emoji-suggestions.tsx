// What `:name` can become, above the composer. The focus stays in the text.
import type { Emoji } from './emoji-set';
import styles from './emoji-suggestions.module.css';

interface EmojiSuggestionsProps {
  id: string;
  found: readonly Emoji[];
  /** Null until somebody moves in the list: then Tab alone takes the first one. */
  chosen: number | null;
  onTake: (emoji: Emoji) => void;
}

/** With large letters not all of them are in view. */
function bringIntoView(option: HTMLElement | null) {
  option?.scrollIntoView({ block: 'nearest' });
}

export function EmojiSuggestions({ id, found, chosen, onTake }: EmojiSuggestionsProps) {
  return (
    <ul id={id} className={styles.list} role="listbox" aria-label="Emoji">
      {found.map((emoji, index) => (
        <li
          key={emoji.char}
          id={`${id}-${index}`}
          role="option"
          aria-selected={index === chosen}
          className={styles.option}
          ref={index === chosen ? bringIntoView : undefined}
          // The text keeps the focus.
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => onTake(emoji)}
        >
          <span className={styles.char} aria-hidden="true">
            {emoji.char}
          </span>
          :{emoji.codes[0] ?? emoji.name}:
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
