//! What people type.

mod mistake;
mod replay;
mod rewrite;
mod run;
