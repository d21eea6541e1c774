// Saying something of oneself for a while: one of the usual things by a press, or one's own words.
import { useId, useState } from 'react';

import { Button } from '@/components/ui/button';
import { Dialog } from '@/components/ui/dialog';
import { FormError } from '@/components/ui/form-error';
import { TextField } from '@/components/ui/text-field';
import { explainError } from '@/lib/http/api-error';
import type { Status } from '@/lib/http/types';
import { fullTime } from '@/lib/time/format';

import styles from './status-dialog.module.css';
import { LASTING, untilOf, USUAL } from './status-choices';
import type { Lasting } from './status-choices';

interface StatusDialogProps {
  status: Status | null;
  say: (status: Status | null) => Promise<void>;
  onClose: () => void;
}

const TEXT_MAX_CHARS = 100;

export function StatusDialog({ status, say, onClose }: StatusDialogProps) {
  const [emoji, setEmoji] = useState(status?.emoji ?? '');
  const [text, setText] = useState(status?.text ?? '');
  const [lasting, setLasting] = useState<Lasting | 'as it is'>(status?.until ? 'as it is' : 'open');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | undefined>();
  const id = useId();
  const tooLong = Array.from(text.trim()).length > TEXT_MAX_CHARS;
  const empty = emoji.trim() === '' && text.trim() === '';

  async function run(wanted: Status | null) {
    setBusy(true);
    setProblem(undefined);
    try {
      await say(wanted);
      onClose();
    } catch (error) {
      setProblem(explainError(error));
      setBusy(false);
    }
  }

  function save() {
    if (empty || tooLong || busy) return;
    const until = lasting === 'as it is' ? (status?.until ?? null) : untilOf(lasting, Date.now());
    void run({ emoji: emoji.trim() || null, text: text.trim() || null, until });
  }

  return (
    <Dialog
      title="Your status"
      onClose={onClose}
      buttons={
        <>
          {status && (
            <Button disabled={busy} onClick={() => void run(null)}>
              Clear
            </Button>
          )}
          <Button disabled={busy} onClick={onClose}>
            Cancel
          </Button>
          <Button look="solid" busy={busy} disabled={empty || tooLong} onClick={save}>
            Save
          </Button>
        </>
      }
    >
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <div className={styles.said}>
          <TextField
            label="Emoji"
            value={emoji}
            onChange={setEmoji}
            placeholder="🌴"
            autoComplete="off"
            className={styles.emoji}
          />
          <TextField
            label="What others see"
            value={text}
            onChange={setText}
            placeholder="On holiday"
            autoComplete="off"
            error={tooLong ? `At most ${TEXT_MAX_CHARS} characters.` : null}
          />
        </div>
        <div className={styles.usual} role="group" aria-label="The usual">
          {USUAL.map((one) => (
            <Button
              key={one.text}
              onClick={() => {
                setEmoji(one.emoji);
                setText(one.text);
                setLasting(one.lasting);
              }}
            >
              <span aria-hidden="true">{one.emoji}</span> {one.text}
            </Button>
          ))}
        </div>
        <div className={styles.lasting}>
          <label htmlFor={id}>Until</label>
          <select
            id={id}
            value={lasting}
            onChange={(event) => setLasting(event.target.value as Lasting | 'as it is')}
          >
            {status?.until && <option value="as it is">{fullTime(Date.parse(status.until))}</option>}
            {LASTING.map(({ value, label }) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </div>
        <FormError text={problem} />
        {/* Enter in a field saves. */}
        <button type="submit" hidden disabled={empty || tooLong || busy} />
      </form>
    </Dialog>
  );
}
