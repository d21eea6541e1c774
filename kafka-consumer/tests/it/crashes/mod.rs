//! The consumer is killed.

mod anywhere;
mod points;
