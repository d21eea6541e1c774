//! What one stream sends, in order: a gap for each conversation when it cannot go on where an earlier one
//! ended, the newest events of each, then what happens.
//!
//! It is live before the newest events are read, so nothing falls between the two; what is in both comes
//! once. A cursor is true of this very stream, as a socket's is: the delivered position is read first, then
//! the outbox is emptied, then the position is told. None is told before a replay is in the outbox.

use std::collections::{HashMap, HashSet, VecDeque};
use std::convert::Infallible;
use std::time::Duration;

use futures::{Stream, stream};
use milena_domain::{ConversationId, Position, SessionCursor, UserId};
use milena_settings::SocketSettings;
use milena_storage::Page;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;
use warp::sse::Event;

use super::names::Name;
use crate::chat::{Chat, news_of};
use crate::live::life::Shown;
use crate::live::{News, Update};
use crate::refusal::{Code, Refusal};
use crate::registry::{Outbox, Registration};
use crate::server::places::OfAddress;
use crate::socket::CursorPace;
use crate::wire::frames::frame_for;

/// Puts what was missed into the outbox; ends with the stream.
type Replay = AbortOnDropHandle<Result<(), Refusal>>;

/// What somebody wants to hear.
pub(super) struct Subscription {
    pub(super) user: UserId,
    /// Its end is the stream's.
    pub(super) session: Uuid,
    pub(super) conversations: HashSet<ConversationId>,
    /// Events of each conversation to begin with.
    pub(super) prefetch: usize,
    /// The `Last-Event-ID`.
    pub(super) resume: Option<String>,
    /// Among the connections of the client behind a proxy: a stream is one until it ends.
    pub(super) place: Option<OfAddress>,
    /// The server stops.
    pub(super) stop: CancellationToken,
}

/// A stream that is live.
pub(super) struct Feed {
    chat: Chat,
    user: UserId,
    conversations: HashSet<ConversationId>,
    stop: CancellationToken,
    outbox: Outbox,
    /// Keeps it registered.
    _registration: Registration,
    _place: Option<OfAddress>,
    /// Comes before everything else.
    first: VecDeque<Event>,
    /// Up to where each conversation is in `first`.
    shown: HashMap<ConversationId, Position>,
    replay: Option<Replay>,
    /// Updates that were in the outbox when `due` was read.
    batch: usize,
    /// To be told after the batch.
    due: Option<SessionCursor>,
    pace: CursorPace,
}

impl Feed {
    /// Goes live.
    ///
    /// # Errors
    /// Those of attaching and of history: of a conversation that one is not in, too.
    pub(super) async fn begin(
        chat: Chat,
        subscription: Subscription,
        settings: &SocketSettings,
    ) -> Result<Self, Refusal> {
        let Subscription { user, session, conversations, prefetch, resume, place, stop } = subscription;
        let wants_more = resume.is_some();
        let resume = resume.and_then(|text| chat.open_cursor(user, &text));
        let outbox = Outbox::from_settings(settings);
        let attached = chat.attach(user, session, outbox.clone(), resume.clone()).await?;
        let resumed = attached.resumed;
        let replay = (!attached.backlog.is_empty()).then(|| {
            let (chat, outbox, backlog) = (chat.clone(), outbox.clone(), attached.backlog);
            AbortOnDropHandle::new(tokio::spawn(async move { chat.replay(user, backlog, &outbox).await }))
        });
        let cursor = resume.filter(|_| resumed).unwrap_or(attached.cursor);
        let interval = Duration::from_millis(settings.heartbeat_ms);
        let mut feed = Self {
            pace: CursorPace::new(Instant::now(), cursor.clone(), interval, rand::random()),
            _registration: attached.registration,
            _place: place,
            first: VecDeque::new(),
            shown: HashMap::new(),
            batch: 0,
            due: None,
            chat,
            user,
            conversations,
            stop,
            outbox,
            replay,
        };
        feed.begin_with(if resumed { 0 } else { prefetch }, wants_more && !resumed).await?;
        let id = feed.chat.seal_cursor(user, &cursor);
        feed.first.push_back(Event::default().id(id));
        Ok(feed)
    }

    /// Reads what comes first; also where nothing does, since it refuses whoever may not read.
    async fn begin_with(&mut self, prefetch: usize, has_gap: bool) -> Result<(), Refusal> {
        for conversation in self.conversations.iter().copied().collect::<Vec<_>>() {
            let page = self.chat.history(self.user, conversation, Page::Latest, prefetch.max(1)).await?;
            if !page.complete && prefetch > 0 {
                return Err(Refusal::later(
                    Code::Overloaded,
                    "what happened lately cannot be told yet",
                    1_000,
                ));
            }
            let events: Vec<Shown> = if prefetch > 0 { page.messages } else { Vec::new() };
            if has_gap {
                let before = events.first().map(|shown| shown.placed.position);
                let gap = News::Gap {
                    conversation,
                    after: Position::ZERO,
                    before,
                    changes_after: Some(Position::ZERO),
                };
                self.first.extend(event_of(&gap.into(), self.user));
            }
            if let Some(last) = events.last() {
                self.shown.insert(conversation, last.placed.position);
            }
            self.first.extend(events.iter().filter_map(|shown| event_of(&news_of(shown), self.user)));
        }
        Ok(())
    }

    /// All of it, to the end.
    pub(super) fn events(self) -> impl Stream<Item = Result<Event, Infallible>> + Send {
        stream::unfold(self, |mut feed| async { Some((Ok(feed.next().await?), feed)) })
    }

    async fn next(&mut self) -> Option<Event> {
        if let Some(event) = self.first.pop_front() {
            return Some(event);
        }
        loop {
            if let Some(event) = self.next_of_batch() {
                return Some(event);
            }
            if self.outbox.is_closed() || self.stop.is_cancelled() {
                return None;
            }
            let may_tell = self.replay.is_none();
            let is_due = may_tell && Instant::now() >= self.pace.deadline();
            if is_due || !self.outbox.is_empty() {
                self.due = is_due.then(|| self.chat.delivered());
                self.batch = self.outbox.len();
                continue;
            }
            let deadline = self.pace.deadline();
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return None,
                is_whole = is_over(&mut self.replay) => {
                    if !is_whole {
                        // To go on would hide what was missed: the client comes back with its cursor.
                        return None;
                    }
                    self.pace.sent(Instant::now());
                }
                () = self.outbox.wait() => {}
                () = sleep_until(deadline), if may_tell => {}
            }
        }
    }

    /// What is left of the batch, then the cursor that is true after it.
    fn next_of_batch(&mut self) -> Option<Event> {
        while self.batch > 0 {
            self.batch -= 1;
            let update = self.outbox.pop()?;
            self.pace.sent(Instant::now());
            if self.is_wanted(&update)
                && let Some(event) = event_of(&update, self.user)
            {
                return Some(event);
            }
        }
        let cursor = self.due.take()?;
        let is_news = self.pace.tell(Instant::now(), &cursor);
        is_news.then(|| Event::default().id(self.chat.seal_cursor(self.user, &cursor)))
    }

    fn is_wanted(&self, update: &Update) -> bool {
        let news = update.news();
        let Some(of) = news.conversation().filter(|_| Name::of(news).is_some()) else { return false };
        let is_shown = match news {
            News::Placed(placed) => self.shown.get(&of).is_some_and(|shown| placed.position <= *shown),
            _ => false,
        };
        !is_shown && self.conversations.contains(&of)
    }
}

fn event_of(update: &Update, user: UserId) -> Option<Event> {
    let name = Name::of(update.news())?;
    let frame = frame_for(update, user)?;
    Some(Event::default().event(name.as_str()).data(frame.as_str()))
}

/// Waits for the replay, and empties the slot; for ever when there is none. Whether nothing was left out.
async fn is_over(replay: &mut Option<Replay>) -> bool {
    let Some(task) = replay else { return std::future::pending().await };
    let outcome = task.await;
    *replay = None;
    matches!(outcome, Ok(Ok(())))
}
