//! What the programs ask about rooms, and about events of every kind.

pub(crate) mod blocks;
pub(crate) mod directory;
pub(crate) mod list;
pub(crate) mod members;
pub(crate) mod places;
pub(crate) mod state;
