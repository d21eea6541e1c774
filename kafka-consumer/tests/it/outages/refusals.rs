//! The database refuses for the time being, for every reason that it has: the consumer tries again, and
//! nothing becomes a dead letter.
//!
//! The server itself raises the errors, from a trigger on `messages`, one after another. What they mean is in
//! its manuals; what the consumer makes of them is tested here.

use milena_testkit::{Kind, given};
use sea_orm::{ConnectionTrait, Database as Connector};

use crate::log::{Log, messages};
use crate::running::Running;
use crate::store::Database;
use crate::truth;
use crate::world::World;

/// Serialization failure, deadlock, lock timeout, full disk, out of memory, too many connections, statement
/// timeout, shutdown, crash of another session, start-up, broken connection, I/O error.
const POSTGRES: [&str; 12] = [
    "40001", "40P01", "55P03", "53100", "53200", "53300", "57014", "57P01", "57P02", "57P03", "08006",
    "58030",
];
/// Deadlock, lock wait, statement timeout, table and disk full, too many connections, shutdown, read-only
/// after failover.
const MARIADB: [u16; 8] = [1213, 1205, 1969, 1114, 1021, 1040, 1053, 1290];

/// Sends while each refusal comes once; the consumer must have tried again for each.
async fn refused(world: &World, refusals: usize) {
    let log = Log::of(world);
    let consumer = Running::start(world).await;
    for step in 0..10 {
        log.send(messages(step * 50..(step + 1) * 50)).await;
    }
    truth::stored(world).await;
    let summary = consumer.stop().await;
    assert_eq!((summary.inserted, summary.repeats, summary.dead_letters), (500, 0, 0));
    assert!(summary.retries >= refusals as u64, "{summary:?}");
    assert_eq!(truth::equal(world).await, 500);
}

/// A sequence keeps its number when the transaction is undone: so each attempt meets the next error.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_refuses_for_every_temporary_reason() {
    let Some(world) = World::servers().await else { return };
    let database = Connector::connect(world.database.url()).await.unwrap();
    let codes = POSTGRES.map(|code| format!("'{code}'")).join(",");
    let count = POSTGRES.len();
    let sql = format!(
        "create sequence attempts;
         create function refuse() returns trigger language plpgsql as $$
         declare attempt int := nextval('attempts');
         begin
             if attempt <= {count} then
                 raise exception 'refused' using errcode = (array[{codes}])[attempt];
             end if;
             return null;
         end $$;
         create trigger refuse before insert on messages for each statement execute function refuse()"
    );
    database.execute_unprepared(&sql).await.unwrap();
    database.close().await.unwrap();
    refused(&world, count).await;
}

/// The number of attempts is kept in a table without transactions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_refuses_for_every_temporary_reason() {
    let Some(server) = given(Kind::MariaDb) else { return };
    let world = World::embedded_with(Database::on(&server).await).await;
    let database = Connector::connect(world.database.url()).await.unwrap();
    let cases: String = (1..)
        .zip(MARIADB)
        .map(|(attempt, number)| {
            format!("when {attempt} then signal sqlstate 'HY000' set mysql_errno = {number}; ")
        })
        .collect();
    let trigger = format!(
        "create trigger refuse before insert on messages for each row begin
             update attempts set n = n + 1;
             case (select n from attempts) {cases} else begin end; end case;
         end"
    );
    for sql in [
        "create table attempts (n int not null) engine = MyISAM",
        "insert into attempts values (0)",
        &trigger,
    ] {
        database.execute_unprepared(sql).await.unwrap();
    }
    database.close().await.unwrap();
    refused(&world, MARIADB.len()).await;
}
