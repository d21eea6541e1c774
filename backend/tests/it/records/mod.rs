//! What else stands in the log: other programs' records, and those of newer versions.

mod foreign_records;
mod newer_records;
