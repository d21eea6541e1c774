//! What people type.

mod mistake;
mod replay;
mod run;
