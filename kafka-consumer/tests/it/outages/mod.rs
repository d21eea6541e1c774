//! What the consumer needs is away or refuses: it waits, and goes on.

mod broker;
mod database;
mod disk;
mod long;
mod refusals;
