//! Whose the files are that a program makes.

/// From now on what this program creates can be read by its own account only: messages, hashes of passwords,
/// secrets. Call it before anything is written.
pub fn create_private_files() {
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
}
