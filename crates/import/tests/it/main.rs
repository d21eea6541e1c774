//! Exports as they lie on a disk, through the readers: each sample gives exactly the stream that is written
//! down beside it, packed or not, and what nobody made in good faith is refused in one sentence.
#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod hostile;
mod samples;
mod told;
