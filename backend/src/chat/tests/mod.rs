//! Chat on a log and a store in memory: the real delivery, memory, sends, resumes and outboxes of one or more
//! nodes, each step taken when the test says so.

mod apart;
mod changes;
mod client;
mod complete;
mod dropped;
mod interleavings;
mod lives;
mod many;
mod marks;
mod names;
mod node;
mod read_barrier;
mod reader;
mod repeats;
mod rooms;
mod schedules;
mod shared;
