//! Named places at which a test ends the process, to see that nothing is lost there and nothing comes twice.
//!
//! In a debug build `MILENA_CRASH_POINT=before_commit:7` stops whoever comes to `before_commit` as the
//! seventh: it says so on standard error and stays there for ever, so that the SIGKILL of the test finds it
//! exactly there. In a release build the function is empty and the variable means nothing.

/// The process is at this place.
#[inline]
pub fn crash_point(name: &str) {
    #[cfg(debug_assertions)]
    armed::reach(name);
    #[cfg(not(debug_assertions))]
    let _ = name;
}

#[cfg(debug_assertions)]
mod armed {
    use std::io::Write;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// The place that the environment names, and how often it may still be passed.
    struct Armed {
        name: String,
        left: AtomicU64,
    }

    static ARMED: LazyLock<Option<Armed>> = LazyLock::new(|| {
        let text = std::env::var("MILENA_CRASH_POINT").ok()?;
        let (name, count) = text.split_once(':')?;
        Some(Armed { name: name.to_owned(), left: AtomicU64::new(count.parse().ok()?) })
    });

    pub(super) fn reach(name: &str) {
        let Some(armed) = ARMED.as_ref().filter(|armed| armed.name == name) else { return };
        if armed.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            let _ = writeln!(std::io::stderr(), "crash point {name} is reached");
            loop {
                std::thread::park();
            }
        }
    }
}
