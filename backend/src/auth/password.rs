//! Password hashes: argon2id, computed off the async threads, a few at a time.
//!
//! One hash takes 19 MiB and some 20 ms of a core. Without a bound, fifty sign-ins at once would take a gigabyte and
//! starve everything else; so as many run as half the cores, others wait in line, and when the line is long they
//! are refused.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

use crate::metrics;
use crate::refusal::{Code, Refusal};

/// Hashes that run or wait, at most.
const MAX_JOBS: usize = 256;

/// Computes and checks hashes; clones share the line.
#[derive(Clone)]
pub struct PasswordHashes {
    /// Held while a hash waits or is computed; none left means `overloaded`.
    jobs: Arc<Semaphore>,
    /// Held while a hash is computed.
    running: Arc<Semaphore>,
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
        let hashes = Self {
            jobs: Arc::new(Semaphore::new(MAX_JOBS)),
            running: Arc::new(Semaphore::new(cores.div_ceil(2))),
            decoy: Arc::from(""),
        };
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
        let job = Arc::clone(&self.jobs)
            .try_acquire_owned()
            .map_err(|_| Refusal::later(Code::Overloaded, "too many people sign in at the moment", 2_000))?;
        let _counted = Counted::new();
        let turn = Arc::clone(&self.running).acquire_owned().await.map_err(|error| internal(&error))?;
        // The permits go with the work: a client that hangs up does not make room for a second hash beside the first.
        let computed = tokio::task::spawn_blocking(move || {
            let _permits = (job, turn);
            work()
        });
        computed.await.map_err(|error| internal(&error))
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
        let _all = hashes.jobs.acquire_many(MAX_JOBS as u32).await.unwrap();
        assert_eq!(hashes.hash("x".to_owned()).await.unwrap_err().code, Code::Overloaded);
    }
}
