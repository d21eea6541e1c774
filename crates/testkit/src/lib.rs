//! What the tests of several crates share: real servers and databases on them, a network that can be broken,
//! free addresses, a reader of event streams, a push service, messages as a client holds them, and waiting.
//! For tests alone: nothing that ships depends on it, and it depends on no other crate of this workspace.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test ends where it is surprised")]

mod databases;
mod event_stream;
mod held;
mod ports;
mod proxy;
mod push_service;
mod servers;
mod waiting;

pub use databases::{NewDatabase, create_database};
pub use event_stream::{EventReader, StreamEvent};
pub use held::{Held, HeldKey, compared};
pub use ports::free_address;
pub use proxy::{Proxy, Weather};
pub use push_service::{Device, PushService, Pushed, Reply};
pub use servers::{Kind, OwnServer, given, required, shared};
pub use waiting::{number, tell, turn, until};
