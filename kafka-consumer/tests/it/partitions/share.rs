//! Consumers join, leave and die every few seconds, while messages flow: no offset is passed twice, nothing
//! is lost.
//!
//! `MILENA_TEST_CHURN_SECONDS=120` is the long form.

use std::time::{Duration, Instant};

use rand::RngExt;
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use tokio_util::sync::CancellationToken;

use crate::child::Consumer;
use crate::log::Log;
use crate::traffic::{progress, traffic};
use crate::truth;
use crate::world::{World, number, tell, turn};

/// As many as there are partitions.
const MOST: usize = crate::world::PARTITIONS;

/// What happened to the group.
#[derive(Debug, Default)]
struct Churn {
    joined: u32,
    left: u32,
    killed: u32,
    most: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consumers_come_and_go() {
    let Some(world) = World::servers().await else { return };
    let _turn = turn().await;
    let time = Duration::from_secs(number("MILENA_TEST_CHURN_SECONDS", 12));
    record_every_advance(&world).await;
    let log = Log::of(&world);
    let stop = CancellationToken::new();
    let churning = async {
        let churned = churn(&world, time).await;
        let stored = progress(&world).await;
        stop.cancel();
        (churned, stored)
    };
    let began = Instant::now();
    let (sent, ((churn, running), stored)) = tokio::join!(traffic(&log, 0, &stop), churning);
    let seconds = began.elapsed().as_secs_f64();
    truth::stored(&world).await;
    for consumer in running {
        assert!(consumer.stop().await.success());
    }
    let found = truth::compare(&world).await;
    assert!(found.is_equal(), "{found:?}");
    assert_eq!(found.messages as u64, sent);
    let advances = every_offset_was_passed_once(&world).await;
    tell(&format!(
        "churn for {seconds:.0} s: {} joined, {} left, {} killed, up to {} at once; {found}; {:.0} records \
         a second came, {:.0} were stored meanwhile, in {advances} advances of which none overlaps another",
        churn.joined,
        churn.left,
        churn.killed,
        churn.most,
        progress(&world).await as f64 / seconds,
        stored as f64 / seconds,
    ));
}

/// Changes the group every few seconds; answers what happened and who is left, at least one.
async fn churn(world: &World, time: Duration) -> (Churn, Vec<Consumer>) {
    let mut churn = Churn::default();
    let mut running = Vec::new();
    let end = Instant::now() + time;
    while Instant::now() < end {
        // Half the way up to the most that there may be, half the way down again.
        let joins = running.len() < 2 || (running.len() < MOST && rand::rng().random_bool(0.6));
        if joins {
            running.push(Consumer::start(world, None));
            churn.joined += 1;
            churn.most = churn.most.max(running.len());
        } else {
            let victim = running.swap_remove(rand::rng().random_range(0..running.len()));
            if rand::rng().random() {
                victim.kill();
                churn.killed += 1;
            } else {
                assert!(victim.stop().await.success());
                churn.left += 1;
            }
        }
        tokio::time::sleep(Duration::from_millis(rand::rng().random_range(500..3_000))).await;
    }
    (churn, running)
}

/// Lets the database itself write down each change of a stored offset.
async fn record_every_advance(world: &World) {
    let database = Database::connect(world.database.url()).await.unwrap();
    let sql = "create table advances (partition_id int not null, before bigint, after bigint not null);
         create function note_advance() returns trigger language plpgsql as $$ begin
             insert into advances values
                 (new.partition_id, case when tg_op = 'UPDATE' then old.next_offset end, new.next_offset);
             return new;
         end $$;
         create trigger note after insert or update on consumer_offsets
             for each row execute function note_advance()";
    database.execute_unprepared(sql).await.unwrap();
    database.close().await.unwrap();
}

/// Each advance begins where the one before ended: of two writers of the same records one was always refused.
/// Answers their number.
async fn every_offset_was_passed_once(world: &World) -> usize {
    let database = Database::connect(world.database.url()).await.unwrap();
    let sql = "select partition_id, before, after from advances \
               where before is not null and before <> after order by partition_id, before";
    let rows = database.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap();
    database.close().await.unwrap();
    let mut reached = std::collections::BTreeMap::<i32, i64>::new();
    for row in &rows {
        let (partition, before, after): (i32, i64, i64) = (
            row.try_get_by_index(0).unwrap(),
            row.try_get_by_index(1).unwrap(),
            row.try_get_by_index(2).unwrap(),
        );
        let end = reached.entry(partition).or_default();
        assert_eq!(before, *end, "partition {partition}");
        assert!(after > before, "partition {partition}");
        *end = after;
    }
    assert_eq!(reached.values().sum::<i64>(), progress(world).await);
    rows.len()
}
