//! What networks and machines do while people chat: delay, silence one way or both, reset, pause, kill.
//! Nothing is lost, doubled or reordered; the times to notice, to go on and to catch up are printed as a
//! table.
//!
//! `MILENA_TEST_FAULT_SECONDS=1,5,30` (`scripts/long faults`) makes each fault as long as each of these, with
//! the heartbeat of the defaults, does everything that there is, and judges after each fault.

mod act;
mod cluster;
mod embedded;
mod plan;
mod socket_ends;
mod table;
