//! The database of one machine as a file of its own, for a backup.

use std::path::Path;

use sea_orm::{ConnectionTrait as _, DbBackend, Statement};

use crate::{StorageError, Store, StoreKind};

impl Store {
    /// Writes the whole database, as it is at one moment, into a new file, while others go on with it. It
    /// takes as long as the disk takes; nobody waits for it.
    ///
    /// # Errors
    /// [`StorageError::Unfit`] for another database than SQLite, which have tools of their own for this; else
    /// what the database refused: the disk is full, or the file is there already.
    pub async fn snapshot_to(&self, file: &Path) -> Result<(), StorageError> {
        let unfit = |why: &str| StorageError::Unfit(why.to_owned());
        if self.kind() != StoreKind::Sqlite {
            return Err(unfit("only a database of SQLite is copied by this program"));
        }
        let file = file.to_str().ok_or_else(|| unfit("the path of the copy is not UTF-8"))?;
        // It reads in one transaction, and leaves out what is free in the file (SQLite, `VACUUM INTO`).
        let statement = Statement::from_sql_and_values(DbBackend::Sqlite, "VACUUM INTO ?", [file.into()]);
        self.writer().execute_raw(statement).await?;
        Ok(())
    }
}
