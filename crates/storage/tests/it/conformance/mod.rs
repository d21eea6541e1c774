//! One suite, the same on every database.

mod conversations;
mod fence;
mod fold;
mod history;
mod life;
mod message_lists;
mod notifications;
mod outbox;
mod people;
mod presence;
mod push;
mod random_log;
mod reads;
mod room_lists;
mod rooms;
mod schema;
mod sessions;
mod snapshot;
mod writer;

use std::time::Duration;

use crate::database::{Server, TestDatabase};

/// Ten times of what the slowest test takes. One that waits for ever shall say its name, and not use up
/// everybody's time.
const LIMIT: Duration = Duration::from_secs(300);

async fn run(server: Server, test: impl AsyncFnOnce(&TestDatabase)) {
    if let Some(database) = TestDatabase::create(server).await {
        tokio::time::timeout(LIMIT, test(&database)).await.expect("the test ends");
    }
}

macro_rules! on_every_database {
    ($($module:ident: $($name:ident),+;)*) => {
        on_every_database!(@on sqlite, Sqlite, $($module: $($name),+;)*);
        on_every_database!(@on postgres, Postgres, $($module: $($name),+;)*);
        on_every_database!(@on mariadb, MariaDb, $($module: $($name),+;)*);
    };
    (@on $database:ident, $server:ident, $($module:ident: $($name:ident),+;)*) => {
        mod $database {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::run(super::Server::$server, super::$module::$name).await;
                }
            )+)*
        }
    };
}

on_every_database! {
    schema: migrations_go_up_and_down_and_up, several_programs_migrate_at_once, entities_match_the_schema,
        a_topics_partitions_are_noted_once, a_migration_that_was_cut_off_goes_on,
        a_newer_programs_migrations_are_left_alone, messages_of_before_are_numbered;
    people: usernames_are_unique_regardless_of_case, people_are_found_by_id_and_by_name,
        the_search_ranks_and_takes_text_as_text, names_that_older_programs_write_are_found,
        an_import_keeps_the_ids_that_exist, an_import_keeps_what_changed_nothing, people_are_renamed,
        a_new_password_ends_the_other_sessions;
    sessions: a_session_lives_until_it_expires, a_session_belongs_to_its_person, user_agents_are_cut,
        many_sessions_are_touched_at_once, all_sessions_but_one_are_ended,
        use_moves_a_session_no_further_than_its_end;
    history: paging_both_ways_gives_every_message_once, a_page_around_a_position, texts_come_back_exactly,
        epochs_and_large_positions_keep_their_order, messages_are_found_by_id;
    conversations: the_list_is_paged_newest_first, a_page_costs_a_page,
        unread_messages_are_counted_up_to_the_limit,
        many_conversations_are_found_by_their_ids, notes_to_self_have_one_member, strangers_see_nothing;
    presence: how_people_want_to_be_seen_is_kept, who_shares_a_conversation_is_known;
    notifications: what_somebody_wants_to_be_told_is_kept, changes_at_once_are_all_counted,
        conversations_with_settings_are_bounded, what_somebody_says_of_themselves_ends_by_itself;
    push: a_subscription_lives_with_its_session, an_endpoint_is_one_browsers,
        who_was_in_a_room_and_still_is_has_devices, whoever_wrote_since_is_known,
        what_is_pushed_is_claimed_once;
    outbox: a_registration_leaves_its_rows, of_two_claimers_one_has_the_row, rows_of_the_dead_come_back,
        everybody_of_before_is_expected_once;
    reads: read_positions_only_grow, marks_of_unknown_members_are_answered;
    writer: duplicates_are_stored_once, a_repeat_does_not_move_its_conversation, a_taken_position_is_bad_data,
        bad_text_is_bad_data, large_batches_are_written_whole, an_abandoned_write_leaves_all_or_nothing,
        consumers_of_different_partitions_do_not_disturb_each_other;
    fence: a_batch_must_begin_where_the_store_is, of_two_writers_one_wins, a_new_epoch_ends_the_old_one;
    fold: the_golden_vectors_hold_in_the_store, random_logs_of_all_kinds_agree, a_deletion_leaves_no_text,
        a_false_proof_is_named, a_lost_message_is_put_back;
    life: what_became_of_messages_is_told_for_a_page;
    message_lists: pins_are_listed_newest_first_as_far_as_they_are_visible,
        mentions_are_listed_newest_first_and_counted_until_they_are_read,
        a_message_of_many_reactions_costs_little;
    room_lists: people_and_rooms_are_one_list, unread_messages_of_rooms_are_told_by_numbers,
        a_page_with_rooms_costs_a_page, rooms_are_found_by_size_word_and_handle;
    rooms: a_room_is_read_whole, events_of_all_kinds_are_found_by_id,
        a_timeline_is_paged_within_what_is_visible, members_are_listed_by_role_and_name;
    snapshot: a_list_says_exactly_which_records_it_contains;
    random_log: a_random_log_is_stored_once_and_in_order;
}
