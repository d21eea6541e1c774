//! What becomes of records: stored once and in order, given away, left alone.

mod newer;
mod refuse;
mod rooms;
mod store;
