//! Some lines of the file: what is there already is left out, and the rest goes into the log, in its order.
//!
//! What becomes of all lines is settled before the first of them is sent. What changes nothing is kept in the
//! database by then: an import that is cut off, and any later one, finds the room changed by what stands
//! behind, and must not take it for news.
//!
//! An answer, an edit and a reaction name the place of another message, which is known when the log has
//! confirmed that one. So that not every reaction waits for the message before it, edits and reactions come
//! behind the messages of their lines, but before anybody goes from the room.

use std::collections::{HashMap, HashSet};

use anyhow::Context as _;
use milena_domain::MessageId;
use milena_domain::Position;
use milena_domain::record::{Event, Target};

use super::event::Happened;
use super::ledger::{Content, Sent, SentKind};
use super::line::{ImportLine, LineError, Message, Place, Record, What, aim_at};
use super::rooms::Verdict;
use super::{Import, stored};

/// What was there before these lines.
struct Known {
    stored: HashMap<MessageId, Content>,
    /// Where those stand that the database has, of what these lines are about or change.
    places: HashMap<MessageId, Position>,
    /// Events that changed nothing, also of these lines.
    for_nothing: HashSet<MessageId>,
}

/// One record on its way.
enum Outgoing {
    /// A message, and the ids that the one which it answers may have.
    Message(Message, Vec<MessageId>),
    /// An event of a line.
    Event(Event),
    /// An edit or a reaction, and the ids that its message may have.
    Change(Event, Vec<MessageId>),
    /// What the import does by itself.
    Own(Event),
}

/// Edits and reactions that come behind the messages.
type Later<'l> = Vec<(&'l ImportLine, Event, Vec<MessageId>)>;

impl Import<'_> {
    /// Sends what nobody has yet.
    pub(super) async fn take(&mut self, lines: Vec<ImportLine>) -> anyhow::Result<()> {
        let mut outgoing = Vec::new();
        if !self.open_rooms(&lines, &mut outgoing).await? {
            return Ok(());
        }
        let store = &self.target.store;
        let people = self.people.ensure(store, lines.iter().flat_map(ImportLine::people)).await?;
        let records: Vec<_> = lines.iter().map(|line| line.record(people, &self.rooms)).collect();
        let mut known = self.known(&records).await?;
        let (mut for_nothing, mut later) = (Vec::new(), Later::new());
        for (line, record) in lines.iter().zip(records) {
            if let Place::Room(room) = &line.place
                && self.rooms.is_too_public(room)
            {
                self.refuse(&line.origin, &LineError::WouldBePublic(room.clone()));
                continue;
            }
            match record {
                Err(problem) => self.refuse(&line.origin, &problem),
                Ok(Record::Nothing) => self.summary.about_rooms += 1,
                Ok(Record::Message { message, content, answers }) => {
                    self.plan_message(line, message, (content, answers), &known, &mut outgoing);
                }
                Ok(Record::Changed { event, candidates }) => later.push((line, event, candidates)),
                Ok(Record::Happened(happened)) => {
                    self.plan_changes(&mut later, &known, &mut outgoing);
                    let nothing = self.plan_event(line, &happened, &known, &mut outgoing);
                    known.for_nothing.extend(nothing);
                    for_nothing.extend(nothing);
                }
            }
        }
        self.plan_changes(&mut later, &known, &mut outgoing);
        self.keep_for_nothing(&for_nothing).await?;
        self.send_all(outgoing, &known).await
    }

    /// Asks the database about all that these lines name.
    async fn known(&self, records: &[Result<Record, LineError>]) -> anyhow::Result<Known> {
        const CONTEXT: &str = "the database cannot be asked";
        let store = &self.target.store;
        let (mut ids, mut events, mut places) = (Vec::with_capacity(records.len()), Vec::new(), Vec::new());
        for record in records.iter().flatten() {
            match record {
                Record::Message { message, answers, .. } => {
                    ids.push(message.id());
                    places.extend(answers);
                }
                Record::Changed { event, candidates } => {
                    events.push(event.id);
                    places.push(event.id);
                    places.extend(candidates);
                }
                Record::Happened(happened) => {
                    events.extend(happened.ids());
                    ids.extend(happened.ids());
                }
                Record::Nothing => {}
            }
        }
        let for_nothing = store.imported_for_nothing(&events).await.context(CONTEXT)?;
        places.sort_unstable();
        places.dedup();
        let places = store.events_by_id(&places).await.context(CONTEXT)?;
        let places = places.into_iter().map(|place| (place.id, place.position)).collect();
        Ok(Known { stored: stored(store, &ids).await?, places, for_nothing })
    }

    async fn send_all(&mut self, outgoing: Vec<Outgoing>, known: &Known) -> anyhow::Result<()> {
        for record in outgoing {
            let (sent, count) = match record {
                Outgoing::Message(mut message, answers) => {
                    if let Message::Event(event) = &mut message
                        && !answers.is_empty()
                    {
                        match self.place_of(&answers, known).await? {
                            Some(target) => aim_at(&mut event.action, target),
                            None => self.summary.orphans += 1,
                        }
                    }
                    (self.producer.send(&message, self.stop).await?, Some(&mut self.summary.produced))
                }
                Outgoing::Event(event) => {
                    let sent = self.producer.send_event(&event, self.stop).await?;
                    (sent, Some(&mut self.summary.events.produced))
                }
                Outgoing::Change(mut event, candidates) => {
                    // It was among what is sent or stored; what is not confirmed ends the import.
                    let Some(target) = self.place_of(&candidates, known).await? else { continue };
                    aim_at(&mut event.action, target);
                    let sent = self.producer.send_event(&event, self.stop).await?;
                    (sent, Some(&mut self.summary.changes.produced))
                }
                Outgoing::Own(event) => (self.producer.send_event(&event, self.stop).await?, None),
            };
            if !sent {
                return Ok(());
            }
            if let Some(count) = count {
                *count += 1;
            }
        }
        Ok(())
    }

    /// Where the first of these stands that is somewhere; waits for the log if that is on its way.
    async fn place_of(&self, candidates: &[MessageId], known: &Known) -> anyhow::Result<Option<Target>> {
        let epoch = self.rooms.epoch();
        let find = || {
            candidates.iter().find_map(|id| {
                let sent = self.producer.offset_of(*id).map(|offset| Position::new(epoch, offset));
                let position = sent.or_else(|| known.places.get(id).copied())?;
                Some(Target { position, id: *id })
            })
        };
        if let Some(found) = find() {
            return Ok(Some(found));
        }
        if candidates.iter().any(|id| self.ledger.get(*id).is_some()) {
            self.producer.finish().await?;
        }
        Ok(find())
    }

    /// Makes the rooms of these lines known. `false` when the import was stopped meanwhile.
    async fn open_rooms(
        &mut self,
        lines: &[ImportLine],
        outgoing: &mut Vec<Outgoing>,
    ) -> anyhow::Result<bool> {
        let (store, topic) = (&self.target.store, &self.target.settings.kafka.topic);
        if !lines.iter().any(ImportLine::needs_proof) {
            return Ok(true);
        }
        if !self.has_proven {
            self.has_proven = true;
            // With `--no-wait` an earlier import may be on its way still.
            self.target.wait_until_stored(self.progress, self.stop).await?;
            self.progress.reading();
        }
        let producer = &self.producer;
        self.rooms.wait_for_store(store, topic, || producer.ends(), self.stop).await?;
        if self.stop.is_cancelled() {
            return Ok(false);
        }
        for line in lines {
            if let (Place::Room(room), What::Created(form)) = (&line.place, &line.what) {
                self.rooms.expect(room, form);
            }
        }
        let in_rooms = lines.iter().filter_map(|line| match &line.place {
            Place::Room(room) => Some((&**room, line.sent_at)),
            Place::To(_) => None,
        });
        let created = self.rooms.ensure(store, topic, in_rooms).await?;
        outgoing.extend(created.into_iter().map(Outgoing::Own));
        Ok(true)
    }

    /// A message, and before it, in a room, that its sender joins.
    fn plan_message(
        &mut self,
        line: &ImportLine,
        message: Message,
        (content, answers): (Content, Vec<MessageId>),
        known: &Known,
        outgoing: &mut Vec<Outgoing>,
    ) {
        if let Some(was_known) = self.is_known(line, message.id(), content, known) {
            self.summary.known += u64::from(was_known);
            return;
        }
        if let (Place::Room(room), Message::Event(event)) = (&line.place, &message) {
            outgoing.extend(self.rooms.joining(room, event).map(Outgoing::Own));
        }
        let (origin, kind) = (line.origin.clone(), SentKind::Message);
        self.ledger.insert(message.id(), Sent { origin, content, kind });
        outgoing.push(Outgoing::Message(message, answers));
    }

    /// Edits and reactions, and before each, in a room, that whoever does it joins.
    fn plan_changes(&mut self, later: &mut Later<'_>, known: &Known, outgoing: &mut Vec<Outgoing>) {
        for (line, event, candidates) in later.drain(..) {
            let id = event.id;
            if known.for_nothing.contains(&id) {
                self.summary.changes.unchanged += 1;
                continue;
            }
            if known.places.contains_key(&id) || self.ledger.get(id).is_some() {
                self.summary.changes.known += 1;
                continue;
            }
            let is_there = |id: &MessageId| self.ledger.get(*id).is_some() || known.places.contains_key(id);
            if !candidates.iter().any(is_there) {
                self.refuse(&line.origin, &LineError::NoTarget(line.aim_id().to_owned()));
                continue;
            }
            if let Place::Room(room) = &line.place {
                outgoing.extend(self.rooms.joining(room, &event).map(Outgoing::Own));
            }
            let (origin, content) = (line.origin.clone(), Content::of_change(event.conversation));
            self.ledger.insert(id, Sent { origin, content, kind: SentKind::Change });
            outgoing.push(Outgoing::Change(event, candidates));
        }
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
                let (origin, kind) = (line.origin.clone(), SentKind::Event);
                self.ledger.insert(event.id, Sent { origin, content, kind });
                outgoing.push(Outgoing::Event(event));
            }
            Verdict::Nothing => {
                self.summary.events.unchanged += 1;
                return Some(happened.by_sender.id);
            }
            Verdict::Void(void) => self.refuse(&line.origin, &LineError::NotAllowed(void)),
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
            (Some(sent), _) => (sent.content, format!(": {}", sent.origin)),
            (None, Some(stored)) => (*stored, String::new()),
            (None, None) => return None,
        };
        let conflict = content.conflict(other).filter(|_| !line.is_undated);
        let Some(other) = conflict else { return Some(true) };
        let (id, from) = (line.id.clone(), line.from.clone());
        self.refuse(&line.origin, &LineError::Taken { id, from, other, at });
        Some(false)
    }

    /// Keeps that these events changed nothing.
    pub(super) async fn keep_for_nothing(&self, ids: &[MessageId]) -> anyhow::Result<()> {
        self.target.store.keep_imported_for_nothing(ids).await.context("the database cannot be written")
    }
}
