// What the list shows, and the way to more rooms.
import { Link } from 'wouter';

import { Icon } from '@/components/ui/icon';
import { paths } from '@/config/paths';
import type { ListFilter } from '@/lib/store/list-filter';

import styles from './list-filters.module.css';

const FILTERS: { filter: ListFilter; label: string }[] = [
  { filter: 'all', label: 'All' },
  { filter: 'unread', label: 'Unread' },
  { filter: 'people', label: 'People' },
  { filter: 'rooms', label: 'Rooms' },
];

interface ListFiltersProps {
  filter: ListFilter;
  onChange: (filter: ListFilter) => void;
}

/** Arrow keys choose, as among any radio buttons. */
export function ListFilters({ filter, onChange }: ListFiltersProps) {
  return (
    <div className={styles.bar}>
      <fieldset className={styles.filters}>
        <legend className="visually-hidden">Show</legend>
        {FILTERS.map(({ filter: value, label }) => (
          <label key={value}>
            <input
              type="radio"
              className="visually-hidden"
              name="list-filter"
              checked={filter === value}
              onChange={() => onChange(value)}
            />
            {label}
          </label>
        ))}
      </fieldset>
      <Link
        href={paths.rooms}
        className={styles.rooms}
        aria-label="Find or create a room"
        title="Find or create a room"
      >
        <Icon name="plus" />
      </Link>
    </div>
  );
}
