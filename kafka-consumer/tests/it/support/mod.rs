//! What the stories are told with.

pub(crate) mod child;
pub(crate) mod log;
pub(crate) mod program;
pub(crate) mod running;
pub(crate) mod store;
pub(crate) mod traffic;
pub(crate) mod truth;
pub(crate) mod world;
