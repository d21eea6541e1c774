//! Ids, events, positions, limits and rules of Milena; no I/O.
