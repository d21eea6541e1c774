//! Several backends and consumers at once: one order, one answer, and what they tell each other.

mod cluster;
mod presence;
mod push;
mod rolling_upgrade;
mod signals;
