//! What all events together make of rooms and blocks, held against the store when all of the log was read.
//!
//! The consumer may have gone on meanwhile: what it has changed since is not judged.

use std::collections::HashSet;

use anyhow::Context;
use milena_domain::{ConversationId, Epoch, Position, UserId};
use milena_timeline::Room;

use super::Comparison;

/// Blocks are compared in memory, about 50 bytes each.
const BLOCKS_MAX: usize = 1_000_000;

impl Comparison<'_> {
    /// Compares rooms and blocks.
    pub(super) async fn states(&mut self) -> anyhow::Result<()> {
        self.rooms().await?;
        self.blocks().await
    }

    async fn rooms(&mut self) -> anyhow::Result<()> {
        for (partition, fold) in &self.folds {
            let end = Position::new(self.epoch, self.ends.get(partition).copied().unwrap_or_default());
            for (id, room) in fold.rooms() {
                let found =
                    self.store.room_at(self.topic, id).await.context("the database cannot be read")?;
                match found.0 {
                    None => self.findings.differ(|| format!("room {id} is not in the store")),
                    Some(stored) if stored.folded >= end => {}
                    Some(stored) => {
                        if facts(&stored.room, self.epoch) != facts(room, self.epoch) {
                            self.findings.differ(|| format!("room {id}: what it is differs in the store"));
                        }
                    }
                }
            }
        }
        Ok(())
    }

    async fn blocks(&mut self) -> anyhow::Result<()> {
        let found = self.store.blocks(self.topic, BLOCKS_MAX).await.context("the database cannot be read")?;
        // Where the store has gone on, a block may have come or gone since.
        let is_read = |partition: i32| found.log.next_offsets.get(&partition) == self.ends.get(&partition);
        if !found.is_complete || !self.ends.keys().all(|partition| is_read(*partition)) {
            return Ok(());
        }
        let first = Position::new(self.epoch, 0);
        let stored: HashSet<(ConversationId, UserId)> =
            found.blocks.iter().map(|(conversation, user, _)| (*conversation, *user)).collect();
        let logged: HashSet<(ConversationId, UserId)> =
            self.folds.values().flat_map(|fold| fold.blocks().map(|(id, user, _)| (id, user))).collect();
        // Of earlier epochs the log may have nothing any more.
        let of_now = found.blocks.iter().filter(|(.., since)| *since >= first);
        let of_now: HashSet<_> = of_now.map(|(conversation, user, _)| (*conversation, *user)).collect();
        for (id, user) in logged.difference(&stored) {
            self.findings.differ(|| format!("conversation {id}: the block by {user} is not in the store"));
        }
        for (id, user) in of_now.difference(&logged) {
            self.findings.differ(|| format!("conversation {id}: the log has no block by {user}"));
        }
        Ok(())
    }
}

/// A room apart from where things stand, which a checkpoint of a later epoch tells otherwise.
fn facts(room: &Room, epoch: Epoch) -> Room {
    if epoch == Epoch::FIRST {
        return room.clone();
    }
    Room { created: Position::ZERO, changed: Position::ZERO, ..room.clone() }
}
