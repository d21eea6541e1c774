//! Log lines on standard error; `RUST_LOG` wins over the settings.

use std::io::Write;

use milena_settings::LoggingSettings;

/// Starts logging for the whole program. A second call changes nothing.
pub fn start(settings: &LoggingSettings) {
    let environment = env_logger::Env::default().default_filter_or(settings.filter.clone());
    let started = env_logger::Builder::from_env(environment).try_init();
    if started.is_err() {
        let _ = writeln!(std::io::stderr(), "milena: logging was started before");
    }
}
