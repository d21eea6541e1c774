//! One signed-in connection, owned by one task: it alone reads, writes, keeps the time and ends it.
//!
//! - A client's sends to a conversation reach the log in the order in which they arrived: they are checked
//!   side by side, since that may take a look-up, and enqueued one after the other; other conversations do
//!   not wait for it. Up to `max_in_flight` are checked or wait for the log; then reading pauses.
//! - Every turn of the loop ends with emptying the outbox, so a flood of incoming frames cannot hold up what
//!   goes out.
//! - A cursor is true of this very socket: the delivered position is read *first*, then the outbox is
//!   emptied, then the position is told. None is told before the replay is in the outbox, nor while something
//!   is held back that was not announced.

use std::pin::Pin;

use futures::future::{BoxFuture, FutureExt};
use futures::stream::{FuturesUnordered, StreamExt};
use milena_domain::{ClientId, ConversationId, UserId};
use milena_settings::SocketSettings;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Duration, Instant, Sleep, sleep_until};

use super::cursor_pace::CursorPace;
use super::frame_rate::FrameRate;
use super::heartbeat::{Beat, Heartbeat};
use super::lanes::Lanes;
use super::line::{End, Incoming, Line};
use super::node::{Enqueue, Node, Outcome};
use super::passive::{Held, Passive, Taken, Told};
use super::send_rate::SendRate;
use crate::chat::{ChangeRequest, RoomChange, SendRequest, Target};
use crate::live::Update;
use crate::refusal::Refusal;
use crate::registry::{CloseCode, ConnectionId, Outbox};
use crate::wire::Frame;
use crate::wire::frames::{
    ClientFrame, InRoom, activity_frame, cursor_frame, error_frame, frame_for, pong_frame, prefix_frame,
    rejected_frame,
};

/// A silent client's prefix is renewed with the next ping after this: seldom enough to cost nothing, and
/// memory reaches back further unless a node takes many hundred messages a second.
const PREFIX_AGE: Duration = Duration::from_secs(300);

/// What a connection works with.
pub(super) struct Connection<'a, S> {
    pub(super) line: &'a mut Line<S>,
    pub(super) node: &'a dyn Node,
    pub(super) settings: &'a SocketSettings,
    /// Of this user, over all sockets.
    pub(super) send_rate: &'a SendRate,
    /// Of this connection.
    pub(super) frame_rate: &'a FrameRate,
    pub(super) outbox: &'a Outbox,
    pub(super) user: UserId,
    pub(super) id: ConnectionId,
    pub(super) heartbeat: Heartbeat,
    /// When the client was last given a prefix for its `client_id`s.
    pub(super) prefixed_at: Instant,
    pub(super) pace: CursorPace,
    /// Where the client wants large rooms that it does not show to be announced.
    pub(super) passive: Option<Box<Passive>>,
    pub(super) counts: &'a mut Counts,
}

/// For the line in the log when it is over.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) received: u64,
    pub(super) sent: u64,
}

/// What is under way for a connection besides reading and writing.
///
/// Together `checking` and `in_flight` are at most `max_in_flight`.
struct Work {
    /// Sends that are checked.
    checking: Lanes<(ClientId, Result<Enqueue, Refusal>)>,
    /// Sends that wait for the log, and read positions that are looked up.
    in_flight: FuturesUnordered<BoxFuture<'static, Done>>,
    /// Until it is over, no cursor is told.
    replay: Option<Outcome>,
}

impl Work {
    fn len(&self) -> usize {
        self.checking.len() + self.in_flight.len()
    }
}

enum Done {
    Send(ClientId, Result<(), Refusal>),
    Read(Result<(), Refusal>),
}

enum Event {
    Checked(ClientId, Result<Enqueue, Refusal>),
    Done(Done),
    Replayed(Result<(), Refusal>),
    Received(Incoming),
    /// The outbox has something, or was closed.
    Outgoing,
    Timer,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<'_, S> {
    /// Works until the connection ends; `welcome` was sent. `stop` ends it for a restart of the server.
    pub(super) async fn run(
        &mut self,
        replay: Option<Outcome>,
        appear: Option<Outcome>,
        stop: impl Future<Output = ()>,
    ) -> End {
        let mut stop = std::pin::pin!(stop);
        let mut work = Work { checking: Lanes::new(), in_flight: FuturesUnordered::new(), replay };
        work.in_flight.extend(appear.map(|appear| appear.map(Done::Read).boxed()));
        let mut timer = std::pin::pin!(sleep_until(Instant::now()));
        loop {
            let reading = work.len() < self.settings.max_in_flight;
            self.arm(timer.as_mut(), work.replay.is_none());
            let event = tokio::select! {
                biased;
                () = &mut stop => return End::Ours(CloseCode::Restart),
                Some((client_id, checked)) = work.checking.next() => Event::Checked(client_id, checked),
                Some(done) = work.in_flight.next() => Event::Done(done),
                outcome = wait_for(&mut work.replay) => Event::Replayed(outcome),
                incoming = self.line.receive(), if reading => match incoming {
                    Ok(incoming) => Event::Received(incoming),
                    Err(end) => return end,
                },
                () = self.outbox.wait() => Event::Outgoing,
                () = &mut timer => Event::Timer,
            };
            let ended = match event {
                Event::Outgoing => self.write_out(work.replay.is_none()).await,
                // Boxed: what a frame needs for a moment must not take room while the connection is idle.
                event => Box::pin(self.turn(event, &mut work, reading)).await,
            };
            if let Err(end) = ended {
                return end;
            }
        }
    }

    async fn turn(&mut self, event: Event, work: &mut Work, reading: bool) -> Result<(), End> {
        match event {
            Event::Checked(client_id, Ok(enqueue)) => {
                work.in_flight.push(enqueue().map(|answer| Done::Send(client_id, answer)).boxed());
            }
            Event::Checked(client_id, Err(refusal)) | Event::Done(Done::Send(client_id, Err(refusal))) => {
                self.feed(rejected_frame(&client_id, &refusal)).await?;
            }
            Event::Done(Done::Read(Err(refusal))) => self.feed(error_frame(&refusal, None)).await?,
            // `accepted` comes through the outbox, in its place among the messages.
            Event::Done(Done::Send(_, Ok(())) | Done::Read(Ok(()))) | Event::Outgoing => {}
            Event::Replayed(Ok(())) => self.pace.sent(Instant::now()),
            // To go on would hide what was missed.
            Event::Replayed(Err(_)) => return Err(End::Ours(CloseCode::StoreUnavailable)),
            Event::Received(incoming) => {
                self.heartbeat.heard(Instant::now());
                let too_soon = self.frame_rate.check()?.err();
                if let Incoming::Text(text) = incoming {
                    self.counts.received += 1;
                    self.take(&text, too_soon, work).await?;
                }
            }
            Event::Timer if reading => self.beat().await?,
            // Who does not listen cannot blame the other side for silence.
            Event::Timer => self.heartbeat.heard(Instant::now()),
        }
        self.write_out(work.replay.is_none()).await
    }

    /// Sets the timer to what is due next, unless it wakes up early enough anyway: most turns then leave it
    /// alone.
    fn arm(&self, timer: Pin<&mut Sleep>, may_tell: bool) {
        let mut deadline = self.heartbeat.deadline();
        match self.passive.as_ref().and_then(|passive| passive.deadline()) {
            // No cursor before that.
            Some(announced_at) => deadline = deadline.min(announced_at),
            None if may_tell => deadline = deadline.min(self.pace.deadline()),
            None => {}
        }
        if timer.is_elapsed() || deadline < timer.deadline() {
            timer.reset(deadline);
        }
    }

    /// Takes a client's frame, unless it came too soon; what takes time goes to the work.
    async fn take(&mut self, text: &str, too_soon: Option<Refusal>, work: &mut Work) -> Result<(), End> {
        let frame = ClientFrame::parse(text);
        if let Some(refusal) = too_soon {
            let answer = match frame {
                Ok(
                    ClientFrame::Send { client_id, .. }
                    | ClientFrame::Change { client_id, .. }
                    | ClientFrame::InRoom { client_id, .. },
                ) => rejected_frame(&client_id, &refusal),
                Ok(_) => error_frame(&refusal, None),
                Err(bad) => error_frame(&refusal, bad.client_id.as_ref()),
            };
            return self.feed(answer).await;
        }
        match frame {
            Ok(ClientFrame::Send { client_id, target, body, besides }) => {
                let besides_bytes = besides.as_ref().map_or(0, |besides| besides.payload_bytes());
                if let Err(refusal) = self.count_send(body.as_str().len() + besides_bytes)? {
                    return self.feed(rejected_frame(&client_id, &refusal)).await;
                }
                let (sender, connection) = (self.user, Some(self.id));
                let request =
                    SendRequest { sender, target, client_id: client_id.clone(), body, besides, connection };
                let sending = self.node.send(request);
                work.checking.push(self.lane(target), sending.map(|checked| (client_id, checked)));
                Ok(())
            }
            Ok(ClientFrame::Change { client_id, target, message, what }) => {
                if let Err(refusal) = self.count_send(what.payload_bytes())? {
                    return self.feed(rejected_frame(&client_id, &refusal)).await;
                }
                let request = ChangeRequest {
                    actor: self.user,
                    target,
                    client_id: client_id.clone(),
                    position: message.position,
                    id: Some(message.id),
                    what,
                    connection: Some(self.id),
                };
                let changing = self.node.change(request);
                work.checking.push(self.lane(target), changing.map(|checked| (client_id, checked)));
                Ok(())
            }
            Ok(ClientFrame::InRoom { client_id, what }) => {
                if let Err(refusal) = self.count_send(what.payload_bytes())? {
                    return self.feed(rejected_frame(&client_id, &refusal)).await;
                }
                let (actor, connection) = (self.user, Some(self.id));
                let change = match *what {
                    InRoom::Create(created) => {
                        RoomChange::creation(actor, client_id.clone(), created, connection)
                    }
                    InRoom::Act { room, action } => {
                        RoomChange { actor, room, client_id: client_id.clone(), action, connection }
                    }
                };
                let (lane, acting) = (change.room, self.node.act(change));
                work.checking.push(lane, acting.map(|checked| (client_id, checked)));
                Ok(())
            }
            Ok(ClientFrame::Read { conversation, position }) => {
                let marking = self.node.mark_read(self.user, conversation, position, self.id);
                work.in_flight.push(marking.map(Done::Read).boxed());
                Ok(())
            }
            Ok(ClientFrame::Received { conversation, position }) => {
                let telling = self.node.received(self.user, conversation, position);
                work.in_flight.push(telling.map(Done::Read).boxed());
                Ok(())
            }
            Ok(ClientFrame::Watch { users, conversations }) => {
                if let Some(passive) = &mut self.passive {
                    let opened = passive.watch(&conversations, Instant::now());
                    for (conversation, held) in opened {
                        self.announce(conversation, held).await?;
                    }
                }
                let watching = self.node.watch(self.user, self.id, users, conversations);
                work.in_flight.push(watching.map(Done::Read).boxed());
                Ok(())
            }
            Ok(ClientFrame::Typing { conversation, on }) => {
                let typing = self.node.typing(self.user, conversation, on);
                work.in_flight.push(typing.map(Done::Read).boxed());
                Ok(())
            }
            Ok(ClientFrame::Idle { on }) => {
                self.node.idle(self.user, self.id, on);
                Ok(())
            }
            Ok(ClientFrame::Ping) => self.feed(pong_frame()).await,
            Ok(ClientFrame::Hello { .. }) => Err(End::Ours(CloseCode::BadFrame)),
            Err(bad) => self.feed(error_frame(&bad.refusal, bad.client_id.as_ref())).await,
        }
    }

    /// Counts what goes to the log; who goes on when refused is cut off in the end.
    fn count_send(&self, payload: usize) -> Result<Result<(), Refusal>, End> {
        let rate = self.send_rate;
        let counted = rate.check(self.user).and_then(|()| rate.check_bytes(self.user, payload));
        if counted.is_err() {
            self.frame_rate.refused()?;
        }
        Ok(counted)
    }

    /// Whose order it is in.
    fn lane(&self, target: Target) -> ConversationId {
        match target {
            Target::User(to) => ConversationId::direct(self.user, to),
            Target::Conversation(conversation) => conversation,
        }
    }

    async fn beat(&mut self) -> Result<(), End> {
        match self.heartbeat.beat(Instant::now()) {
            Beat::Wait => Ok(()),
            Beat::Ping => {
                self.renew_prefix().await?;
                self.line.ping().await
            }
            Beat::Dead => Err(End::Ours(CloseCode::NoPong)),
        }
    }

    /// Who has long been silent gets a prefix that memory covers: what is sent next then needs no look-up,
    /// also while the database is away. Whoever sends all the time gets one with the first answer that needed
    /// a look-up.
    async fn renew_prefix(&mut self) -> Result<(), End> {
        let now = Instant::now();
        if now < self.prefixed_at + PREFIX_AGE {
            return Ok(());
        }
        self.prefixed_at = now;
        self.feed(prefix_frame(&self.node.client_id_prefix(self.user))).await
    }

    /// Empties the outbox, tells the cursor when it is due, and flushes once.
    async fn write_out(&mut self, may_tell: bool) -> Result<(), End> {
        let now = Instant::now();
        if !self.outbox.is_empty() {
            self.pace.sent(now);
        }
        let cursor = (may_tell && now >= self.pace.deadline()).then(|| self.node.delivered());
        // What was there when the cursor was read; what comes meanwhile is the next turn's.
        for _ in 0..self.outbox.len() {
            let Some(update) = self.outbox.pop() else { break };
            // Boxed, as in `run`: most connections hold nothing back.
            if self.passive.is_some() && Box::pin(self.holds_back(&update, now)).await? {
                continue;
            }
            if let Some(frame) = frame_for(&update, self.user) {
                self.feed(frame).await?;
            }
        }
        if let Some(code) = self.outbox.closed() {
            return Err(End::Ours(code));
        }
        if self.passive.as_ref().is_some_and(|passive| passive.holds()) {
            Box::pin(self.announce_due(now)).await?;
        }
        if let Some(cursor) = cursor
            && !self.passive.as_ref().is_some_and(|passive| passive.holds())
            && self.pace.tell(now, &cursor)
        {
            self.feed(cursor_frame(&self.node.seal_cursor(self.user, &cursor))).await?;
        }
        self.line.flush().await
    }

    /// Whether an update is held back; if not, and something of its room was, that is announced before it.
    async fn holds_back(&mut self, update: &Update, now: Instant) -> Result<bool, End> {
        let Some(passive) = &mut self.passive else { return Ok(false) };
        let Some(told) = Told::of(update, self.user) else { return Ok(false) };
        let is_large = told.can_wait.is_some() && self.node.is_large(told.conversation);
        match passive.take(told, is_large, now) {
            Taken::Held => Ok(true),
            Taken::Sent(before) => {
                if let Some(held) = before {
                    self.announce(told.conversation, held).await?;
                }
                Ok(false)
            }
        }
    }

    /// Announces what was held back for long enough.
    async fn announce_due(&mut self, now: Instant) -> Result<(), End> {
        let due = self.passive.as_mut().map(|passive| passive.due(now)).unwrap_or_default();
        for (conversation, held) in due {
            self.announce(conversation, held).await?;
        }
        Ok(())
    }

    async fn announce(&mut self, conversation: ConversationId, held: Held) -> Result<(), End> {
        let Held { after, position, messages, at } = held;
        self.feed(activity_frame(conversation, (after, position), messages, at)).await
    }

    async fn feed(&mut self, frame: Frame) -> Result<(), End> {
        self.counts.sent += 1;
        self.line.feed(frame).await
    }
}

/// Waits for what is in the slot, and empties it; for ever when there is nothing.
async fn wait_for<T>(slot: &mut Option<BoxFuture<'static, T>>) -> T {
    let Some(future) = slot else { return std::future::pending().await };
    let outcome = future.await;
    *slot = None;
    outcome
}
