import { Button } from '@/components/ui/button';
import { Dialog } from '@/components/ui/dialog';

interface LogOutDialogProps {
  unsent: number;
  onCancel: () => void;
  onConfirm: () => void;
}

/** Logging out deletes what this browser keeps of the person: not without asking when something is unsent. */
export function LogOutDialog({ unsent, onCancel, onConfirm }: LogOutDialogProps) {
  return (
    <Dialog
      title="Log out and delete what is unsent?"
      onClose={onCancel}
      buttons={
        <>
          <Button autoFocus onClick={onCancel}>
            Stay
          </Button>
          <Button look="solid" onClick={onConfirm}>
            Log out
          </Button>
        </>
      }
    >
      <p>{unsent === 1 ? 'One message was' : `${unsent} messages were`} not sent yet and would be lost.</p>
    </Dialog>
  );
}
