//! `milena import`: what a file says is what is stored, once, whatever the file and however often.

mod corpus;
mod identity;
mod messages;
mod moving;
mod rooms;
