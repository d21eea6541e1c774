//! Log lines on standard error; `RUST_LOG` wins over the settings. Panics are log lines too.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::IsTerminal;
use std::panic::PanicHookInfo;

use env_logger::{Target, WriteStyle};
use log::LevelFilter;

use crate::outlet::{ERRORS, Feed};

/// These print what people write at their lowest level, and no level of ours may do that.
const TALKATIVE: [&str; 2] = ["tungstenite", "tokio_tungstenite"];

/// Starts logging for the whole program with `filter`, in the syntax of `env_logger`. Call once.
pub fn start_logging(filter: &str) {
    let environment = env_logger::Env::default().default_filter_or(filter.to_owned());
    let mut builder = env_logger::Builder::from_env(environment);
    for module in TALKATIVE {
        builder.filter_module(module, LevelFilter::Info);
    }
    if std::env::var_os("RUST_LOG_STYLE").is_none() && is_colourful() {
        builder.write_style(WriteStyle::Always);
    }
    builder.format_timestamp_millis().target(Target::Pipe(Box::new(Feed(&ERRORS)))).init();
    std::panic::set_hook(Box::new(report));
}

/// `env_logger` cannot see the terminal behind the outlet.
fn is_colourful() -> bool {
    let quiet = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_none_or(|terminal| terminal == "dumb");
    std::io::stderr().is_terminal() && !quiet && !dumb
}

/// A panic ends its own task only, so it must neither wait for standard error nor fail on it.
fn report(panic: &PanicHookInfo<'_>) {
    let thread = std::thread::current();
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let words = panic.payload_as_str().unwrap_or("(no words)");
    log::error!("thread '{}' panicked at {place}: {words}", thread.name().unwrap_or("<unnamed>"));
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        log::error!("stack backtrace:\n{trace}");
    }
    // It may have been the last thing that the program did.
    ERRORS.settle();
}
