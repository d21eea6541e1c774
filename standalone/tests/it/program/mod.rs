//! How a program starts, what it says, what it asks for and how it ends.

mod authorized;
mod backup;
pub(crate) mod cures;
mod embedded_log;
mod first_start;
mod first_version;
mod lifecycle;
mod outputs;
mod settings_cures;
