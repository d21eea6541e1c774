//! The batching consumer that carries the log into the relational store.
