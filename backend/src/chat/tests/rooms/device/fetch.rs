//! What a device asks for: what it was told that it misses, page by page, and what changed meanwhile.

use milena_domain::record::{Action, Event};
use milena_domain::{ConversationId, UserId, partition_of};
use milena_storage::Page;
use serde_json::{Value, json};

use super::super::super::node::Node;
use super::super::super::shared::PARTITIONS;
use super::{Device, Gap, Owed};
use crate::chat::{ChangePage, History};
use crate::live::life::Shown;
use crate::refusal::Refusal;
use crate::wire::rest::Message;

/// So few, so that the answer has a next page now and then.
const CHANGES: usize = 3;

/// An answer, and up to where its node had read when it was asked.
pub(super) struct Fetched {
    asked: Asked,
    read: i64,
}

enum Asked {
    Page(Gap, Result<History, Refusal>),
    Changes(Owed, Result<ChangePage, Refusal>),
}

/// As REST tells it; `None` for what is no message.
pub(in super::super) fn rest(shown: &Shown, of: UserId) -> Option<Value> {
    Message::shown(shown, shown.placed.event.actor == of).map(|message| json!(message))
}

/// Whether somebody is in the room by this.
fn brings_in(event: &Event, user: UserId) -> bool {
    match &event.action {
        Action::Joined => event.actor == user,
        Action::MembersAdded { users } => users.contains(&user),
        _ => false,
    }
}

impl Device {
    pub(super) fn fetch(&mut self, nodes: &[Node; 2]) {
        let Some(line) = &mut self.line else { return };
        if !line.fetch.is_empty() {
            return;
        }
        let (chat, user) = (nodes[line.node].chat.clone(), self.user);
        let read = |conversation: ConversationId| {
            chat.progress.borrow().read[partition_of(conversation, PARTITIONS) as usize]
        };
        // What is missing first: what changed of that comes along.
        if let Some(gap) = self.gaps.first().copied() {
            let read = read(gap.conversation);
            line.fetch.spawn(async move {
                let page = chat.history(user, gap.conversation, Page::After(gap.after), 100).await;
                Fetched { asked: Asked::Page(gap, page), read }
            });
        } else if let Some(owed) = self.owed.first().copied() {
            let read = read(owed.conversation);
            line.fetch.spawn(async move {
                let page = chat.changes(user, owed.conversation, owed.after, CHANGES).await;
                Fetched { asked: Asked::Changes(owed, page), read }
            });
        }
    }

    pub(super) fn fetched(&mut self, Fetched { asked, read }: Fetched) {
        match asked {
            Asked::Page(gap, page) => self.fetched_page(gap, page, read),
            Asked::Changes(owed, page) => self.fetched_changes(owed, page, read),
        }
    }

    fn fetched_page(&mut self, asked: Gap, page: Result<History, Refusal>, read: i64) {
        let is_it = |gap: &Gap| {
            (gap.conversation, gap.after, gap.before) == (asked.conversation, asked.after, asked.before)
        };
        let page = match page {
            Ok(page) => page,
            Err(refusal) => {
                if !refusal.code.is_temporary() {
                    self.give_up(asked.conversation);
                } else if !self.gaps.is_empty() {
                    self.gaps.rotate_left(1);
                }
                return;
            }
        };
        for shown in &page.messages {
            match rest(shown, self.user) {
                Some(message) => self.told(&message),
                None => self.show(asked.conversation, shown.placed.position, shown.placed.event.id),
            }
        }
        if page.messages.iter().any(|shown| brings_in(&shown.placed.event, self.user)) {
            self.ask_again(asked.conversation);
        }
        let last = page.messages.last().map_or(asked.after, |shown| shown.placed.position);
        self.remember(page.messages, page.complete, read);
        let Some(place) = self.gaps.iter().position(is_it) else { return };
        if !page.complete {
            self.gaps.rotate_left(1);
        } else if !page.has_after || last >= asked.before {
            self.gaps.remove(place);
        } else {
            self.gaps[place].after = last;
        }
    }

    fn fetched_changes(&mut self, asked: Owed, page: Result<ChangePage, Refusal>, read: i64) {
        let page = match page {
            Ok(page) => page,
            Err(refusal) => {
                if !refusal.code.is_temporary() {
                    self.give_up(asked.conversation);
                } else if !self.owed.is_empty() {
                    self.owed.rotate_left(1);
                }
                return;
            }
        };
        for shown in &page.messages {
            let key = (asked.conversation.as_uuid(), shown.placed.position.as_i64());
            if let Some(message) = rest(shown, self.user).filter(|_| self.held.holds(key)) {
                self.held.whole(&message);
            }
        }
        self.remember(page.messages, page.complete, read);
        let Some(place) = self.owed.iter().position(|owed| *owed == asked) else { return };
        match page.next {
            _ if !page.complete => self.owed.rotate_left(1),
            Some(next) => self.owed[place].after = next,
            None => drop(self.owed.remove(place)),
        }
    }

    /// To be looked at; what may miss something may be older than what was read.
    fn remember(&mut self, messages: Vec<Shown>, complete: bool, read: i64) {
        let read = if complete { read } else { 0 };
        self.told_by_rest.extend(messages.into_iter().map(|shown| (shown, read)));
    }
}
