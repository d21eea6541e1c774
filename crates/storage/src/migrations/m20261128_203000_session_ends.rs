//! Sessions get an end that their use does not move.
//!
//! Programs of before know nothing of it and leave it out when they begin a session: such rows get theirs
//! from the next backend that sweeps.

use milena_domain::Timestamp;
use sea_orm_migration::prelude::*;

use super::steps::add_column;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// As `http.session_max_days` has it by itself.
const FROM_SIGN_IN_MS: i64 = 180 * DAY_MS;
/// Nobody is signed out by the upgrade itself.
const FROM_NOW_MS: i64 = 14 * DAY_MS;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = ColumnDef::new("ends_at_ms").big_integer().null().take();
        add_column(manager, "sessions", "ends_at_ms", column).await?;
        let soonest = Timestamp::now().unix_ms() + FROM_NOW_MS;
        let from_sign_in = || Expr::col("created_at_ms").add(FROM_SIGN_IN_MS);
        let ends_at = Expr::case(from_sign_in().gt(soonest), from_sign_in()).finally(soonest);
        let fill = Query::update()
            .table("sessions")
            .value("ends_at_ms", ends_at)
            .and_where(Expr::col("ends_at_ms").is_null())
            .take();
        manager.execute(fill).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("sessions").drop_column("ends_at_ms").take()).await
    }
}
