// Chooses several people. The focus stays in the field: arrows move among those who were found, Enter takes
// one, Backspace in the empty field gives the last one back.
import { useId, useMemo, useState } from 'react';
import type { KeyboardEvent } from 'react';

import { AvailabilityText } from '@/components/ui/availability';
import { Avatar } from '@/components/ui/avatar';
import { Icon } from '@/components/ui/icon';
import { MEMBERS_ADDED_MAX } from '@/config/limits';
import { useChatState } from '@/lib/chat/chat-context';
import { usePeopleSearch } from '@/lib/chat/use-people-search';
import { useSeen } from '@/lib/chat/use-presence';
import type { Person } from '@/lib/http/types';
import { isComposing } from '@/lib/keys/composing';
import { namesOf } from '@/lib/names/lookalike';

import styles from './people-picker.module.css';

interface PeoplePickerProps {
  label: string;
  chosen: readonly Person[];
  onChange: (chosen: readonly Person[]) => void;
  error: string | undefined;
}

export function PeoplePicker({ label, chosen, onChange, error }: PeoplePickerProps) {
  const id = useId();
  const me = useChatState((state) => state.me);
  const people = useChatState((state) => state.people);
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(0);
  const search = usePeopleSearch(query);
  const wanted = query.trim();
  const answered = search.answered === wanted;
  const taken = new Set([me.id, ...chosen.map((person) => person.id)]);
  const found = wanted === '' ? [] : search.people.filter((person) => !taken.has(person.id));
  const current = found[Math.min(at, found.length - 1)];
  const nameOf = useMemo(() => namesOf(chosen, { people, me }), [chosen, people, me]);
  const full = chosen.length >= MEMBERS_ADDED_MAX;

  function take(person: Person) {
    if (!full) onChange([...chosen, person]);
    setQuery('');
    setAt(0);
  }

  function onKeyDown(event: KeyboardEvent) {
    if (isComposing(event.nativeEvent)) return;
    if (event.key === 'Backspace' && query === '') onChange(chosen.slice(0, -1));
    if (wanted === '') return;
    if (event.key === 'Enter') {
      if (current && answered) take(current);
    } else if (event.key === 'Escape') setQuery('');
    else if (event.key === 'ArrowDown') setAt((at + 1) % Math.max(1, found.length));
    else if (event.key === 'ArrowUp') setAt((at + found.length - 1) % Math.max(1, found.length));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  return (
    <div className={styles.picker}>
      <label htmlFor={id}>{label}</label>
      <div className={styles.box}>
        {chosen.map((person) => (
          <button
            key={person.id}
            type="button"
            className={styles.chosen}
            aria-label={`Leave out ${nameOf(person)}`}
            onClick={() => onChange(chosen.filter((other) => other !== person))}
          >
            <span dir="auto">{nameOf(person)}</span> <Icon name="close" size={14} />
          </button>
        ))}
        <input
          id={id}
          type="search"
          role="combobox"
          aria-autocomplete="list"
          aria-expanded={found.length > 0}
          aria-controls={found.length > 0 ? `${id}-list` : undefined}
          aria-activedescendant={current ? `${id}-${current.id}` : undefined}
          aria-describedby={`${id}-note`}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          placeholder={chosen.length === 0 ? 'Name or @username' : ''}
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      {found.length > 0 && (
        <ul id={`${id}-list`} role="listbox" aria-label="People found" className={styles.found}>
          {found.map((person) => (
            // The keys are in the field.
            <li
              key={person.id}
              id={`${id}-${person.id}`}
              role="option"
              aria-selected={person === current}
              onPointerDown={(event) => event.preventDefault()}
              onClick={() => take(person)}
            >
              <Found person={person} />
            </li>
          ))}
        </ul>
      )}
      <p id={`${id}-note`} className={error ? styles.error : styles.note} aria-live="polite">
        {error ?? noteOf({ wanted, answered, failed: search.error, found: found.length, full })}
      </p>
    </div>
  );
}

function Found({ person }: { person: Person }) {
  const seen = useSeen(person.id);
  return (
    <>
      <Avatar id={person.id} name={person.display_name} size={32} availability={seen?.state} />
      <span>
        <span dir="auto">
          {person.display_name}
          <AvailabilityText availability={seen?.state} />
        </span>{' '}
        <small>@{person.username}</small>
      </span>
    </>
  );
}

interface Standing {
  wanted: string;
  answered: boolean;
  failed: string | null;
  found: number;
  full: boolean;
}

function noteOf({ wanted, answered, failed, found, full }: Standing): string {
  if (full) return `At most ${MEMBERS_ADDED_MAX} at once.`;
  if (wanted === '' || !answered) return '';
  if (failed !== null) return failed;
  return found === 0 ? `Nobody else is called “${wanted}”.` : '';
}
