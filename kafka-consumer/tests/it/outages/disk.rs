//! The disk of the database is full: the consumer waits, and goes on when there is room.
//!
//! A small memory file system makes a full disk without filling the machine's. Only root may mount one;
//! elsewhere these tests say that they were not run.

use std::path::{Path, PathBuf};
use std::process::Command;

use sea_orm::{ConnectionTrait, Database as Connector, Statement};

use crate::log::{Log, messages};
use crate::running::Running;
use crate::store::Database;
use crate::truth;
use crate::world::{World, tell, until};

/// Unmounted with the test.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(megabytes: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={megabytes}m");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "none"]).arg(folder.path()).output().ok();
        if mounted.is_some_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        tell("NOT RUN: a full disk, because no file system can be mounted here");
        None
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all the room there is.
    fn fill(&self) -> PathBuf {
        let file = self.path().join("ballast");
        // Ends with an error when the disk is full: that is the intention.
        let output =
            Command::new("dd").args(["if=/dev/zero", "bs=64k", &format!("of={}", file.display())]).output();
        assert!(String::from_utf8_lossy(&output.unwrap().stderr).contains("No space left"));
        file
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).output();
    }
}

async fn waits_for_room(world: &World, disk: &SmallDisk) {
    let log = Log::of(world);
    let consumer = Running::start(world).await;
    log.send(messages(0..200)).await;
    truth::stored(world).await;
    let ballast = disk.fill();
    // A database keeps some room for itself: it takes a while until that is used up.
    let mut sent = 200;
    until("the consumer waits for the database", 60, async || {
        log.send(messages(sent..sent + 2_000)).await;
        sent += 2_000;
        !consumer.is_ready()
    })
    .await;
    std::fs::remove_file(ballast).unwrap();
    truth::stored(world).await;
    let summary = consumer.stop().await;
    assert!(summary.retries > 0);
    assert_eq!((summary.inserted + summary.unanswered, summary.repeats, summary.dead_letters), (sent, 0, 0));
    assert_eq!(truth::equal(world).await as u64, sent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sqlite() {
    let Some(disk) = SmallDisk::mount(128) else { return };
    let world = World::embedded_with(Database::sqlite(disk.path())).await;
    waits_for_room(&world, &disk).await;
}

/// The database in a tablespace of its own: a full disk under PostgreSQL's own log would stop the server of
/// all tests.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_postgresql() {
    let Some(server) = std::env::var("MILENA_TEST_POSTGRES_URL").ok().filter(|url| !url.is_empty()) else {
        return;
    };
    let Some(disk) = SmallDisk::mount(48) else { return };
    let (space, folder) = (format!("small_{}", uuid::Uuid::now_v7().simple()), disk.path().join("space"));
    std::fs::create_dir(&folder).unwrap();
    let owned = Command::new("chown").arg("postgres:").arg(&folder).status().unwrap();
    assert!(owned.success());
    let admin = Connector::connect(&server).await.unwrap();
    let run = async |sql: String| {
        admin.execute_raw(Statement::from_string(admin.get_database_backend(), sql)).await.unwrap();
    };
    run(format!("create tablespace {space} location '{}'", folder.display())).await;
    let database = Database::on_with(&server, &format!("tablespace {space}")).await;
    let name = database.url().rsplit_once('/').unwrap().1.to_owned();
    let world = World::with_database(database).await.unwrap();
    waits_for_room(&world, &disk).await;
    run(format!("drop database {name} with (force)")).await;
    run(format!("drop tablespace {space}")).await;
    admin.close().await.unwrap();
}
