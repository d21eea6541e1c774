//! Log lines on standard error; `RUST_LOG` wins over the settings.

use std::io::Write;

/// Starts logging for the whole program with `filter`. A second call changes nothing.
pub(crate) fn start(filter: &str) {
    let environment = env_logger::Env::default().default_filter_or(filter.to_owned());
    let started = env_logger::Builder::from_env(environment).try_init();
    if started.is_err() {
        let _ = writeln!(std::io::stderr(), "milena: logging was started before");
    }
}
