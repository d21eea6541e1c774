//! The connection of Milena's programs to Kafka: client properties, topics, headers and watermarks.
//!
//! Backend, consumer and import reach the log through the same few functions, so that a property or a check
//! is right in one place.

mod capacity;
mod client;
mod error;
mod forgotten;
mod headers;
mod logging;
mod properties;
mod scope;
mod topic;
mod twin;

pub use client::{Role, client_config};
pub use error::LogError;
pub use forgotten::{Forgotten, take_over};
pub use headers::{header, message_headers};
pub use logging::Quiet;
pub use properties::check_properties;
pub use topic::{
    ensure_signals_topic, ensure_topics, existing_partition_states, partition_count, partition_states,
};
pub use twin::{TopicForm, create_twin, delete_topic, topic_form};
