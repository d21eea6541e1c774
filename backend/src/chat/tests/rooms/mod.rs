//! Rooms on two nodes over one log, in random schedules, and what must hold whatever happens.

mod device;
mod limits;
mod nodes;
mod play;
mod rules;
mod schedules;
mod steps;
