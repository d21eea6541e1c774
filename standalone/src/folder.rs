//! The data folder: everything is inside it, whatever its name; only its owner can look into it; and one
//! program at a time works on it and on the database in it.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use milena_broker::{BrokerError, FolderLock};

/// The database's file in the folder.
pub(crate) const DATABASE: &str = "milena.db";
/// The log's own folder; its address and its secret are beside it.
pub(crate) const LOG: &str = "log";

/// Creates the data folder, closes it to other accounts, and gives its full path.
///
/// Folders of earlier versions were open to all accounts of the machine. They are closed, with what Milena
/// has in them.
///
/// # Errors
/// Names the folder.
pub(crate) fn open(data: &Path) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(data)
        .with_context(|| format!("the data folder {} cannot be created", data.display()))?;
    let data = data
        .canonicalize()
        .with_context(|| format!("the data folder {} cannot be opened", data.display()))?;
    close(&data).with_context(|| format!("the data folder {} cannot be looked through", data.display()))?;
    Ok(data)
}

/// Takes the rights of other accounts away. What is not Milena's is left alone, the folder too when it holds
/// such things and nothing of Milena's: somebody may have named `/tmp`.
fn close(data: &Path) -> io::Result<()> {
    let (mut ours, mut foreign) = (Vec::new(), false);
    for entry in fs::read_dir(data)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_ours = name.to_str().is_some_and(|name| {
            name == LOG || name.starts_with("log.") || name.starts_with(DATABASE) || name == "lock"
        });
        if is_ours { ours.push(entry.path()) } else { foreign = true }
    }
    if is_open(data)? {
        if foreign && !data.join(DATABASE).exists() {
            log::warn!(
                folder:% = data.display();
                "the data folder holds other things and is open to other accounts; what Milena writes is not"
            );
        } else if restrict(data)? {
            log::info!(
                folder:% = data.display();
                "the data folder was open to other accounts and is closed now"
            );
        }
    }
    ours.iter().try_for_each(|path| close_all(path))
}

fn close_all(path: &Path) -> io::Result<()> {
    let metadata = match fs::symlink_metadata(path) {
        // SQLite's own files come and go.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        metadata => metadata?,
    };
    if metadata.is_symlink() {
        return Ok(());
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        restrict(path)?;
    }
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            close_all(&entry?.path())?;
        }
    }
    Ok(())
}

fn is_open(path: &Path) -> io::Result<bool> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

/// Leaves the owner's rights. Not every folder is its user's own (volumes of containers), so a refusal is
/// only told.
fn restrict(path: &Path) -> io::Result<bool> {
    let mode = fs::metadata(path)?.permissions().mode() & 0o700;
    match fs::set_permissions(path, Permissions::from_mode(mode)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => {
            log::warn!(
                path:% = path.display(), error:%;
                "this cannot be closed to other accounts of the machine"
            );
            Ok(false)
        }
    }
}

/// The URL of the database in the folder. Every byte of the path that could mean something in a URL is
/// escaped.
///
/// # Errors
/// When the path is not text.
pub(crate) fn database_url(data: &Path) -> anyhow::Result<String> {
    let file = data.join(DATABASE);
    let path = file.to_str().context("the data folder's path is not UTF-8")?;
    let escape = |byte: u8| match byte {
        b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    Ok(format!("sqlite:{}?mode=rwc", path.bytes().map(escape).collect::<String>()))
}

/// Makes sure that no other `milena` has the database, for as long as the answer lives: the one in this
/// folder may be a link to that of another.
///
/// # Errors
/// Names the folder, and the process that has it.
pub(crate) fn lock_database(data: &Path) -> Result<FolderLock, BrokerError> {
    let real = data.join(DATABASE).canonicalize();
    let home = real.ok().and_then(|file| file.parent().map(Path::to_owned));
    FolderLock::take(home.as_deref().unwrap_or(data))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn put(path: &Path, permissions: u32) {
        fs::write(path, "x").unwrap();
        fs::set_permissions(path, Permissions::from_mode(permissions)).unwrap();
    }

    #[test]
    fn an_old_folder_is_closed_with_what_is_ours() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::create_dir_all(data.join("log/topics/0")).unwrap();
        fs::set_permissions(&data, Permissions::from_mode(0o755)).unwrap();
        for file in ["milena.db", "milena.db-wal", "log.address", "log/topics/0/0.log", "backup.tar"] {
            put(&data.join(file), 0o644);
        }
        std::os::unix::fs::symlink(data.join("backup.tar"), data.join("log/link")).unwrap();
        let data = open(&data).unwrap();
        for file in ["milena.db", "milena.db-wal", "log.address", "log/topics/0/0.log"] {
            assert_eq!(mode(&data.join(file)), 0o600, "{file}");
        }
        assert_eq!(
            [mode(&data), mode(&data.join("log/topics/0")), mode(&data.join("backup.tar"))],
            [0o700, 0o700, 0o644]
        );
    }

    #[test]
    fn a_folder_of_other_things_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        put(&folder.path().join("thesis.tex"), 0o644);
        open(folder.path()).unwrap();
        assert_eq!([mode(folder.path()), mode(&folder.path().join("thesis.tex"))], [0o755, 0o644]);
    }

    #[test]
    fn nothing_in_a_name_means_anything() {
        let url = database_url(Path::new("/a/fresh%20dir/b?c#d/:memory:/mode=memory/é f")).unwrap();
        assert_eq!(
            url,
            "sqlite:/a/fresh%2520dir/b%3Fc%23d/%3Amemory%3A/mode%3Dmemory/%C3%A9%20f/milena.db?mode=rwc"
        );
    }

    #[test]
    fn a_database_that_another_folder_links_to_is_one_database() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("first"), folder.path().join("second"));
        for data in [&first, &second] {
            fs::create_dir(data).unwrap();
        }
        put(&first.join(DATABASE), 0o600);
        std::os::unix::fs::symlink(first.join(DATABASE), second.join(DATABASE)).unwrap();
        let _held = lock_database(&first).unwrap();
        let refused = lock_database(&second).unwrap_err().to_string();
        assert!(refused.contains(&first.display().to_string()), "{refused}");
        assert!(refused.contains(&std::process::id().to_string()), "{refused}");
    }
}
