//! What the program writes into its log, kept for tests to look at. All tests of this process share it: look
//! for what only your own test can have caused.

use std::collections::BTreeMap;
use std::sync::{Mutex, Once, PoisonError};

use log::kv::{Error, Key, Value, VisitSource};

/// A line.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) level: log::Level,
    pub(crate) target: String,
    pub(crate) message: String,
    pub(crate) fields: BTreeMap<String, String>,
}

struct Keep(Mutex<Vec<Line>>);

static KEPT: Keep = Keep(Mutex::new(Vec::new()));

impl log::Log for Keep {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Info
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let mut fields = Fields(BTreeMap::new());
        record.key_values().visit(&mut fields).unwrap();
        let line = Line {
            level: record.level(),
            target: record.target().to_owned(),
            message: record.args().to_string(),
            fields: fields.0,
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn flush(&self) {}
}

struct Fields(BTreeMap<String, String>);

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        self.0.insert(key.to_string(), value.to_string());
        Ok(())
    }
}

/// From now on lines are kept.
pub(crate) fn keep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&KEPT).unwrap();
        log::set_max_level(log::LevelFilter::Info);
    });
}

/// The lines so far that `wanted` picks.
pub(crate) fn lines(wanted: impl Fn(&Line) -> bool) -> Vec<Line> {
    let kept = KEPT.0.lock().unwrap_or_else(PoisonError::into_inner);
    kept.iter().filter(|line| wanted(line)).cloned().collect()
}
