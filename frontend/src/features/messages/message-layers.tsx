// What opens from a message above the page: quick reactions beside it, the sheet of all that can be done, all
// emoji, who reacted and who has read it, what it said before, and the question before it is deleted.
import { Suspense, useEffect, useState } from 'react';

import { Button } from '@/components/ui/button';
import { Dialog } from '@/components/ui/dialog';
import { Icon } from '@/components/ui/icon';
import type { IconName } from '@/components/ui/icon';
import { useChat, useChatState } from '@/lib/chat/chat-context';
import { hasLists, hasReceipts } from '@/lib/chat/message-rights';
import { copyText } from '@/lib/clipboard/copy-text';
import type { Message } from '@/lib/http/types';

import { useDeeds, useRights } from './deeds';
import { EmojiPicker } from './emoji/lazy';
import styles from './message-actions.module.css';
import { EditsDialog } from './edits-dialog';
import { QuickReactions, ReactionPopover } from './quick-reactions';
import { QuoteText } from './quote';
import { ReactorsDialog } from './reactors-dialog';
import { ReadersDialog } from './readers-dialog';
import { rowText } from './row-text';
import type { Row } from './rows';

/** What is open, and beside what it was opened. */
export type Layer =
  | { kind: 'sheet' | 'emoji' | 'delete' | 'readers' | 'edits' }
  | { kind: 'react'; at: DOMRect }
  /** Of which emoji first, if of one. */
  | { kind: 'reactors'; emoji: string | null };

interface MessageLayersProps {
  row: Row;
  path: string | null;
  layer: Layer | null;
  onLayer: (layer: Layer | null) => void;
}

export function MessageLayers({ layer, ...props }: MessageLayersProps) {
  const { row, onLayer } = props;
  const react = useReact(row.message);
  const close = () => onLayer(null);
  if (!layer || row.message?.deleted) return null;
  const put = (emoji: string) => {
    close();
    react(emoji);
  };
  switch (layer.kind) {
    case 'sheet':
      return <MessageSheet {...props} onReact={put} />;
    case 'react':
      return (
        <ReactionPopover at={layer.at} onClose={close}>
          <QuickReactions message={row.message} onPick={put} onMore={() => onLayer({ kind: 'emoji' })} />
        </ReactionPopover>
      );
    case 'emoji':
      return (
        <Dialog title="React" onClose={close}>
          <div className={styles.picker}>
            <Suspense>
              <EmojiPicker onPick={put} onClose={close} />
            </Suspense>
          </div>
        </Dialog>
      );
    case 'reactors':
      return row.message && <ReactorsDialog message={row.message} emoji={layer.emoji} onClose={close} />;
    case 'readers':
      return row.message && <ReadersDialog message={row.message} onClose={close} />;
    case 'edits':
      return row.message && <EditsDialog message={row.message} onClose={close} />;
    case 'delete':
      return row.message && <DeleteDialog message={row.message} onClose={close} />;
  }
}

/** Puts it, or takes back one's own. */
function useReact(message: Message | null): (emoji: string) => void {
  const chat = useChat();
  const { conversation } = useDeeds();
  return (emoji) => {
    if (!message) return;
    const { id, position, reactions = [] } = message;
    const mine = reactions.some((one) => one.emoji === emoji && one.mine);
    chat.do(conversation, { does: 'react', target: { position, id }, emoji, on: !mine });
  };
}

type SheetProps = Omit<MessageLayersProps, 'layer'> & { onReact: (emoji: string) => void };

function MessageSheet({ row, path, onLayer, onReact }: SheetProps) {
  const chat = useChat();
  const { conversation, reply, edit } = useDeeds();
  const rights = useRights(row.message);
  const [failed, setFailed] = useState(false);
  const { message } = row;
  const shows = useShows(message);
  const keepsEdits = useKeepsEdits(message, rights?.history === true);
  const close = () => onLayer(null);
  /** The dialog gives the focus back first. */
  const afterwards = (action: () => void) => () => {
    close();
    setTimeout(action);
  };
  const take = (text: string) =>
    void copyText(text).then((done) => {
      setFailed(!done);
      if (done) close();
    });
  const pin = ({ id, position, pinned }: Message) =>
    chat.do(conversation, { does: 'pin', target: { position, id }, on: pinned === undefined });
  return (
    <Dialog title="Message" onClose={close}>
      <div className={styles.sheet}>
        {rights?.react && (
          <QuickReactions message={message} onPick={onReact} onMore={() => onLayer({ kind: 'emoji' })} />
        )}
        {message && rights?.reply && (
          <Entry icon="reply" text="Reply" onPress={afterwards(() => reply(message))} />
        )}
        {message && rights?.edit && (
          <Entry icon="pencil" text="Edit" onPress={afterwards(() => edit(message))} />
        )}
        <Entry icon="copy" text="Copy text" onPress={() => take(rowText(row, chat.store.getState()))} />
        {path !== null && (
          <Entry icon="link" text="Copy link" onPress={() => take(window.location.origin + path)} />
        )}
        {message && rights?.pin && (
          <Entry
            icon="pin"
            text={message.pinned === undefined ? 'Pin' : 'Unpin'}
            onPress={afterwards(() => pin(message))}
          />
        )}
        {shows.reactors && (
          <Entry icon="smile" text="Who reacted" onPress={() => onLayer({ kind: 'reactors', emoji: null })} />
        )}
        {shows.readers && (
          <Entry icon="ticks" text="Who has read it" onPress={() => onLayer({ kind: 'readers' })} />
        )}
        {keepsEdits && (
          <Entry icon="clock" text="Earlier versions" onPress={() => onLayer({ kind: 'edits' })} />
        )}
        {rights?.delete && (
          <Entry icon="trash" text="Delete…" danger onPress={() => onLayer({ kind: 'delete' })} />
        )}
        {failed && <p role="alert">Not copied: the browser refused.</p>}
      </div>
    </Dialog>
  );
}

/** What is known about a message beside its words. */
function useShows(message: Message | null): { reactors: boolean; readers: boolean } {
  const { conversation } = useDeeds();
  const lists = useChatState((state) => hasLists(state.limits));
  const receipts = useChatState((state) =>
    hasReceipts(state.conversations[conversation]?.room ?? null, state),
  );
  return {
    reactors: lists && (message?.reactions?.length ?? 0) > 0,
    readers: receipts && message !== null,
  };
}

/** Whether there is something to be seen of what it said before. */
function useKeepsEdits(message: Message | null, mayAsk: boolean): boolean {
  const chat = useChat();
  const [kept, setKept] = useState(false);
  const lists = useChatState((state) => hasLists(state.limits));
  const { conversation, position } = message ?? {};
  useEffect(() => {
    if (!mayAsk || !lists || conversation === undefined || position === undefined) return;
    let current = true;
    void chat.edits.kept(conversation, position).then((yes) => current && setKept(yes));
    return () => {
      current = false;
    };
  }, [chat, mayAsk, lists, conversation, position]);
  return mayAsk && kept;
}

interface EntryProps {
  icon: IconName;
  text: string;
  danger?: boolean;
  onPress: () => void;
}

function Entry({ icon, text, danger = false, onPress }: EntryProps) {
  return (
    <Button className={danger ? styles.danger : undefined} onClick={onPress}>
      <Icon name={icon} /> {text}
    </Button>
  );
}

function DeleteDialog({ message, onClose }: { message: Message; onClose: () => void }) {
  const chat = useChat();
  const { conversation } = useDeeds();
  const { id, position } = message;
  return (
    <Dialog
      title="Delete this message?"
      onClose={onClose}
      buttons={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            look="solid"
            onClick={() => {
              onClose();
              chat.do(conversation, { does: 'delete', target: { position, id } });
            }}
          >
            Delete
          </Button>
        </>
      }
    >
      <p className={styles.asked}>
        <QuoteText message={message} />
      </p>
      <p>Its words are gone for everybody, and nobody can bring them back.</p>
    </Dialog>
  );
}
