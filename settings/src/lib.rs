//! Settings of all Milena programs: defaults, file, environment, validation.
