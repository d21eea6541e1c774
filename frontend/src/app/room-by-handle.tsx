// The address of a room as it is passed on: leads whoever is in it there, and shows everybody else its door.
import { useEffect, useState } from 'react';
import { Link, useLocation } from 'wouter';

import { Blank } from '@/components/ui/blank';
import { Button } from '@/components/ui/button';
import { Envelope } from '@/components/ui/envelope';
import { MessagesSkeleton } from '@/components/ui/skeleton';
import { paths } from '@/config/paths';
import { RoomDoor } from '@/features/rooms/room-door';
import { useChat, useChatState } from '@/lib/chat/chat-context';
import { ApiError, explainError } from '@/lib/http/api-error';
import type { Room } from '@/lib/http/types';

export function RoomByHandle({ handle }: { handle: string }) {
  const chat = useChat();
  const [, navigate] = useLocation();
  const live = useChatState((state) => state.connection.phase === 'live');
  const [told, setTold] = useState<Room | null>(null);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const [tries, setTries] = useState(0);
  const known = useChatState((state) => (told ? state.conversations[told.id]?.room : null));
  const room = known ?? told;
  const inside = room?.role ? room.id : null;

  useEffect(() => {
    let current = true;
    chat.rooms.byHandle(handle.toLowerCase()).then(
      (answer) => current && setTold(answer),
      (error: unknown) => current && setProblem(asApiError(error)),
    );
    return () => {
      current = false;
    };
  }, [chat, handle, live, tries]);
  useEffect(() => {
    if (inside !== null) navigate(paths.conversation(inside), { replace: true });
  }, [inside, navigate]);

  if (room && inside === null)
    return (
      <RoomDoor
        room={room}
        last={null}
        onEntered={(id) => navigate(paths.conversation(id), { replace: true })}
      />
    );
  if (room || problem === null) return <MessagesSkeleton label="Loading" />;
  return problem.temporary ? (
    <Blank title="The room could not be loaded">
      <p>{explainError(problem)}</p>
      <Button
        onClick={() => {
          setProblem(null);
          setTries(tries + 1);
        }}
      >
        Try again
      </Button>
    </Blank>
  ) : (
    <NoRoom />
  );
}

function NoRoom() {
  return (
    <Blank title="There is no such room, or it is private" art={<Envelope />}>
      <p>Into a private room somebody who is in it has to bring you.</p>
      <Link href={paths.rooms}>Look for public rooms</Link>
    </Blank>
  );
}

const asApiError = (error: unknown) =>
  error instanceof ApiError ? error : new ApiError({ status: 0, code: 'offline' });
