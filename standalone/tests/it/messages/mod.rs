//! What becomes of a message between clients: sent, repeated, changed, missed and told again, and kept from
//! whom it does not concern.

mod bad_input;
mod changes;
mod epoch;
mod hot;
mod privacy;
mod repeats;
mod resume;
mod secrets;
mod slow_reader;
