//! Partitions: how many there are, and who has which.

mod count;
mod share;
