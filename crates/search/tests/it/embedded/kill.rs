//! A process that writes and is killed, again and again: the index is that of its last commit, whole.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use milena_search::{Change, Index, Order, TantivyIndex};

use super::MEMORY_BYTES;
use crate::figures::Dice;
use crate::world::{all_pages, ask, checkpoint, everywhere, message, put};

const FOLDER: &str = "MILENA_SEARCH_KILLED_FOLDER";
const KILLS: usize = 6;
const DEADLINE: Duration = Duration::from_secs(60);

/// The process that is killed: it goes on where the index says, and commits every few messages.
#[tokio::test]
#[ignore = "the other process of the test below, which starts it"]
async fn writes_until_it_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let index = TantivyIndex::open(Path::new(&folder), MEMORY_BYTES).await.unwrap();
    let mut next = index.checkpoint().await.unwrap().map_or(0, |last| last.next_offsets[&0]);
    loop {
        let changes: Vec<Change> =
            (next..next + 7).map(|n| put(&message(1, n, &format!("word n{n}")))).collect();
        for change in changes {
            index.write(vec![change]).await.unwrap();
        }
        next += 7;
        index.commit(checkpoint(next)).await.unwrap();
    }
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn start(folder: &Path) -> Killed {
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--exact", "embedded::kill::writes_until_it_is_killed", "--ignored"]);
    Killed(program.env(FOLDER, folder).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

/// Waits for so many more commits, each of which writes the list of segments anew.
fn wait_for_commits(folder: &Path, mut more: usize) {
    let read = || fs::read_to_string(folder.join("meta.json")).unwrap_or_default();
    let (began, mut seen) = (Instant::now(), read());
    while more > 0 {
        assert!(began.elapsed() < DEADLINE, "no commit");
        let now = read();
        more -= usize::from(now != seen);
        seen = now;
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[tokio::test]
async fn after_a_kill_it_is_as_it_was_committed() {
    let folder = tempfile::tempdir().unwrap();
    let mut dice = Dice(3);
    let mut before = 0;
    for kill in 0..KILLS {
        let killed = start(folder.path());
        wait_for_commits(folder.path(), 2 + dice.next(6));
        // Somewhere within the next one.
        std::thread::sleep(Duration::from_micros(dice.next(20_000) as u64));
        drop(killed);
        let index = TantivyIndex::open(folder.path(), MEMORY_BYTES).await.unwrap();
        index.check().await.unwrap();
        let next = index.checkpoint().await.unwrap().unwrap().next_offsets[&0];
        assert!(next > before, "kill {kill}: nothing was committed");
        let hits = all_pages(&index, &ask("word", &everywhere(), Order::Newest), 100).await;
        let found: Vec<i64> = hits.iter().rev().map(|key| key.position.offset()).collect();
        assert_eq!(found, (0..next).collect::<Vec<_>>(), "kill {kill}: each once, up to its offset");
        before = next;
    }
}
