//! What the programs ask about rooms.

pub(crate) mod directory;
pub(crate) mod list;
pub(crate) mod members;
mod recent_ids;
pub(crate) mod state;
