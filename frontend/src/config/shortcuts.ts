// Every key that does something, in one place: the handlers find their keys here, and the list of shortcuts
// shows them. `Mod` is Ctrl, or ⌘ on a Mac.

export interface Shortcut {
  keys: readonly string[];
  does: string;
  group: 'Everywhere' | 'Conversations' | 'Messages' | 'Writing';
  /** Belongs to the element that has the focus; the others work wherever it is. */
  local?: true;
}

export const shortcuts = {
  help: { group: 'Everywhere', keys: ['Mod+/', '?'], does: 'Show this list' },
  search: { group: 'Everywhere', keys: ['Mod+K'], does: 'Find people and conversations' },
  mentions: { group: 'Everywhere', keys: ['Mod+Shift+M'], does: 'What names you' },
  settings: { group: 'Everywhere', keys: ['Mod+,'], does: 'Open the settings' },
  leave: { group: 'Everywhere', keys: ['Escape'], does: 'Close what is open', local: true },
  next: { group: 'Conversations', keys: ['Alt+ArrowDown'], does: 'Next conversation' },
  previous: { group: 'Conversations', keys: ['Alt+ArrowUp'], does: 'Previous conversation' },
  nextUnread: {
    group: 'Conversations',
    keys: ['Alt+Shift+ArrowDown'],
    does: 'Next unread conversation',
  },
  previousUnread: {
    group: 'Conversations',
    keys: ['Alt+Shift+ArrowUp'],
    does: 'Previous unread conversation',
  },
  walkList: {
    group: 'Conversations',
    keys: ['ArrowDown', 'ArrowUp'],
    does: 'Walk through the list',
    local: true,
  },
  walkMessages: {
    group: 'Messages',
    keys: ['ArrowUp', 'ArrowDown'],
    does: 'Walk through the messages',
    local: true,
  },
  act: { group: 'Messages', keys: ['Enter'], does: 'What can be done with the message', local: true },
  copy: { group: 'Messages', keys: ['Mod+C'], does: 'Copy the message', local: true },
  write: { group: 'Messages', keys: ['Escape'], does: 'Back to writing', local: true },
  send: { group: 'Writing', keys: ['Enter'], does: 'Send', local: true },
  breakLine: { group: 'Writing', keys: ['Shift+Enter'], does: 'Begin a new line', local: true },
  editLast: { group: 'Writing', keys: ['ArrowUp'], does: 'Edit your last message', local: true },
  leaveWriting: { group: 'Writing', keys: ['Escape'], does: 'Leave an answer or an edit', local: true },
  bold: { group: 'Writing', keys: ['Mod+B'], does: 'Bold', local: true },
  italic: { group: 'Writing', keys: ['Mod+I'], does: 'Italic', local: true },
  code: { group: 'Writing', keys: ['Mod+E'], does: 'Code', local: true },
} satisfies Record<string, Shortcut>;

export type ShortcutId = keyof typeof shortcuts;
