//! The schema, one file a step. A published step is never edited; a change is a new step.

mod columns;
mod fill;
mod m20261121_090000_people;
mod m20261121_090100_conversations;
mod m20261121_090200_log;
mod m20261128_200000_server_key;
mod m20261128_201000_log_topics;
mod m20261128_202000_imported_people;
mod m20261128_202100_names;
mod m20261128_202200_conversation_lists;
mod m20261128_203000_session_ends;
mod m20261129_000000_timeline;
mod m20261129_010000_rooms;
mod m20261129_020000_outbox_leases;
mod m20261129_030000_rewritten_in_place;
mod m20261129_160000_imported_events;
mod m20261129_170000_effective_events_at;
mod m20261129_190000_lists_of_messages;
mod m20261129_200000_what_was_said_before;
mod m20261129_210000_hidden_receipts;
mod m20261129_220000_log_rewrites;
mod m20261129_230000_presence;
mod m20261129_233000_notifications;
mod m20261129_234000_status;
mod m20261130_000000_push;
mod run;
mod steps;

use sea_orm_migration::prelude::*;

pub(crate) use run::apply;

/// All steps, in order.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_090000_people::Migration),
            Box::new(m20261121_090100_conversations::Migration),
            Box::new(m20261121_090200_log::Migration),
            Box::new(m20261128_200000_server_key::Migration),
            Box::new(m20261128_201000_log_topics::Migration),
            Box::new(m20261128_202000_imported_people::Migration),
            Box::new(m20261128_202100_names::Migration),
            Box::new(m20261128_202200_conversation_lists::Migration),
            Box::new(m20261128_203000_session_ends::Migration),
            Box::new(m20261129_000000_timeline::Migration),
            Box::new(m20261129_010000_rooms::Migration),
            Box::new(m20261129_020000_outbox_leases::Migration),
            Box::new(m20261129_030000_rewritten_in_place::Migration),
            Box::new(m20261129_160000_imported_events::Migration),
            Box::new(m20261129_170000_effective_events_at::Migration),
            Box::new(m20261129_190000_lists_of_messages::Migration),
            Box::new(m20261129_200000_what_was_said_before::Migration),
            Box::new(m20261129_210000_hidden_receipts::Migration),
            Box::new(m20261129_220000_log_rewrites::Migration),
            Box::new(m20261129_230000_presence::Migration),
            Box::new(m20261129_233000_notifications::Migration),
            Box::new(m20261129_234000_status::Migration),
            Box::new(m20261130_000000_push::Migration),
        ]
    }
}
