//! The use cases of rooms: [`act`] writes events, [`access`] says who may see what, [`directory`] finds rooms
//! and their people, [`follow`] has this node follow a room, [`absent`] knows what was not there,
//! [`first`] keeps the rooms that everybody is in.

mod absent;
mod access;
mod act;
mod directory;
pub(super) mod first;
mod follow;
mod visible;

pub(super) use absent::Absent;
pub(super) use access::Place;
pub(super) use act::is_stale;
pub use act::{Acted, RoomChange};
pub use directory::{Member, MemberPage, RoomPage};
#[cfg(test)]
pub(super) use follow::ROOMS_OF_ONE_MAX;
pub(super) use follow::load_wanted;
pub(super) use visible::{Visible, visible};
