//! A socket is an open file, on both of its sides.

use anyhow::{Context as _, bail};
use rlimit::Resource;

/// For everything that is not a client's socket: data files, the log's connections, the database's.
const SPARE: u64 = 500;

/// Raises this process's soft limit of open files to the hard limit; the programs that it starts inherit it.
/// Says how many sockets one process can hold then.
///
/// # Errors
/// When that is fewer than `needed`: the message says what to do about it.
pub fn raise_open_files(needed: usize) -> anyhow::Result<usize> {
    let (_, hard) = Resource::NOFILE.get().context("the limit of open files is not known")?;
    Resource::NOFILE.set(hard, hard).context("the limit of open files cannot be raised")?;
    let sockets = usize::try_from(hard.saturating_sub(SPARE)).unwrap_or(usize::MAX);
    if sockets < needed {
        bail!(
            "one process may have {hard} open files here (the hard limit), and {needed} sockets are wanted. \
             As root: raise it with `ulimit -Hn {wanted}` in the shell that starts this, or for good with \
             LimitNOFILE= (systemd) or /etc/security/limits.conf",
            wanted = needed as u64 + SPARE
        );
    }
    Ok(sockets)
}
