import { Icon } from '@/components/ui/icon';
import type { IconName } from '@/components/ui/icon';
import { setTheme, useTheme } from '@/lib/theme/theme';
import type { Theme } from '@/lib/theme/theme';

import styles from './theme-choice.module.css';

const THEMES: { theme: Theme; icon: IconName; label: string }[] = [
  { theme: 'system', icon: 'system', label: 'System' },
  { theme: 'light', icon: 'sun', label: 'Light' },
  { theme: 'dark', icon: 'moon', label: 'Dark' },
];

/** Light or dark; `labelled` with words beside the icons. Arrow keys choose, as among any radio buttons. */
export function ThemeChoice({ labelled = false }: { labelled?: boolean }) {
  const theme = useTheme();
  return (
    <fieldset className={[styles.themes, labelled && styles.labelled].filter(Boolean).join(' ')}>
      <legend className="visually-hidden">Theme</legend>
      {THEMES.map(({ theme: value, icon, label }) => (
        <label key={value} title={label}>
          <input
            type="radio"
            className="visually-hidden"
            name={labelled ? 'theme-settings' : 'theme-menu'}
            checked={theme === value}
            onChange={() => setTheme(value)}
          />
          <Icon name={icon} />
          <span className={labelled ? undefined : 'visually-hidden'}>{label}</span>
        </label>
      ))}
    </fieldset>
  );
}
