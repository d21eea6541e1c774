//! One process at a time, other formats, damage, and beginning anew.

use std::fs;
use std::path::{Path, PathBuf};

use milena_search::{Change, Index, IndexError, Order, TantivyFolder, TantivyIndex};

use super::MEMORY_BYTES;
use crate::world::{ask, checkpoint, everywhere, message, put};

async fn open(folder: &Path) -> Result<TantivyIndex, IndexError> {
    TantivyIndex::open(folder, MEMORY_BYTES).await
}

async fn filled(folder: &Path) {
    let index = open(folder).await.unwrap();
    let changes: Vec<Change> = (0..200).map(|n| put(&message(1, n, &format!("word number{n}")))).collect();
    index.write(changes).await.unwrap();
    index.commit(checkpoint(200)).await.unwrap();
    index.close().await.unwrap();
}

fn files(folder: &Path, ends: &str) -> Vec<PathBuf> {
    let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.file_name().unwrap().to_str().unwrap().ends_with(ends)).collect()
}

#[tokio::test]
async fn a_second_holder_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path()).await.unwrap();
    let refused = IndexError::InUse { folder: folder.path().to_owned() };
    assert_eq!(open(folder.path()).await.err(), Some(refused.clone()));
    assert_eq!(TantivyFolder::new(folder.path()).clear(), Err(refused.clone()));
    assert!(refused.to_string().contains(folder.path().to_str().unwrap()), "{refused}");
    assert!(!refused.needs_rebuild());
    first.commit(checkpoint(1)).await.unwrap();
    drop(first);
    assert_eq!(open(folder.path()).await.unwrap().checkpoint().await.unwrap(), Some(checkpoint(1)));
}

#[tokio::test]
async fn another_format_is_said_and_can_be_made_again() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    let meta = folder.path().join("meta.json");
    let written = fs::read_to_string(&meta).unwrap();
    let newer = written.replace(r#"{\"format\":1,"#, r#"{\"format\":2,\"more\":true,"#);
    assert_ne!(written, newer);
    fs::write(&meta, newer).unwrap();
    let refused = open(folder.path()).await.err().unwrap();
    assert_eq!(refused, IndexError::OtherFormat { found: "2".to_owned(), expected: 1 });
    assert!(refused.needs_rebuild());
    fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    TantivyFolder::new(folder.path()).clear().unwrap();
    filled(folder.path()).await;
    assert_eq!(open(folder.path()).await.unwrap().count().await.unwrap(), 200);
    assert_eq!(fs::read_to_string(folder.path().join("notes.txt")).unwrap(), "mine");
}

#[tokio::test]
async fn a_damaged_folder_is_said_to_be_damaged() {
    /// The end of the names of some files, and what is done to them.
    type Damage = (&'static str, fn(&Path));
    let damages: [Damage; 5] = [
        ("meta.json", |path| fs::write(path, "{\"segments\":").unwrap()),
        ("meta.json", |path| fs::remove_file(path).unwrap()),
        (".idx", |path| fs::remove_file(path).unwrap()),
        (".term", |path| fs::write(path, "").unwrap()),
        (".fast", |path| fs::write(path, "x".repeat(50)).unwrap()),
    ];
    for (number, (ends, damage)) in damages.into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path()).await;
        let damaged = files(folder.path(), ends);
        assert!(!damaged.is_empty(), "{ends}");
        damaged.iter().for_each(|path| damage(path));
        let refused = match open(folder.path()).await {
            Err(refused) => refused,
            // Some is only seen when it is read.
            Ok(index) => index.search(ask("word", &everywhere(), Order::Newest)).await.unwrap_err(),
        };
        assert!(matches!(refused, IndexError::Damaged { .. }), "{number} {ends}: {refused}");
        assert!(refused.needs_rebuild());
        TantivyFolder::new(folder.path()).clear().unwrap();
        filled(folder.path()).await;
        assert_eq!(open(folder.path()).await.unwrap().count().await.unwrap(), 200);
    }
}

#[tokio::test]
async fn a_changed_byte_is_found_by_checking() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    open(folder.path()).await.unwrap().check().await.unwrap();
    let path = files(folder.path(), ".pos").remove(0);
    let mut bytes = fs::read(&path).unwrap();
    bytes[10] ^= 1;
    fs::write(&path, bytes).unwrap();
    let index = open(folder.path()).await.unwrap();
    let damaged = index.check().await.unwrap_err();
    assert!(damaged.to_string().contains(path.file_name().unwrap().to_str().unwrap()), "{damaged}");
    assert!(index.size_bytes().await.unwrap() > 0);
}
