// What calls one, on all devices: in general, and words that one wants to hear of.
import { Card } from '@/components/ui/card';
import { Choice } from '@/components/ui/choice';
import { FormError } from '@/components/ui/form-error';

import { Keywords } from './keywords';
import { LEVELS } from './levels';
import styles from './settings.module.css';
import { useGeneral } from './use-general';

export function LevelsCard() {
  const { general, problem, change } = useGeneral();
  if (!general) return null;
  return (
    <Card
      title="What I am told of"
      about="On all your devices. Each conversation can have its own, under the bell at its top."
    >
      <div className={styles.sections}>
        <Choice
          label="From people"
          options={LEVELS.direct}
          value={general.direct}
          onChange={(direct) => void change({ direct })}
        />
        <Choice
          label="In rooms"
          options={LEVELS.rooms}
          value={general.rooms}
          onChange={(rooms) => void change({ rooms })}
        />
        <Keywords keywords={general.keywords} onChange={(keywords) => change({ keywords })} />
        <FormError text={problem} />
      </div>
    </Card>
  );
}
