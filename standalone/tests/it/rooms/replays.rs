//! The log read again into empty databases of each kind: all tables are the same, row for row, as those of
//! the consumers that stored it while everything died.

use std::collections::BTreeSet;
use std::fmt::Debug;

use milena_domain::record::Role;
use milena_storage::entities::{
    blocks, consumer_offsets, conversations, effective_events, members, memberships, mentions, messages,
    reactions, room_authors, room_people, room_words, void_records,
};
use sea_orm::{ConnectOptions, Database as Connector, DatabaseConnection, EntityTrait, FromQueryResult};
use serde_json::Value;

use super::oracle::Oracle;
use crate::world::{Cluster, Database, Kind, shared, tell, until};

/// A replay may read so long.
const SECONDS: u64 = 900;

/// What follows from the log, table by table, each row as a text, in one order for all databases. How far
/// people have read is not of the log.
pub(crate) async fn tables(url: &str) -> Vec<(&'static str, Vec<String>)> {
    async fn rows<E: EntityTrait>(connection: &DatabaseConnection) -> Vec<String>
    where
        E::Model: FromQueryResult + Debug,
    {
        sorted(E::find().all(connection).await.unwrap())
    }
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    let connection = Connector::connect(options).await.unwrap();
    let mut unread = members::Entity::find().all(&connection).await.unwrap();
    unread.iter_mut().for_each(|row| row.last_read = 0);
    let all = vec![
        ("messages", rows::<messages::Entity>(&connection).await),
        ("conversations", rows::<conversations::Entity>(&connection).await),
        ("members", sorted(unread)),
        ("memberships", rows::<memberships::Entity>(&connection).await),
        ("room_people", rows::<room_people::Entity>(&connection).await),
        ("room_authors", rows::<room_authors::Entity>(&connection).await),
        ("room_words", rows::<room_words::Entity>(&connection).await),
        ("void_records", rows::<void_records::Entity>(&connection).await),
        ("effective_events", rows::<effective_events::Entity>(&connection).await),
        ("reactions", rows::<reactions::Entity>(&connection).await),
        ("mentions", rows::<mentions::Entity>(&connection).await),
        ("blocks", rows::<blocks::Entity>(&connection).await),
        ("consumer_offsets", rows::<consumer_offsets::Entity>(&connection).await),
    ];
    connection.close().await.unwrap();
    all
}

fn sorted(rows: Vec<impl Debug>) -> Vec<String> {
    let mut texts: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
    texts.sort_unstable();
    texts
}

/// Says where two stores differ, before it fails.
pub(crate) fn must_equal(name: &str, found: &[(&str, Vec<String>)], expected: &[(&str, Vec<String>)]) {
    for ((table, found), (_, expected)) in found.iter().zip(expected) {
        let differs = found.iter().zip(expected).find(|(found, expected)| found != expected);
        assert!(
            found == expected,
            "{name}: {table} differs: {} rows instead of {}, first {differs:#?}",
            found.len(),
            expected.len()
        );
    }
}

/// The cluster whose log is read again.
pub(crate) struct Replays<'c> {
    cluster: &'c Cluster,
}

impl<'c> Replays<'c> {
    pub(crate) fn of(cluster: &'c Cluster) -> Self {
        Self { cluster }
    }

    async fn told(&self, database: &Database, command: &str) -> Value {
        let arguments = [command, "--json", "--database", database.url()];
        let finished = self.cluster.command_within(SECONDS, &arguments).await;
        let last = finished.stdout.lines().last().unwrap_or_default();
        assert!(finished.status.success(), "{command}: {}{}", finished.stdout, finished.stderr);
        serde_json::from_str(last).expect("JSON")
    }

    /// The store of the cluster has what the log says, once it has read it to its end, and `verify` finds
    /// the same numbers.
    pub(crate) async fn live_equals(&self, oracle: &Oracle) {
        let database = &self.cluster.services.database;
        until("the store has all of the log", 120, async || {
            database.number_of("select coalesce(sum(next_offset), 0)::bigint from consumer_offsets").await
                == oracle.records as i64
        })
        .await;
        let options = ConnectOptions::new(database.url());
        let connection = Connector::connect(options).await.unwrap();
        let mut stored: Vec<_> = messages::Entity::find().all(&connection).await.unwrap();
        stored.sort_unstable_by_key(|row| (row.conversation_id, row.position));
        let mut seats: Vec<_> = memberships::Entity::find().all(&connection).await.unwrap();
        seats.sort_unstable_by_key(|row| (row.conversation_id, row.user_id, row.from_position));
        let put = reactions::Entity::find().all(&connection).await.unwrap();
        let named = mentions::Entity::find().all(&connection).await.unwrap();
        let mut void: Vec<_> = void_records::Entity::find().all(&connection).await.unwrap();
        void.sort_unstable_by_key(|row| (row.conversation_id, row.position));
        connection.close().await.unwrap();
        let logged: Vec<_> = oracle.rows().collect();
        assert_eq!(stored.len(), logged.len(), "rows of the timeline, of the log");
        for (stored, (room, row)) in stored.iter().zip(logged) {
            let body = row.body.as_deref().unwrap_or_default();
            assert_eq!(
                (stored.conversation_id, stored.position, stored.id, &*stored.kind, stored.sender_id),
                (room, row.position, row.id, row.kind, row.actor)
            );
            assert_eq!((&*stored.client_id, &*stored.body), (&*row.client_id, body));
            let life = &row.life;
            assert_eq!(
                (stored.edited_position, stored.deleted_position, stored.pinned_position),
                (life.edited, life.deleted, life.pinned),
                "{stored:?}"
            );
            assert_eq!(stored.changed_position, life.changed, "{stored:?}");
            if life.deleted.is_some() {
                let said = life.bodies.iter().any(|body| is_said(stored.payload.as_deref(), body));
                assert!(!said, "words that were taken back are in {stored:?}");
            }
        }
        let mut wanted = BTreeSet::new();
        for (room, row) in oracle.rows() {
            for ((emoji, user), at) in &row.life.reactions {
                wanted.insert((room, row.position, *user, emoji.clone(), *at));
            }
        }
        let put = put
            .into_iter()
            .map(|row| (row.conversation_id, row.target_position, row.user_id, row.emoji, row.position));
        assert_eq!(put.collect::<BTreeSet<_>>(), wanted, "reactions");
        let named = named.into_iter().map(|row| (row.user_id, row.conversation_id, row.position));
        let wanted = oracle
            .rows()
            .flat_map(|(room, row)| row.life.mentions.iter().map(move |user| (*user, room, row.position)));
        assert_eq!(named.collect::<BTreeSet<_>>(), wanted.collect(), "mentions");
        let seats: Vec<_> = seats
            .into_iter()
            .map(|row| {
                (row.conversation_id, row.user_id, row.from_position, row.to_position, role(&row.role))
            })
            .collect();
        assert!(seats == oracle.memberships(), "memberships differ from the log's");
        let void: Vec<_> =
            void.into_iter().map(|row| (row.conversation_id, row.position, row.id, row.reason)).collect();
        let mut expected: Vec<_> =
            oracle.void.iter().map(|(room, at, id, why)| (*room, *at, *id, why.code().to_owned())).collect();
        expected.sort_unstable_by_key(|(room, at, ..)| (*room, *at));
        assert_eq!(void, expected, "void records");
        self.verified(database, oracle).await;
    }

    /// `verify` accounts for every record as the log itself does.
    pub(crate) async fn verified(&self, database: &Database, oracle: &Oracle) {
        let found = self.told(database, "verify").await;
        let of = |name: &str| found[name].as_u64().unwrap_or_else(|| panic!("{name} in {found}"));
        let (stored, changes) = (oracle.rows().count() as u64, oracle.changes().count() as u64);
        assert_eq!((of("difference_count"), of("altered_repeat_count")), (0, 0), "{found}");
        assert_eq!(
            (of("records"), of("equal"), of("changes"), of("repeats"), of("void"), of("dead_letters")),
            (oracle.records, stored, changes, oracle.repeats, oracle.void.len() as u64, oracle.dead),
            "{found}"
        );
        assert_eq!(
            of("records"),
            of("equal") + of("changes") + of("repeats") + of("void") + of("dead_letters"),
            "read = stored + repeats + void + dead"
        );
    }

    /// Replays into an SQLite file, into `postgres`, and into MariaDB where there is one; and again.
    pub(crate) async fn all_become_the_same(&self, postgres: Option<Database>) {
        let expected = tables(self.cluster.services.database.url()).await;
        let file = self.cluster.folder().join("replayed.db");
        let sqlite = Database::of(&format!("sqlite:{}?mode=rwc", file.display()));
        let mut empty = vec![("SQLite", sqlite)];
        empty.extend(postgres.map(|database| ("PostgreSQL", database)));
        if let Some(server) = shared(Kind::MariaDb).await {
            empty.push(("MariaDB", Database::create_on(&server).await));
        }
        for (name, database) in &empty {
            let began = std::time::Instant::now();
            let first = self.told(database, "replay").await;
            let seconds = began.elapsed().as_secs_f64();
            must_equal(name, &tables(database.url()).await, &expected);
            let again = self.told(database, "replay").await;
            assert_eq!((&again["read"], &again["inserted"]), (&first["read"], &0.into()), "{name}");
            must_equal(&format!("{name}, again"), &tables(database.url()).await, &expected);
            tell(&format!("replayed into {name} in {seconds:.1} s, row for row: {first}"));
        }
    }
}

/// Whether a payload has these words, in any field.
fn is_said(payload: Option<&str>, body: &str) -> bool {
    let payload: Option<Value> = payload.map(|text| serde_json::from_str(text).expect("JSON"));
    let fields = payload.as_ref().and_then(Value::as_object);
    fields.is_some_and(|fields| fields.values().any(|value| value.as_str() == Some(body)))
}

fn role(name: &str) -> Role {
    serde_json::from_value(name.into()).expect("a role")
}
