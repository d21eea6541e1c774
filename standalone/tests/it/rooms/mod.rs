//! Many people in many rooms, who come and go, write, answer, edit, delete, react and pin while everything
//! dies: what was accepted is what the members of that moment were shown, and what every store becomes that
//! is made of the log.
//!
//! `MILENA_TEST_ROOMS`, `MILENA_TEST_ROOM_PEOPLE`, `MILENA_TEST_ROOM_MESSAGES`, `MILENA_TEST_ROOM_CHANGES`
//! and `MILENA_TEST_ROOM_TOUCHES` (of messages) set the size, `MILENA_TEST_ROOM_KILLS` how often each part
//! dies; `scripts/long rooms` makes it long.

mod audit;
mod changes;
mod conflicts;
mod findings;
mod first;
mod house;
mod oracle;
mod races;
mod replays;
mod touches;

use std::time::Instant;

pub(crate) use self::oracle::Oracle;
pub(crate) use self::replays::{Replays, must_equal, tables};

use self::audit::audit;
use self::house::{House, Part, Size};
use crate::failures::kills::refused_for_now;
use crate::world::{Mortal, Victim, number, tell, turn};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_are_shown_and_stores_hold_what_was_accepted_whatever_dies() {
    let Some(mut mortal) = Mortal::start().await else { return };
    let _turn = turn().await;
    let size = Size::from_environment();
    let house = House::open(&mortal.cluster.addresses(), size).await;
    let kills = number("MILENA_TEST_ROOM_KILLS", 1);
    let progress = &house.crowd.progress;
    let began = Instant::now();
    for number in 0..4 * kills {
        let part = Part::of(&house, number, 4 * kills);
        let (writers, changers) = (house.write(part), house.change(part));
        let refused = || refused_for_now(&house.crowd);
        mortal
            .lose(Victim::ALL[number % 4], number / 4, progress, (part.before, part.messages), refused)
            .await;
        writers.join_all().await;
        changers.join_all().await;
        // What is under way when something dies proves to be new by the database, which may be the next.
        house.all_answered(180).await;
    }
    house.settle().await;
    let seconds = began.elapsed().as_secs_f64();

    let services = &mortal.cluster.services;
    let oracle = Oracle::read(&services.kafka, mortal.cluster.topic()).await;
    house.has_heard(&oracle).await;
    let findings = audit(&house, &oracle);
    tell(&format!(
        "{} people on {} devices in {} rooms, {:.0} s, each part killed {kills} times: {findings}",
        size.people,
        house.crowd.devices().count(),
        size.rooms,
        seconds,
    ));
    findings.must_agree();
    let replays = Replays::of(&mortal.cluster);
    replays.live_equals(&oracle).await;
    replays.all_become_the_same(Some(mortal.another_database().await)).await;
}
