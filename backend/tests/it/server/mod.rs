//! The server itself: connections, requests of any kind, pages, the program and its disk.

mod connections;
mod disk;
mod pages;
mod program;
mod requests;
mod security_headers;
mod strangers;
mod surface;
