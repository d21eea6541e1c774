//! kill -9, during traffic, of everything that can be killed: what was accepted is there, once, in one order.

use std::sync::Arc;
use std::time::Instant;

use crate::ledger::{Crowd, audit};
use crate::world::{Milena, Mortal, Victim, number, tell, turn, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backend_consumer_broker_and_database_die_during_traffic() {
    let Some(mut mortal) = Mortal::start().await else { return };
    let _turn = turn().await;
    let crowd = Crowd::gather(&mortal.cluster.addresses(), 200).await;
    let database = mortal.cluster.services.database.clone();

    let kills = number("MILENA_TEST_KILLS", 1);
    let share = number("MILENA_TEST_MESSAGES", 20_000) / 4 / kills;
    for round in 0..kills {
        for victim in Victim::ALL {
            let seed = 10 * round as u64 + victim as u64;
            let before = crowd.progress.count();
            let writers = crowd.talk(share, seed);
            mortal.lose(victim, round, &crowd.progress, (before, share), || refused_for_now(&crowd)).await;
            let restarted = Instant::now();
            writers.join_all().await;
            crowd.all_accepted(180).await;
            crowd.settle(seed).await;
            mortal.cluster.stored(crowd.sent().len(), 120).await;
            let name = format!(
                "{victim:?} killed, all stored {:.1} s after its restart",
                restarted.elapsed().as_secs_f64()
            );
            audit(&crowd, &database.messages().await).must_agree(&name);
        }
    }
    let (records, dead) = mortal.cluster.log_counts().await;
    tell(&format!("records in the log: {records}, of {} messages", crowd.sent().len()));
    assert_eq!(dead, 0, "dead letters");
}

pub(crate) fn refused_for_now(crowd: &Arc<Crowd>) -> usize {
    crowd.devices().map(|device| device.heard().refused_for_now.values().sum::<usize>()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn milena_dies_during_traffic() {
    let _turn = turn().await;
    let mut milena = Milena::start().await;
    let crowd = Crowd::gather(&[milena.address], 60).await;
    let kills = 2 + number("MILENA_TEST_KILLS", 1);
    let messages = number("MILENA_TEST_MESSAGES", 20_000) / 4;
    let writers = crowd.talk(messages, 1);
    for kill in 1..=kills {
        crowd.progress.reaches(messages * kill / (kills + 1), 180).await;
        milena.program.kill();
        milena.start_again().await;
    }
    writers.join_all().await;
    crowd.all_accepted(180).await;
    crowd.settle(1).await;
    let (database, count) = (milena.database(), crowd.sent().len() as i64);
    until("everything is stored", 60, async || database.try_count_messages().await == Some(count)).await;
    audit(&crowd, &database.messages().await).must_agree(&format!("milena killed {kills} times"));
}
