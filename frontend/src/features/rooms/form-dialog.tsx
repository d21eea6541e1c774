// A dialog that asks for something about a room: its form, with Cancel and the one button that sends it.
import { useId } from 'react';
import type { ReactNode } from 'react';

import { Button } from '@/components/ui/button';
import { Dialog } from '@/components/ui/dialog';
import { FormError } from '@/components/ui/form-error';

import styles from './room-form.module.css';

interface FormDialogProps {
  title: string;
  /** The button, and what it says while it is busy. */
  action: string;
  acting: string;
  busy: boolean;
  /** Whether what is written can be sent. */
  ready: boolean;
  /** What is wrong with all of it. */
  error: string | undefined;
  onSubmit: () => Promise<void>;
  onClose: () => void;
  children: ReactNode;
  /** Below the form, and not a part of it. */
  below?: ReactNode;
}

export function FormDialog(props: FormDialogProps) {
  const { title, action, acting, busy, ready, error, onSubmit, onClose, children, below } = props;
  const form = useId();
  return (
    <Dialog
      title={title}
      onClose={onClose}
      buttons={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={form} look="solid" busy={busy} disabled={!ready}>
            {busy ? acting : action}
          </Button>
        </>
      }
    >
      <form
        id={form}
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) void onSubmit();
        }}
      >
        {children}
        <FormError text={error} />
      </form>
      {below}
    </Dialog>
  );
}
