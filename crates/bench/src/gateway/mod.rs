//! The benches of the gateway: how fast, how many, how little memory, and what one bad client does to the
//! others.

pub mod fanout;
pub mod idle;
pub mod latency;
pub mod presence;
pub mod rooms;
pub mod slow;
pub mod storm;
pub mod throughput;
