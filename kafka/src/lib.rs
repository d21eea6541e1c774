//! The connection of Milena's programs to Kafka: client properties, topics, records, watermarks.
