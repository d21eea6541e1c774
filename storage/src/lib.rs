//! Entities, migrations, queries and the bulk writer of Milena's relational store.
