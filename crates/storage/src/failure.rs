//! What a database error means for whoever gets it: worth another attempt, bad data, or neither.
//!
//! The lists follow the SQLSTATE classes of PostgreSQL's manual (appendix A), the server error references of
//! MySQL and MariaDB, and SQLite's result codes.

use sea_orm::sqlx::error::DatabaseError;
use sea_orm::sqlx::mysql::MySqlDatabaseError;
use sea_orm::sqlx::postgres::PgDatabaseError;
use sea_orm::{DbErr, RuntimeErr, SqlxError};

/// The meaning of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Connection, contention, restart, failover, a full disk: the same statement can succeed later.
    Temporary,
    /// A value or a constraint: the same row fails for ever.
    BadData,
    /// Rights, a file that cannot be written, a missing table: a person has to mend it, and then it goes on.
    Repair,
    /// Configuration or a mistake in this program.
    Other,
}

pub(crate) fn failure_of(error: &DbErr) -> Failure {
    match error {
        DbErr::ConnectionAcquire(_) => Failure::Temporary,
        DbErr::Conn(RuntimeErr::Internal(_)) => Failure::Temporary,
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => of_driver(error),
        _ => Failure::Other,
    }
}

fn of_driver(error: &SqlxError) -> Failure {
    match error {
        SqlxError::Io(_)
        | SqlxError::Tls(_)
        | SqlxError::Protocol(_)
        | SqlxError::PoolTimedOut
        | SqlxError::PoolClosed
        | SqlxError::WorkerCrashed => Failure::Temporary,
        SqlxError::Database(error) => of_database(error.as_ref()),
        _ => Failure::Other,
    }
}

fn of_database(error: &dyn DatabaseError) -> Failure {
    if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
        of_postgres(error.code())
    } else if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
        of_mysql(error.number())
    } else {
        // SQLite has no code of its own for this.
        if ["no such table", "no such column"].iter().any(|words| error.message().starts_with(words)) {
            return Failure::Repair;
        }
        error.code().and_then(|code| code.parse().ok()).map_or(Failure::Other, of_sqlite)
    }
}

fn of_postgres(sqlstate: &str) -> Failure {
    match sqlstate {
        // Serialisation and deadlock; lock timeout; a standby after failover; our own timeouts of idle
        // transactions.
        "40001" | "40P01" | "55P03" | "25006" | "25P03" | "25P04" => Failure::Temporary,
        // No such database: a server that has just come up gets it in a moment.
        "3D000" => Failure::Temporary,
        // Rights; a missing table or column.
        "42501" | "42P01" | "42703" => Failure::Repair,
        _ => match sqlstate.get(..2) {
            // Connection; resources (disk, memory, connections); operator (restart, cancel); system (I/O).
            Some("08" | "53" | "57" | "58") => Failure::Temporary,
            Some("22" | "23") => Failure::BadData,
            // Who may sign in; no such schema; corrupt pages.
            Some("28" | "3F" | "XX") if sqlstate != "XX000" => Failure::Repair,
            _ => Failure::Other,
        },
    }
}

fn of_mysql(number: u16) -> Failure {
    match number {
        // Disk and memory full; too many connections; shutdown; network errors; server gone.
        1021
        | 1037
        | 1038
        | 1040
        | 1041
        | 1053
        | 1077
        | 1078
        | 1079
        | 1114
        | 1152
        | 1154..=1161
        | 2002
        | 2003
        | 2006
        | 2013 => Failure::Temporary,
        // Lock wait, deadlock, killed, statement timeout, read-only after failover, user's connection limit.
        1203 | 1205 | 1213 | 1226 | 1290 | 1317 | 1412 | 1836 | 1927 | 1969 | 3024 | 3101 | 3572 | 4031 => {
            Failure::Temporary
        }
        // No such database: a server that has just come up gets it in a moment.
        1049 => Failure::Temporary,
        // Rights and sign-in; no such table or column; a packet that the server does not take; a corrupt
        // table.
        1044 | 1045 | 1054 | 1142 | 1143 | 1146 | 1153 | 1194 | 1227 | 1370 | 1698 => Failure::Repair,
        // NULL, duplicate key, foreign key, out of range, wrong text or value, too long, check constraint.
        1048 | 1062 | 1169 | 1216 | 1217 | 1264 | 1265 | 1292 | 1364 | 1366 | 1406 | 1451 | 1452 | 1586
        | 3819 | 3854 | 3988 | 4025 => Failure::BadData,
        _ => Failure::Other,
    }
}

fn of_sqlite(extended_code: i32) -> Failure {
    // The low byte is the primary code.
    match extended_code & 0xff {
        // BUSY, LOCKED, NOMEM, INTERRUPT, IOERR, FULL, PROTOCOL (a race for the WAL lock).
        5 | 6 | 7 | 9 | 10 | 13 | 15 => Failure::Temporary,
        // PERM, READONLY, CORRUPT, CANTOPEN, AUTH, NOTADB.
        3 | 8 | 11 | 14 | 23 | 26 => Failure::Repair,
        // TOOBIG, CONSTRAINT, MISMATCH.
        18..=20 => Failure::BadData,
        _ => Failure::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart() {
        assert_eq!(of_postgres("57P01"), Failure::Temporary, "admin shutdown");
        assert_eq!(of_postgres("40P01"), Failure::Temporary, "deadlock");
        assert_eq!(of_postgres("57014"), Failure::Temporary, "statement timeout");
        assert_eq!(of_postgres("22021"), Failure::BadData, "U+0000");
        assert_eq!(of_postgres("23505"), Failure::BadData, "unique violation");
        assert_eq!(of_postgres("42501"), Failure::Repair, "no rights");
        assert_eq!(of_postgres("28P01"), Failure::Repair, "a wrong password");
        assert_eq!(of_postgres("XX000"), Failure::Other, "an internal error");
        assert_eq!(of_postgres("42P01"), Failure::Repair, "a missing table is no reason to dead-letter");
        assert_eq!(of_mysql(1213), Failure::Temporary, "deadlock");
        assert_eq!(of_mysql(1062), Failure::BadData, "duplicate key");
        assert_eq!(of_mysql(1142), Failure::Repair, "no rights");
        assert_eq!(of_mysql(1153), Failure::Repair, "max_allowed_packet");
        assert_eq!(of_mysql(1146), Failure::Repair, "a missing table");
        assert_eq!(of_sqlite(517), Failure::Temporary, "BUSY_SNAPSHOT");
        assert_eq!(of_sqlite(1555), Failure::BadData, "primary key");
        assert_eq!(of_sqlite(1032), Failure::Repair, "READONLY_DBMOVED");
        assert_eq!(of_sqlite(14), Failure::Repair, "CANTOPEN");
        assert_eq!(of_sqlite(1), Failure::Other, "a mistake in the SQL");
    }

    #[test]
    fn a_pool_that_times_out_is_temporary() {
        assert_eq!(
            failure_of(&DbErr::ConnectionAcquire(sea_orm::error::ConnAcquireErr::Timeout)),
            Failure::Temporary
        );
    }
}
