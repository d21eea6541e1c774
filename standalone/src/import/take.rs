//! Some lines of the file: what is there already is left out, and the rest goes into the log, in its order.
//!
//! What becomes of all lines is settled before the first of them is sent. What changes nothing is kept in the
//! database by then: an import that is cut off, and any later one, finds the room changed by what stands
//! behind, and must not take it for news.

use std::collections::{HashMap, HashSet};

use anyhow::Context as _;
use milena_domain::MessageId;
use milena_domain::record::Event;

use super::event::Happened;
use super::ledger::{Content, Sent};
use super::line::{ImportLine, LineError, Message, Place, Record};
use super::rooms::Verdict;
use super::{Import, stored};

/// What was there before these lines.
struct Known {
    stored: HashMap<MessageId, Content>,
    /// Events that changed nothing, also of these lines.
    for_nothing: HashSet<MessageId>,
}

/// One record on its way.
enum Outgoing {
    Message(Message),
    /// An event of a line.
    Event(Event),
    /// What the import does by itself.
    Own(Event),
}

impl Import<'_> {
    /// Sends what nobody has yet.
    pub(super) async fn take(&mut self, lines: Vec<ImportLine>) -> anyhow::Result<()> {
        let mut outgoing = Vec::new();
        if !self.open_rooms(&lines, &mut outgoing).await? {
            return Ok(());
        }
        let store = &self.target.store;
        let people = self.people.ensure(store, lines.iter().flat_map(ImportLine::people)).await?;
        let records: Vec<Record> = lines.iter().map(|line| line.record(people, &self.rooms)).collect();
        let (mut ids, mut events) = (Vec::with_capacity(records.len()), Vec::new());
        for record in &records {
            match record {
                Record::Message(message, _) => ids.push(message.id()),
                Record::Happened(happened) => events.extend(happened.ids()),
            }
        }
        let for_nothing =
            store.imported_for_nothing(&events).await.context("the database cannot be asked")?;
        ids.extend(events);
        let mut known = Known { stored: stored(store, &ids).await?, for_nothing };
        let mut for_nothing = Vec::new();
        for (line, record) in lines.iter().zip(records) {
            match record {
                Record::Message(message, content) => {
                    self.plan_message(line, message, content, &known, &mut outgoing);
                }
                Record::Happened(happened) => {
                    let nothing = self.plan_event(line, &happened, &known, &mut outgoing);
                    known.for_nothing.extend(nothing);
                    for_nothing.extend(nothing);
                }
            }
        }
        self.keep_for_nothing(&for_nothing).await?;
        for record in outgoing {
            let sent = match &record {
                Outgoing::Message(message) => self.producer.send(message, self.stop).await?,
                Outgoing::Event(event) | Outgoing::Own(event) => {
                    self.producer.send_event(event, self.stop).await?
                }
            };
            match record {
                _ if !sent => return Ok(()),
                Outgoing::Message(_) => self.summary.produced += 1,
                Outgoing::Event(_) => self.summary.events.produced += 1,
                Outgoing::Own(_) => {}
            }
        }
        Ok(())
    }

    /// Makes the rooms of these lines known. `false` when the import was stopped meanwhile.
    async fn open_rooms(
        &mut self,
        lines: &[ImportLine],
        outgoing: &mut Vec<Outgoing>,
    ) -> anyhow::Result<bool> {
        let (store, topic) = (&self.target.store, &self.target.settings.kafka.topic);
        let in_rooms = || {
            lines.iter().filter_map(|line| match &line.place {
                Place::Room(room) => Some((&**room, line.sent_at)),
                Place::To(_) => None,
            })
        };
        if in_rooms().next().is_none() {
            return Ok(true);
        }
        if self.rooms.is_empty() {
            // With `--no-wait` an earlier import may be on its way still.
            self.target.wait_until_stored(self.progress, self.stop).await?;
            self.progress.reading();
        }
        let producer = &self.producer;
        self.rooms.wait_for_store(store, topic, || producer.ends(), self.stop).await?;
        if self.stop.is_cancelled() {
            return Ok(false);
        }
        let created = self.rooms.ensure(store, topic, in_rooms()).await?;
        outgoing.extend(created.into_iter().map(Outgoing::Own));
        Ok(true)
    }

    /// A message, and before it, in a room, that its sender joins.
    fn plan_message(
        &mut self,
        line: &ImportLine,
        message: Message,
        content: Content,
        known: &Known,
        outgoing: &mut Vec<Outgoing>,
    ) {
        if let Some(was_known) = self.is_known(line, message.id(), content, known) {
            self.summary.known += u64::from(was_known);
            return;
        }
        if let (Place::Room(room), Message::Room(event)) = (&line.place, &message) {
            outgoing.extend(self.rooms.joining(room, event).map(Outgoing::Own));
        }
        self.ledger.insert(message.id(), Sent { line: line.number, content, is_event: false });
        outgoing.push(Outgoing::Message(message));
    }

    /// Something that happened in a room. Answers its id if it changes nothing, and that was not known.
    fn plan_event(
        &mut self,
        line: &ImportLine,
        happened: &Happened,
        known: &Known,
        outgoing: &mut Vec<Outgoing>,
    ) -> Option<MessageId> {
        for id in happened.ids() {
            if known.for_nothing.contains(&id) {
                self.summary.events.unchanged += 1;
                return None;
            }
            if let Some(was_known) = self.is_known(line, id, Content::of_event(happened.named(id)), known) {
                self.summary.events.known += u64::from(was_known);
                return None;
            }
        }
        let Place::Room(room) = &line.place else { return None };
        match self.rooms.happened(room, happened) {
            Verdict::Counts(event) => {
                let content = Content::of_event(&event);
                self.ledger.insert(event.id, Sent { line: line.number, content, is_event: true });
                outgoing.push(Outgoing::Event(event));
            }
            Verdict::Nothing => {
                self.summary.events.unchanged += 1;
                return Some(happened.by_sender.id);
            }
            Verdict::Void(void) => self.refuse(line.number, &LineError::NotAllowed(void)),
        }
        None
    }

    /// Whether what has this id was sent or stored before; `None` when nothing has it. What has it and is
    /// something else is refused.
    fn is_known(
        &mut self,
        line: &ImportLine,
        id: MessageId,
        content: Content,
        known: &Known,
    ) -> Option<bool> {
        let (other, at) = match (self.ledger.get(id), known.stored.get(&id)) {
            (Some(sent), _) => (sent.content, format!(": line {}", sent.line)),
            (None, Some(stored)) => (*stored, String::new()),
            (None, None) => return None,
        };
        let Some(other) = content.conflict(other) else { return Some(true) };
        let (id, from) = (line.id.clone(), line.from.clone());
        self.refuse(line.number, &LineError::Taken { id, from, other, at });
        Some(false)
    }

    /// Keeps that these events changed nothing.
    pub(super) async fn keep_for_nothing(&self, ids: &[MessageId]) -> anyhow::Result<()> {
        self.target.store.keep_imported_for_nothing(ids).await.context("the database cannot be written")
    }
}
