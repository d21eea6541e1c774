//! What the programs ask about rooms.

pub(crate) mod directory;
pub(crate) mod list;
pub(crate) mod members;
pub(crate) mod state;
