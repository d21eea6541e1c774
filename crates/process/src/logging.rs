//! Log lines on standard error; `RUST_LOG` wins over the settings.

use log::LevelFilter;

/// These print what people write at their lowest level, and no level of ours may do that.
const TALKATIVE: [&str; 2] = ["tungstenite", "tokio_tungstenite"];

/// Starts logging for the whole program with `filter`, in the syntax of `env_logger`. Call once.
pub fn start_logging(filter: &str) {
    let environment = env_logger::Env::default().default_filter_or(filter.to_owned());
    let mut builder = env_logger::Builder::from_env(environment);
    for module in TALKATIVE {
        builder.filter_module(module, LevelFilter::Info);
    }
    builder.format_timestamp_millis().init();
}
