//! The rooms that everybody who registers is in, and the way there.
//!
//! Joining at registration is no dual write: the registration's transaction leaves a row in the outbox, and
//! whichever backend has the lease on it writes the `joined` event, and deletes the row once the log has
//! confirmed it. Whose row is done twice (a backend died, a lease ran out) has one event all the same: a
//! person's joining at registration has one name in each room, and what has one name is one event for ever.
//! So who has left stays away, too.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures::{StreamExt, stream};
use milena_domain::record::{Action, Created, Handle, History, Posting, Title, Visibility};
use milena_domain::{ClientId, ConversationId, MessageId, UserId};
use milena_storage::{Joining, crash_point};
use milena_timeline::Void;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::RoomChange;
use crate::chat::Chat;
use crate::refusal::{Code, Refusal};

/// Rows that are claimed at a time.
const CLAIM: usize = 64;
/// Of these, written at once.
const AT_ONCE: usize = 16;
/// How long a claim holds; who has not finished by then may be dead.
const LEASE: Duration = Duration::from_secs(5);
/// Between looks into the outbox when nobody says that there is something, and between attempts.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// A row of a room that nobody has created for so long is of one that is not wanted any more.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3_600);

/// What registrations and the relay share.
#[derive(Debug, Default)]
pub(in crate::chat) struct FirstRooms {
    /// Written by the relay when a room turns out to be somebody's; read for the length of a copy.
    rooms: RwLock<Vec<ConversationId>>,
    registered: Notify,
}

impl FirstRooms {
    pub(in crate::chat) fn new(handles: &[Handle]) -> Arc<Self> {
        let rooms = RwLock::new(handles.iter().map(first_room).collect());
        Arc::new(Self { rooms, registered: Notify::new() })
    }

    fn forget(&self, room: ConversationId) {
        self.rooms.write().unwrap_or_else(PoisonError::into_inner).retain(|other| *other != room);
    }
}

/// The room that goes by this handle since the first start.
pub(in crate::chat) fn first_room(handle: &Handle) -> ConversationId {
    ConversationId::room(UserId::SERVER, &creation(handle))
}

fn creation(handle: &Handle) -> ClientId {
    ClientId::new(&format!("first-{handle}")).expect("a handle is printable and short")
}

/// Creates the first rooms, and brings into them whoever registers, until `stop`.
pub(in crate::chat) async fn keep_first_rooms(chat: Chat, handles: Vec<Handle>, stop: CancellationToken) {
    let create = async {
        for handle in &handles {
            while let Err(refusal) = chat.create_first_room(handle).await {
                if refusal.code == Code::HandleTaken {
                    // Somebody's own room: it is not made everybody's.
                    chat.first_rooms.forget(first_room(handle));
                    log::warn!(
                        room = handle.as_str();
                        "a room of rooms.join_at_registration is somebody's own"
                    );
                    break;
                }
                log::debug!(reason = refusal.message.as_str(); "a first room cannot be created yet");
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    };
    let relay = async {
        loop {
            if chat.relay_outbox().await < CLAIM {
                let told = chat.first_rooms.registered.notified();
                let _ = tokio::time::timeout(LOOK_EVERY, told).await;
            }
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        ((), ()) = async { tokio::join!(create, relay) } => {}
    }
}

impl Chat {
    async fn create_first_room(&self, handle: &Handle) -> Result<(), Refusal> {
        let room = first_room(handle);
        if self.follow(room).await? {
            return Ok(());
        }
        // Before the room is there: whoever is cut off here does it again, and twice is once.
        let mut after = None;
        while let Some(last) = self.store.expect_everybody(room, after).await? {
            after = Some(last);
        }
        let created = Created {
            handle: handle.clone(),
            title: title(handle),
            topic: None,
            visibility: Visibility::Public,
            history: History::All,
            posting: Posting::Members,
            members: Vec::new(),
        };
        self.create_room(UserId::SERVER, creation(handle), created).await?;
        log::info!(room = handle.as_str(); "created a room that everybody who registers is in");
        self.registered();
        Ok(())
    }

    /// Writes what waits in the outbox; says how many rows were done.
    async fn relay_outbox(&self) -> usize {
        let claimed = match self.store.claim_joinings(LEASE, CLAIM).await {
            Ok(claimed) => claimed,
            Err(error) => {
                log::debug!(error:% = error; "the outbox cannot be read");
                return 0;
            }
        };
        let done: Vec<MessageId> = stream::iter(claimed)
            .map(|joining| async move { self.bring_in(&joining).await.then_some(joining.id) })
            .buffer_unordered(AT_ONCE)
            .filter_map(std::future::ready)
            .collect()
            .await;
        crash_point("outbox_written");
        if let Err(error) = self.store.delete_outbox(&done).await {
            // Done again after the lease, and then no change.
            log::debug!(error:% = error; "rows of the outbox stay for now");
        }
        done.len()
    }

    /// Whether the row has served.
    async fn bring_in(&self, joining: &Joining) -> bool {
        let Joining { user, room, waited, .. } = *joining;
        let (client_id, action) = (Joining::client_id(), Action::Joined);
        let change = RoomChange { actor: user, room, client_id, action, connection: None };
        match self.change_room(change).await {
            Ok(_) => true,
            // Another backend may be about to create it.
            Err(refusal) if refusal.code == Code::UnknownConversation => waited > FORGOTTEN_AFTER,
            Err(refusal) if refusal.code.is_temporary() => {
                log::debug!(reason = refusal.message.as_str(); "a row of the outbox waits");
                false
            }
            Err(Refusal { code: Code::Void(Void::Banned | Void::Archived | Void::Full), .. })
            | Err(Refusal { code: Code::TooManyRooms, .. }) => true,
            Err(refusal) => {
                log::error!(reason = refusal.message.as_str(); "a row of the outbox cannot be done");
                true
            }
        }
    }

    /// The rooms that somebody who registers is brought into.
    #[must_use]
    pub fn first_rooms(&self) -> Vec<ConversationId> {
        self.first_rooms.rooms.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Somebody has registered: the outbox is looked into at once.
    pub fn registered(&self) {
        self.first_rooms.registered.notify_one();
    }
}

fn title(handle: &Handle) -> Title {
    let mut letters = handle.as_str().chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    let text: String = first.into_iter().chain(letters).collect();
    Title::new(&text).expect("a handle makes a title")
}
