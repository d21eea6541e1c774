//! Log lines on standard error; `RUST_LOG` wins over the settings.

use milena_settings::LoggingSettings;

/// Starts logging for the whole program.
pub(crate) fn start(settings: &LoggingSettings) {
    let environment = env_logger::Env::default().default_filter_or(settings.filter.clone());
    env_logger::Builder::from_env(environment).init();
}
