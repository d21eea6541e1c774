// The list of all shortcuts, made from the same table as their handlers.
import { Dialog } from '@/components/ui/dialog';
import { shortcuts } from '@/config/shortcuts';
import type { Shortcut } from '@/config/shortcuts';
import { labelsOf } from '@/lib/keys/combo';

import styles from './shortcuts-dialog.module.css';

const ALL: readonly Shortcut[] = Object.values(shortcuts);
const GROUPS = [...new Set(ALL.map(({ group }) => group))].map(
  (group) => [group, ALL.filter((shortcut) => shortcut.group === group)] as const,
);

export function ShortcutsDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose} wide>
      <div className={styles.groups}>
        {GROUPS.map(([group, entries]) => (
          <section key={group} aria-label={group}>
            <h3>{group}</h3>
            <dl>
              {entries.map(({ does, keys }) => (
                <div key={does} className={styles.row}>
                  <dt>{does}</dt>
                  <dd>
                    {keys.map((combo) => (
                      <span key={combo} className={styles.combo}>
                        {labelsOf(combo).map((label) => (
                          <kbd key={label}>{label}</kbd>
                        ))}
                      </span>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
