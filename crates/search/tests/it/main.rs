//! Search indexes, on real engines.
//!
//! `conformance/` is what every engine has to do; `world` makes messages and questions, and knows the right
//! answers, because it asks the matcher about every message. What only one engine does lies in its folder.
#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod conformance;
mod corpora;
mod embedded;
mod figures;
mod world;
