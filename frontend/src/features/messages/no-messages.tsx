// What stands in a conversation while there is nothing to read in it.
import { Blank } from '@/components/ui/blank';
import { Button } from '@/components/ui/button';
import { Envelope } from '@/components/ui/envelope';
import { MessagesSkeleton } from '@/components/ui/skeleton';
import { NOTES } from '@/lib/chat/person-name';

interface NoMessagesProps {
  status: 'loading' | 'ready' | 'failed';
  name: string;
  self: boolean;
  inRoom: boolean;
  onRetry: () => void;
}

export function NoMessages({ status, name, self, inRoom, onRetry }: NoMessagesProps) {
  if (status === 'loading') return <MessagesSkeleton label="Loading messages" />;
  if (status === 'failed')
    return (
      <Blank title="The messages could not be loaded">
        <p>What you write is kept, and sent when the server is back.</p>
        <Button onClick={onRetry}>Try again</Button>
      </Blank>
    );
  if (inRoom)
    return (
      <Blank title="Nobody has written here yet" art={<Envelope to={name} />}>
        <p>Whoever is in the room will read it.</p>
      </Blank>
    );
  return self ? (
    <Blank title={NOTES} art={<Envelope to="myself" />}>
      <p>Only you can read what you write here.</p>
    </Blank>
  ) : (
    <Blank title={`Write the first letter to ${name}`} art={<Envelope to={name} />}>
      <p>If they are not here now, it waits for them.</p>
    </Blank>
  );
}
