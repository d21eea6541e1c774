import { Button } from '@/components/ui/button';
import { Dialog } from '@/components/ui/dialog';
import { FormError } from '@/components/ui/form-error';
import { useChat } from '@/lib/chat/chat-context';
import { useSubmit } from '@/lib/forms/use-submit';
import type { Room } from '@/lib/http/types';

interface LeaveDialogProps {
  room: Room;
  onClose: () => void;
  onLeft: () => void;
}

export function LeaveDialog({ room, onClose, onLeft }: LeaveDialogProps) {
  const chat = useChat();
  const { busy, errors, submit } = useSubmit(() => chat.rooms.leave(room.id), onLeft, []);
  return (
    <Dialog
      title={`Leave ${room.title}?`}
      onClose={onClose}
      buttons={
        <>
          <Button onClick={onClose}>Stay</Button>
          <Button look="solid" busy={busy} onClick={() => void submit()}>
            Leave
          </Button>
        </>
      }
    >
      <p>
        {room.visibility === 'public'
          ? 'You get no more of its messages. You can come back at any time.'
          : 'You get no more of its messages, and come back only when somebody adds you.'}
      </p>
      <FormError text={errors.form} />
    </Dialog>
  );
}
