//! What is shown to those who are connected, and what of the log is shown at all.
//!
//! - [`update`] is what the core says in its own terms; doors encode it.
//! - [`blocks`] (pure) is who blocks whom.
//! - [`fold`] (pure) judges each record; [`unreadable`] knows which conversations this program cannot follow.
//! - [`targets`] (pure) is what is known of messages that somebody changes, and what waits for it; [`life`]
//!   (pure) is what became of a message.
//! - [`rooms`] (pure) is what is known of the rooms that this node follows, [`wanted`] what is being loaded.
//! - [`progress`] is how far that is.

pub mod blocks;
pub mod fold;
pub mod life;
pub mod progress;
pub mod rooms;
pub mod targets;
pub mod unreadable;
pub mod update;
pub mod wanted;

pub use update::{Form, HereCount, Names, News, Present, Update, View, Wanted};

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

    fn files(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, found);
            } else {
                found.push(path);
            }
        }
    }

    /// Use cases, log, registry and signals serve every door, so they know none. Tests look through one.
    #[test]
    fn nothing_below_the_doors_knows_a_wire() {
        let mut found = Vec::new();
        for folder in ["chat", "live", "log", "registry", "signals"] {
            files(&Path::new(SOURCES).join(folder), &mut found);
        }
        assert!(found.len() > 30, "{found:?}");
        for path in found.iter().filter(|path| !path.iter().any(|part| part == "tests")) {
            for line in fs::read_to_string(path).unwrap().lines().filter(|line| !line.contains("//")) {
                for door in ["wire", "socket", "http"] {
                    let named = line.contains(&["crate", door].join("::"));
                    assert!(!named, "{} knows {door}: {line}", path.display());
                }
            }
        }
    }
}
