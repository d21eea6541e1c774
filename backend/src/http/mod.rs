//! The HTTP side: one file a resource, each giving its routes.
//!
//! Routing is warp's. A route that matches path and method hands a `Call` to its handler, and from there on
//! everything is an outcome, never a rejection: so rejections only mean "no such path" or "no such method",
//! and what a client sees of a mistake does not depend on the order of the routes.

mod accounts;
mod answer;
mod bootstrap;
mod call;
mod changes;
mod client;
mod compression;
mod context;
mod conversations;
mod docs;
mod events;
mod lists;
mod messages;
mod notifications;
mod openapi;
mod operations;
mod people;
mod presence;
mod push;
mod query;
mod readiness;
mod request_rate;
mod rooms;
mod routes;
mod service;
mod sessions;
mod socket;
mod status;
mod target;
mod templates;
mod turns;

pub use context::{Context, Parts};
pub use openapi::document;
pub use readiness::Readiness;
pub use request_rate::RequestRate;
pub use service::HttpService;
pub use turns::Turns;
