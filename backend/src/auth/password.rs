//! Password hashes: argon2id, computed off the async threads, a few at a time.
//!
//! One hash takes 19 MiB and some 20 ms of a core. Without a bound, fifty sign-ins at once would take a gigabyte and
//! starve everything else; so as many run as half the cores, others wait in line, and when the line is long they
//! are refused. They run on threads of their own: the system's allocator keeps freed memory for the thread that used it,
//! and on the runtime's many blocking threads that came to 400 MB for good.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::oneshot;

use crate::metrics;
use crate::refusal::{Code, Refusal};

/// Hashes that wait, at most.
const MAX_JOBS: usize = 256;

type Job = Box<dyn FnOnce() + Send>;

/// Computes and checks hashes; clones share the line. Its threads end with the last clone.
#[derive(Clone)]
pub struct PasswordHashes {
    /// From requests to the threads; bounded by [`MAX_JOBS`], full means `overloaded`. A client that hangs up does not
    /// make room for another hash beside its own.
    line: SyncSender<Job>,
    /// Checked when there is no hash to check, so that an unknown user takes as long as a wrong password.
    decoy: Arc<str>,
}

impl PasswordHashes {
    /// Computes the decoy once.
    ///
    /// # Errors
    /// `internal` when the system has no randomness.
    pub async fn new() -> Result<Self, Refusal> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let (line, jobs) = sync_channel(MAX_JOBS);
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..cores.div_ceil(2) {
            let jobs = Arc::clone(&jobs);
            let thread = std::thread::Builder::new().name("passwords".to_owned());
            thread.spawn(move || work_off(&jobs)).map_err(|error| internal(&error))?;
        }
        let hashes = Self { line, decoy: Arc::from("") };
        let decoy = hashes.hash("a password that nobody has".to_owned()).await?;
        Ok(Self { decoy: decoy.into(), ..hashes })
    }

    /// The hash of a new password, as PHC text with its own salt and parameters.
    ///
    /// # Errors
    /// `overloaded` when the line is full.
    pub async fn hash(&self, password: String) -> Result<String, Refusal> {
        self.compute(move || {
            let hash: Result<PasswordHash, _> = Argon2::default().hash_password(password.as_bytes());
            hash.map(|hash| hash.to_string())
        })
        .await?
        .map_err(|error| internal(&error))
    }

    /// Whether the password is the one that was hashed. Without a hash the answer is no, after the same time.
    ///
    /// # Errors
    /// `overloaded` when the line is full; `internal` when the stored hash cannot be read.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, Refusal> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.decoy.to_string());
        let matches = self
            .compute(move || {
                let hash = PasswordHash::new(&hash)?;
                // The parameters are those of the hash, so that old hashes stay valid when the defaults grow.
                match Argon2::default().verify_password(password.as_bytes(), &hash) {
                    Ok(()) => Ok(true),
                    Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
                    Err(error) => Err(error),
                }
            })
            .await?
            .map_err(|error| internal(&error))?;
        Ok(matches && known)
    }

    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let _counted = Counted::new();
        let (answer, computed) = oneshot::channel();
        // Whoever does not wait any more needs no answer.
        let job: Job = Box::new(move || drop(answer.send(work())));
        self.line.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => {
                Refusal::later(Code::Overloaded, "too many people sign in at the moment", 2_000)
            }
            TrySendError::Disconnected(_) => internal(&"the threads for passwords have ended"),
        })?;
        computed.await.map_err(|error| internal(&error))
    }
}

/// What a thread does until the last handle is gone: one job after the other.
fn work_off(jobs: &Mutex<Receiver<Job>>) {
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        // A job that panics drops its answer, which its request hears of; the thread goes on.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
    }
}

struct Counted;

impl Counted {
    fn new() -> Self {
        metrics::password_jobs(1.0);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::password_jobs(-1.0);
    }
}

fn internal(error: &dyn std::fmt::Display) -> Refusal {
    log::error!(error:% = error; "a password could not be hashed or checked");
    Refusal::new(Code::Internal, "something went wrong on the server")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn hashes_are_salted_argon2id_and_verify() {
        let hashes = PasswordHashes::new().await.unwrap();
        let one = hashes.hash("correct horse".to_owned()).await.unwrap();
        let two = hashes.hash("correct horse".to_owned()).await.unwrap();
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert!(one.len() <= 255 && one != two);
        assert!(hashes.verify("correct horse".to_owned(), Some(one.clone())).await.unwrap());
        assert!(!hashes.verify("battery staple".to_owned(), Some(one)).await.unwrap());
    }

    #[tokio::test]
    async fn without_a_hash_nothing_matches() {
        let hashes = PasswordHashes::new().await.unwrap();
        assert!(!hashes.verify("a password that nobody has".to_owned(), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_full_line_refuses() {
        let hashes = PasswordHashes::new().await.unwrap();
        // One keeps each thread busy until the others fill the line.
        let (release, held) = std::sync::mpsc::channel::<()>();
        let held = Arc::new(Mutex::new(held));
        let wait = || -> Job {
            let held = Arc::clone(&held);
            Box::new(move || drop(held.lock().map(|held| held.recv())))
        };
        while hashes.line.try_send(wait()).is_ok() {}
        assert_eq!(hashes.hash("x".to_owned()).await.unwrap_err().code, Code::Overloaded);
        drop(release);
    }
}
