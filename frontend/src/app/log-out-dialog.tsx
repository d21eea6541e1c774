import { useEffect, useRef } from 'react';

import { Button } from '@/components/ui/button';

import styles from './log-out-dialog.module.css';

interface LogOutDialogProps {
  unsent: number;
  onCancel: () => void;
  onConfirm: () => void;
}

/** Logging out deletes what this browser keeps of the person: not without asking when something is unsent. */
export function LogOutDialog({ unsent, onCancel, onConfirm }: LogOutDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} className={styles.dialog} aria-labelledby="log-out-title" onClose={onCancel}>
      <h2 id="log-out-title">Log out and delete what is unsent?</h2>
      <p>{unsent === 1 ? 'One message was' : `${unsent} messages were`} not sent yet and would be lost.</p>
      <div className={styles.buttons}>
        <Button autoFocus onClick={() => dialog.current?.close()}>
          Stay
        </Button>
        <Button look="solid" onClick={onConfirm}>
          Log out
        </Button>
      </div>
    </dialog>
  );
}
