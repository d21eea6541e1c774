//! What a running consumer says of itself.

mod watch;
