//! Milena on one machine.
fn main() {}
