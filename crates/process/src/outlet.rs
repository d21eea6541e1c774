//! Standard output and standard error as a program's logic may use them: putting a line there never waits and
//! never fails, whatever is at the other end.
//!
//! A pipe whose reader has gone answers every write with an error, and `println!` makes a panic of it; a
//! terminal that was stopped with Ctrl-S, or a pipe that nobody reads, takes no more bytes and holds its
//! writer for ever; a full disk refuses them. None of that is a reason for a chat server to stop, or not to.
//! So lines are put into a bounded buffer, and one thread a stream, which may wait as long as it likes,
//! carries them out. When the buffer is full, lines are left out and counted; when there is room again, the
//! number of them is said.

use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What one stream may keep for a slow reader.
const MAX_BYTES: usize = 1 << 20;
/// A stream that somebody else made non-blocking is asked again after this time.
const ASK_AGAIN: Duration = Duration::from_millis(10);
/// How long the end of a program waits for its last lines to be taken.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Standard error: log lines and complaints.
pub(crate) static ERRORS: Outlet = Outlet::new("stderr", || Box::new(io::stderr()));
/// Standard output: what a program that goes on running says to the person who started it.
pub(crate) static WORDS: Outlet = Outlet::new("stdout", || Box::new(io::stdout()));

/// One stream and what waits for it.
pub(crate) struct Outlet {
    name: &'static str,
    open: fn() -> Box<dyn Write>,
    state: Mutex<State>,
    /// Told whenever `state` changed.
    changed: Condvar,
}

struct State {
    waiting: Vec<u8>,
    /// Lines left out since the buffer was full.
    left_out: u64,
    /// The thread holds bytes that it has not got rid of yet.
    writing: bool,
    started: bool,
}

impl Outlet {
    const fn new(name: &'static str, open: fn() -> Box<dyn Write>) -> Self {
        let state = State { waiting: Vec::new(), left_out: 0, writing: false, started: false };
        Self { name, open, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Puts whole lines; never waits for the stream.
    pub(crate) fn put(&'static self, lines: &[u8]) {
        let mut state = self.lock();
        if state.waiting.len() + lines.len() > MAX_BYTES {
            state.left_out += 1;
            return;
        }
        if state.left_out > 0 {
            let left_out = std::mem::take(&mut state.left_out);
            state.waiting.extend(format!("({left_out} lines were left out here)\n").bytes());
        }
        state.waiting.extend(lines);
        if !state.started {
            let named = std::thread::Builder::new().name(format!("milena-{}", self.name));
            // Without a thread nothing is said; there is nobody to tell that to.
            state.started = named.spawn(|| self.carry()).is_ok();
        }
        self.changed.notify_all();
    }

    /// Waits until the stream has taken everything, for a second at most.
    pub(crate) fn settle(&self) {
        let deadline = Instant::now() + LAST_WORDS;
        let mut state = self.lock();
        while state.started && (state.writing || !state.waiting.is_empty()) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
        }
    }

    /// The thread. It lives as long as the process: what it writes to may hold it at any time.
    fn carry(&self) {
        let mut stream = (self.open)();
        let mut state = self.lock();
        loop {
            while state.waiting.is_empty() {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            let lines = std::mem::take(&mut state.waiting);
            state.writing = true;
            drop(state);
            write_all(&mut *stream, &lines);
            state = self.lock();
            state.writing = false;
            self.changed.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes as much as the stream takes; what it refuses is dropped.
fn write_all(stream: &mut dyn Write, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(0) => return,
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(ASK_AGAIN),
            Err(_) => return,
        }
    }
    let _ = stream.flush();
}

/// Puts whatever a library writes into an outlet.
pub(crate) struct Feed(pub(crate) &'static Outlet);

impl Write for Feed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.put(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// Takes nothing until it is let go, as a stopped terminal.
    static HELD: Mutex<()> = Mutex::new(());
    static TAKEN: AtomicU64 = AtomicU64::new(0);
    static LAST: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    static STOPPED: Outlet = Outlet::new("test", || Box::new(Stopped));

    struct Stopped;

    impl Write for Stopped {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _held = HELD.lock();
            TAKEN.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            *LAST.lock().unwrap() = bytes.to_vec();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stream_that_takes_nothing_holds_up_nobody_and_keeps_a_bounded_amount() {
        let held = HELD.lock().unwrap();
        let line = [b'x'; 1_000];
        let began = Instant::now();
        for _ in 0..10_000 {
            STOPPED.put(&line);
        }
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        assert!(STOPPED.lock().waiting.len() <= MAX_BYTES);
        let began = Instant::now();
        STOPPED.settle();
        assert!(began.elapsed() < Duration::from_secs(5), "the end waits for a second only");

        drop(held);
        STOPPED.settle();
        STOPPED.put(b"the last line\n");
        STOPPED.settle();
        let taken = TAKEN.load(Ordering::Relaxed);
        assert!((1 << 19..3 << 20).contains(&taken), "{taken} bytes of 10 MB were taken");
        let last = String::from_utf8(LAST.lock().unwrap().clone()).unwrap();
        assert!(last.contains("lines were left out here)\nthe last line"), "{last}");
    }

    #[test]
    fn a_stream_that_refuses_is_no_error() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::Error::from(io::ErrorKind::StorageFull))
            }
            fn flush(&mut self) -> io::Result<()> {
                Err(io::Error::from(io::ErrorKind::StorageFull))
            }
        }
        write_all(&mut Full, b"a line\n");
    }
}
