//! Password hashes: argon2id, computed off the async threads, a few at a time.
//!
//! One hash takes 19 MiB and some 20 ms of a core. Without a bound, fifty sign-ins at once would take a
//! gigabyte and starve everything else; so as many run as half the cores, others wait in line, and when the
//! line is long they are refused. They run on threads of their own, and what they compute in serves one hash
//! after the other: left to the allocator, freed blocks of that size came to 195 MiB for good.
//!
//! There are two lines. Strangers, who may be thousands, stand in one; who is signed in, or comes from a
//! device that has signed in before, stands in the other, and one thread more serves only that. So a flood of
//! strangers makes strangers wait, and nobody else.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::password_hash::{Error, Result as Hashed, try_generate_salt};
use argon2::{ARGON2ID_IDENT, Argon2, Block, Params, Version};
use tokio::sync::oneshot;

use crate::metrics;
use crate::refusal::{Code, Refusal};

/// Hashes that wait in one line, at most.
const MAX_JOBS: usize = 256;
/// When nobody signed in for so long, the memory for it is given back.
const IDLE: Duration = Duration::from_secs(30);

type Job = Box<dyn FnOnce() + Send>;

/// In which line somebody waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Anybody.
    Stranger,
    /// Who is signed in, or comes from a device that has signed in to this account before.
    Known,
}

/// Computes and checks hashes; clones share the lines. Its threads end with the last clone.
#[derive(Clone)]
pub struct PasswordHashes {
    lines: Arc<Open>,
    memory: Arc<Memory>,
    /// Checked when there is no hash to check, so that an unknown user takes as long as a wrong password.
    decoy: Arc<str>,
}

impl PasswordHashes {
    /// Computes the decoy once.
    ///
    /// # Errors
    /// `internal` when the system has no randomness.
    pub async fn new() -> Result<Self, Refusal> {
        let (lines, memory) = (Arc::new(Open(Arc::default())), Arc::<Memory>::default());
        let served = std::iter::once(Lane::Known).chain(std::iter::repeat_n(Lane::Stranger, thread_count()));
        for lane in served {
            let (lines, memory) = (Arc::clone(&lines.0), Arc::clone(&memory));
            let thread = std::thread::Builder::new().name("passwords".to_owned());
            thread.spawn(move || work_off(&lines, lane, &memory)).map_err(|error| internal(&error))?;
        }
        let hashes = Self { lines, memory, decoy: Arc::from("") };
        let decoy = hashes.hash("a password that nobody has".to_owned(), Lane::Known).await?;
        Ok(Self { decoy: decoy.into(), ..hashes })
    }

    /// The hash of a new password, as PHC text with its own salt and parameters.
    ///
    /// # Errors
    /// `overloaded` when the line is full.
    pub async fn hash(&self, password: String, lane: Lane) -> Result<String, Refusal> {
        self.compute(lane, move |memory| hash(memory, &password).map(|hash| hash.to_string()))
            .await?
            .map_err(|error| internal(&error))
    }

    /// Whether the password is the one that was hashed. Without a hash the answer is no, after the same time.
    ///
    /// # Errors
    /// `overloaded` when the line is full; `internal` when the stored hash cannot be read.
    pub async fn verify(&self, password: String, hash: Option<String>, lane: Lane) -> Result<bool, Refusal> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.decoy.to_string());
        let matches = self
            .compute(lane, move |memory| verify(memory, &password, &hash))
            .await?
            .map_err(|error| internal(&error))?;
        Ok(matches && known)
    }

    async fn compute<T: Send + 'static>(
        &self,
        lane: Lane,
        work: impl FnOnce(&Memory) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let _counted = Counted::new();
        let (answer, computed) = oneshot::channel();
        let memory = Arc::clone(&self.memory);
        // Whoever does not wait any more needs no answer.
        let job: Job = Box::new(move || drop(answer.send(work(&memory))));
        if !self.lines.0.push(lane, job) {
            return Err(Refusal::later(Code::Overloaded, "too many people sign in at the moment", 2_000));
        }
        computed.await.map_err(|error| internal(&error))
    }
}

fn thread_count() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).div_ceil(2)
}

fn hash(memory: &Memory, password: &str) -> Hashed<PasswordHash> {
    let (argon2, salt) = (Argon2::default(), try_generate_salt()?);
    Ok(PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::default().into()),
        params: argon2.params().try_into()?,
        salt: Some(Salt::new(&salt)?),
        hash: Some(output(memory, &argon2, password, &salt)?),
    })
}

/// The parameters are those of the hash, so that old hashes stay valid when the defaults grow.
fn verify(memory: &Memory, password: &str, hash: &str) -> Hashed<bool> {
    let hash = PasswordHash::new(hash)?;
    let (Some(salt), Some(expected)) = (&hash.salt, &hash.hash) else { return Err(Error::PasswordInvalid) };
    let version = hash.version.map(Version::try_from).transpose()?.unwrap_or_default();
    let argon2 = Argon2::new(hash.algorithm.as_str().try_into()?, version, Params::try_from(&hash)?);
    // Outputs compare in constant time.
    Ok(output(memory, &argon2, password, salt)? == *expected)
}

fn output(memory: &Memory, argon2: &Argon2<'_>, password: &str, salt: &[u8]) -> Hashed<Output> {
    let params = argon2.params();
    let mut output = vec![0; params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN)];
    memory.lend(params.block_count(), |blocks| {
        argon2.hash_password_into_with_memory(password.as_bytes(), salt, &mut output, blocks)
    })?;
    Ok(Output::new(&output)?)
}

/// The blocks in which hashes are computed, while nobody computes in them. What a hash leaves in them is
/// overwritten by the next before it is read.
#[derive(Default)]
struct Memory(
    /// Threads take one and put it back, so there are no more of them than threads. Locked for a push or a
    /// pop.
    Mutex<Vec<Vec<Block>>>,
);

impl Memory {
    /// Lends at least so many blocks. Only the usual amount is kept: a hash with other parameters is rare.
    fn lend<T>(&self, count: usize, work: impl FnOnce(&mut [Block]) -> T) -> T {
        let kept = (count == Params::DEFAULT.block_count()).then(|| self.lock().pop()).flatten();
        let mut blocks = kept.unwrap_or_else(|| vec![Block::new(); count]);
        let outcome = work(&mut blocks);
        if count == Params::DEFAULT.block_count() {
            self.lock().push(blocks);
        }
        outcome
    }

    fn give_back(&self) {
        *self.lock() = Vec::new();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Vec<Block>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Those who wait. Locked for a push or a pop.
#[derive(Default)]
struct Lines {
    waiting: Mutex<Waiting>,
    /// Told of every job, and of the end.
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    /// Each bounded by [`MAX_JOBS`], full means `overloaded`. A client that hangs up does not make room for
    /// another hash beside its own.
    strangers: VecDeque<Job>,
    known: VecDeque<Job>,
    is_over: bool,
}

/// The lines as long as somebody may come; the threads end with it.
struct Open(Arc<Lines>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.lock().is_over = true;
        self.0.changed.notify_all();
    }
}

impl Lines {
    /// `false`: the line is full.
    fn push(&self, lane: Lane, job: Job) -> bool {
        let mut waiting = self.lock();
        let line = match lane {
            Lane::Stranger => &mut waiting.strangers,
            Lane::Known => &mut waiting.known,
        };
        if line.len() >= MAX_JOBS {
            return false;
        }
        line.push_back(job);
        // All: the thread that one would wake may be the one that serves the other line only.
        self.changed.notify_all();
        true
    }

    /// The next job of a thread that serves `lane`; those of strangers serve the known too, and first.
    fn next(&self, lane: Lane) -> Next {
        let waiting = self.lock();
        let has_none = |waiting: &mut Waiting| {
            let others = lane == Lane::Stranger && !waiting.strangers.is_empty();
            waiting.known.is_empty() && !others && !waiting.is_over
        };
        let waited = self.changed.wait_timeout_while(waiting, IDLE, has_none);
        let (mut waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let known = waiting.known.pop_front();
        let job = known.or_else(|| (lane == Lane::Stranger).then(|| waiting.strangers.pop_front()).flatten());
        match job {
            Some(job) => Next::Job(job),
            None if waiting.is_over => Next::Over,
            None => Next::Idle,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Next {
    Job(Job),
    Idle,
    Over,
}

/// What a thread does until the last handle is gone: one job after the other. Who waits for the next in vain
/// gives the memory of all back.
fn work_off(lines: &Lines, lane: Lane, memory: &Memory) {
    loop {
        match lines.next(lane) {
            // A job that panics drops its answer, which its request hears of; the thread goes on.
            Next::Job(job) => drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(job))),
            // The other line may be at work: what it computes in is not here then.
            Next::Idle => memory.give_back(),
            Next::Over => return,
        }
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
    use argon2::Algorithm;
    use argon2::password_hash::{PasswordHasher, PasswordVerifier};

    use super::*;

    #[tokio::test]
    async fn hashes_are_salted_argon2id_and_verify() {
        let hashes = PasswordHashes::new().await.unwrap();
        let one = hashes.hash("correct horse".to_owned(), Lane::Stranger).await.unwrap();
        let two = hashes.hash("correct horse".to_owned(), Lane::Stranger).await.unwrap();
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert!(one.len() <= 255 && one != two);
        assert!(hashes.verify("correct horse".to_owned(), Some(one.clone()), Lane::Known).await.unwrap());
        assert!(!hashes.verify("battery staple".to_owned(), Some(one), Lane::Stranger).await.unwrap());
    }

    #[tokio::test]
    async fn used_memory_and_other_parameters_make_no_difference() {
        let memory = Memory::default();
        let params = Params::new(Params::MIN_M_COST, 1, 1, None).unwrap();
        let old = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let old: PasswordHash = old.hash_password(b"correct horse").unwrap();
        for _ in 0..2 {
            let ours = hash(&memory, "correct horse").unwrap();
            Argon2::default().verify_password(b"correct horse", &ours).unwrap();
            for hash in [&ours, &old] {
                assert!(verify(&memory, "correct horse", &hash.to_string()).unwrap());
                assert!(!verify(&memory, "battery staple", &hash.to_string()).unwrap());
            }
            assert_eq!(memory.lock().len(), 1);
        }
        memory.give_back();
        assert!(
            verify(&memory, "correct horse", &hash(&memory, "correct horse").unwrap().to_string()).unwrap()
        );
    }

    #[tokio::test]
    async fn without_a_hash_nothing_matches() {
        let hashes = PasswordHashes::new().await.unwrap();
        assert!(!hashes.verify("a password that nobody has".to_owned(), None, Lane::Known).await.unwrap());
    }

    #[tokio::test]
    async fn strangers_fill_their_own_line_only() {
        let hashes = PasswordHashes::new().await.unwrap();
        // One keeps each thread busy, and only then the others fill the line: none of them is taken out of
        // it.
        let (release, held) = std::sync::mpsc::channel::<()>();
        let (busy, is_busy) = std::sync::mpsc::channel();
        let held = Arc::new(Mutex::new(held));
        let wait = || -> Job {
            let (held, busy) = (Arc::clone(&held), busy.clone());
            Box::new(move || {
                let _ = busy.send(());
                drop(held.lock().map(|held| held.recv()));
            })
        };
        for _ in 0..thread_count() {
            assert!(hashes.lines.0.push(Lane::Stranger, wait()));
            is_busy.recv().unwrap();
        }
        while hashes.lines.0.push(Lane::Stranger, wait()) {}
        let refused = hashes.hash("x".to_owned(), Lane::Stranger).await.unwrap_err();
        assert_eq!(refused.code, Code::Overloaded);
        // Also for somebody unknown a hash is computed: the answer takes as long.
        let refused = hashes.verify("x".to_owned(), None, Lane::Stranger).await.unwrap_err();
        assert_eq!(refused.code, Code::Overloaded);

        // Who is known notices nothing.
        let hash = hashes.hash("correct horse".to_owned(), Lane::Known).await.unwrap();
        assert!(hashes.verify("correct horse".to_owned(), Some(hash), Lane::Known).await.unwrap());
        drop(release);
    }
}
