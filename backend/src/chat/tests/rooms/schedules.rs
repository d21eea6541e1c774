//! The schedules. `MILENA_TEST_SCHEDULES` sets how many.

use std::sync::Mutex;

use milena_domain::record::{Posting, Role, Visibility};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use super::super::shared::PARTITIONS;
use super::play::{Figures, Play, Setting};
use super::rules::Rule;
use super::steps::{DEVICES, Deed, Meanwhile, PEOPLE, ROOMS, Spot, Step, Touch, fold_and_rules_agree};
use crate::mutation::Mutation;

const SCHEDULES: u32 = 60;
/// In so many logs a missing rule is noticed.
const LOGS: u32 = 200;
/// In so many schedules one that nodes leave out, or in as many as are asked for.
const MUTANTS: u32 = 60;
/// These in each run, all of them when more schedules are asked for.
const ALWAYS: [Mutation; 2] = [Mutation::ResumeShowsWhatWasBefore, Mutation::ResumeTellsChangesFromBefore];

fn deed() -> impl Strategy<Value = Deed> {
    let who = || 0..PEOPLE;
    let role = prop_oneof![Just(Role::Member), Just(Role::Moderator), Just(Role::Owner)];
    let visibility = prop_oneof![Just(Visibility::Public), Just(Visibility::Private)];
    let posting = prop_oneof![Just(Posting::Members), Just(Posting::Moderators)];
    prop_oneof![
        10 => Just(Deed::Say),
        5 => Just(Deed::Join),
        3 => Just(Deed::Leave),
        4 => who().prop_map(Deed::Add),
        4 => who().prop_map(Deed::Remove),
        3 => who().prop_map(Deed::Ban),
        2 => who().prop_map(Deed::Unban),
        3 => (who(), role).prop_map(|(who, role)| Deed::Role(who, role)),
        2 => any::<bool>().prop_map(Deed::Archive),
        1 => (0_u8..3).prop_map(Deed::Title),
        1 => (0_u8..2).prop_map(Deed::Handle),
        1 => visibility.prop_map(Deed::Visible),
        1 => posting.prop_map(Deed::Posting),
    ]
}

fn touch() -> impl Strategy<Value = Touch> {
    prop_oneof![
        2 => (0..PEOPLE).prop_map(Touch::Reply),
        4 => Just(Touch::Edit),
        2 => Just(Touch::Delete),
        4 => (0_u8..3, any::<bool>()).prop_map(|(emoji, on)| Touch::React(emoji, on)),
        2 => any::<bool>().prop_map(Touch::Pin),
    ]
}

/// Mostly in rooms; mostly one of the newest messages.
fn touched() -> impl Strategy<Value = (Spot, usize, Touch)> {
    let spot = prop_oneof![3 => (0..ROOMS).prop_map(Spot::Room), 1 => (0..PEOPLE).prop_map(Spot::With)];
    (spot, prop_oneof![3 => 0_usize..3, 1 => 3_usize..20], touch())
}

fn meanwhile() -> impl Strategy<Value = Meanwhile> {
    let all =
        [Meanwhile::Nothing, Meanwhile::Restart, Meanwhile::Burst, Meanwhile::Unknown, Meanwhile::Unknown];
    prop::sample::select(all.as_slice().to_vec())
}

fn step() -> impl Strategy<Value = Step> {
    let (device, node, partition) = (0..DEVICES.len(), 0_usize..2, 0..PARTITIONS);
    let (who, room) = (|| 0..PEOPLE, || 0..ROOMS);
    prop_oneof![
        5 => device.clone().prop_map(|device| Step::Create { device }),
        24 => (device.clone(), room(), deed())
            .prop_map(|(device, room, deed)| Step::Act { device, room, deed }),
        4 => (device.clone(), who()).prop_map(|(device, to)| Step::Write { device, to }),
        14 => (device.clone(), touched())
            .prop_map(|(device, (at, back, touch))| Step::Touch { device, at, back, touch }),
        6 => (who(), touched())
            .prop_map(|(by, (at, back, touch))| Step::TouchElsewhere { by, at, back, touch }),
        1 => (who(), who(), any::<bool>()).prop_map(|(by, of, on)| Step::Block { by, of, on }),
        3 => device.clone().prop_map(|device| Step::Again { device }),
        3 => device.clone().prop_map(|device| Step::Drop { device }),
        8 => (device.clone(), node.clone()).prop_map(|(device, node)| Step::Connect { device, node }),
        14 => (device.clone(), 0_usize..9).prop_map(|(device, most)| Step::Turn { device, most }),
        20 => node.clone().prop_map(|node| Step::Append { node }),
        10 => node.clone().prop_map(|node| Step::Confirm { node }),
        2 => node.clone().prop_map(|node| Step::Fail { node }),
        20 => (node.clone(), partition.clone(), 1_usize..9)
            .prop_map(|(node, partition, count)| Step::Read { node, partition, count }),
        8 => (partition.clone(), 1_usize..20)
            .prop_map(|(partition, count)| Step::Consume { partition, count }),
        3 => (partition, 1_usize..20).prop_map(|(partition, count)| Step::Index { partition, count }),
        1 => Just(Step::Rebuild),
        5 => node.clone().prop_map(|node| Step::Learn { node }),
        2 => node.clone().prop_map(|node| Step::Forget { node }),
        2 => node.clone().prop_map(|node| Step::Hold { node }),
        4 => (node.clone(), 1_usize..5).prop_map(|(node, permits)| Step::Let { node, permits }),
        2 => node.clone().prop_map(|node| Step::Release { node }),
        6 => prop_oneof![Just(150), Just(700), Just(6_000)].prop_map(|ms| Step::Wait { ms }),
        3 => (device, room(), node.clone())
            .prop_map(|(device, room, node)| Step::ComeLate { device, room, node }),
        1 => room().prop_map(|room| Step::Burst { room }),
        1 => room().prop_map(|room| Step::BurstOfReactions { room }),
        1 => node.clone().prop_map(|node| Step::Disconnect { node }),
        2 => node.clone().prop_map(|node| Step::Reconnect { node }),
        1 => node.prop_map(|node| Step::Restart { node }),
    ]
}

/// Now and then somebody is away while what they hold is changed.
fn step_or_away() -> impl Strategy<Value = Step> {
    let away = (0..4_usize, 0..ROOMS, 0_usize..2, meanwhile());
    let away =
        away.prop_map(|(device, room, node, meanwhile)| Step::MissChanges { device, room, node, meanwhile });
    prop_oneof![40 => step(), 1 => away]
}

type Schedule = (Vec<Step>, Setting);

fn schedule() -> impl Strategy<Value = Schedule> {
    let setting = (4_usize..80, 16_usize..60, prop::bool::weighted(0.8));
    (prop::collection::vec(step(), 1..140), setting.prop_map(setting_of))
}

/// The same for what single steps seldom come to; in some memories more fits than a resume replays.
fn schedule_with_absences() -> impl Strategy<Value = Schedule> {
    let memory = prop_oneof![3 => 4_usize..80, 1 => 200_usize..250];
    let setting = (memory, 16_usize..60, Just(true));
    (prop::collection::vec(step_or_away(), 1..100), setting.prop_map(setting_of))
}

fn setting_of((memory, outbox_messages, founded): (usize, usize, bool)) -> Setting {
    Setting { memory, outbox_messages, founded }
}

fn play((steps, setting): Schedule) -> Figures {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut play = Play::new(setting).await;
        // The store that nobody asks was opened in real time; from now on a wait is a step.
        tokio::time::pause();
        for step in steps {
            play.take(step).await;
        }
        play.end().await;
        play.figures
    })
}

fn schedules() -> u32 {
    std::env::var("MILENA_TEST_SCHEDULES").map_or(SCHEDULES, |text| text.parse().expect("a whole number"))
}

#[test]
fn in_rooms_everybody_comes_to_the_same_and_nobody_hears_what_is_not_theirs() {
    let all = Mutex::new(Figures::default());
    let config = Config { cases: schedules(), failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&schedule(), |schedule| {
        let figures = play(schedule);
        all.lock().unwrap().add(figures);
        Ok(())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, schedule)) => panic!("Test failed: {reason}: {schedule:?}"),
        Err(error) => panic!("{error}"),
    }
    let all = all.into_inner().unwrap();
    println!("{all:?}");
    let each = [all.effective, all.void, all.repeats, all.accepted, all.rejected, all.shown];
    assert!(each.iter().all(|count| *count > 0), "{all:?}");
}

/// Were one rule missing on one side, whatever side it is, a log would tell: the fold and the plain rules
/// disagree about it.
#[test]
fn a_missing_rule_is_noticed() {
    let happening = (0..PEOPLE, 0..ROOMS, deed(), (0_u8..14, 0_usize..4, touch()));
    let logs = prop::collection::vec(happening, 1..200);
    let disagree = |rule: Option<Rule>| {
        let config =
            Config { cases: LOGS, failure_persistence: None, max_shrink_iters: 0, ..Config::default() };
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let outcome = TestRunner::new_with_rng(config, rng).run(&logs, |happenings| {
            let agree = fold_and_rules_agree(&happenings, rule);
            prop_assert!(agree);
            Ok(())
        });
        matches!(outcome, Err(TestError::Fail(..)))
    };
    assert!(!disagree(None), "with all rules they agree");
    let unnoticed: Vec<Rule> = Rule::ALL.into_iter().filter(|rule| !disagree(Some(*rule))).collect();
    assert!(unnoticed.is_empty(), "nobody misses {unnoticed:?}");
}

/// The same of nodes: whichever of these rules they left out, a schedule would tell.
#[test]
fn a_rule_that_nodes_leave_out_is_noticed() {
    assert_eq!(noticed(None), None, "nodes that leave out nothing");
    let all: &[Mutation] = if schedules() > SCHEDULES { &Mutation::ALL } else { &ALWAYS };
    let is_unnoticed = |mutation: &Mutation| noticed(Some(*mutation)).is_none();
    let unnoticed: Vec<Mutation> = all.iter().copied().filter(is_unnoticed).collect();
    assert!(unnoticed.is_empty(), "nobody misses {unnoticed:?}");
}

#[test]
fn whoever_is_away_while_what_they_hold_is_changed_misses_nothing() {
    let config = Config { cases: schedules(), failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&schedule_with_absences(), |schedule| {
        play(schedule);
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
}

/// How many schedules passed before one failed, and why that one did; `None` when all passed.
fn noticed(mutation: Option<Mutation>) -> Option<(u32, String)> {
    let cases = if mutation.is_some() { schedules().max(MUTANTS) } else { MUTANTS };
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 0, ..Config::default() };
    let passed = std::cell::Cell::new(0);
    let run = || {
        let config = config.clone();
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        TestRunner::new_with_rng(config, rng).run(&schedule_with_absences(), |schedule| {
            play(schedule);
            passed.set(passed.get() + 1);
            Ok(())
        })
    };
    let outcome = mutation.map_or_else(&run, |mutation| mutation.during(run));
    let Err(TestError::Fail(reason, _)) = outcome else { return None };
    let reason: String = reason.message().chars().take(120).collect();
    println!("{mutation:?} is noticed after {}: {reason}", passed.get());
    Some((passed.get(), reason))
}

const fn away(device: usize, room: u128, node: usize, meanwhile: Meanwhile) -> Step {
    Step::MissChanges { device, room, node, meanwhile }
}

fn plays(memory: usize, founded: bool, steps: Vec<Step>) -> Figures {
    play((steps, Setting { memory, outbox_messages: 16, founded }))
}

/// The consumer was behind, and memory had dropped the creation: in which rooms somebody was could not be
/// told, and was told as none.
#[test]
fn whoever_comes_while_memory_lacks_memberships_hears_their_rooms_all_the_same() {
    let create = || Step::Create { device: 0 };
    plays(4, false, vec![create(), Step::Append { node: 1 }, Step::Burst { room: 1 }, create()]);
    let disconnect = Step::Disconnect { node: 1 };
    let steps = vec![disconnect, create(), create(), Step::Burst { room: 1 }, Step::Confirm { node: 0 }];
    plays(4, false, steps);
}

/// A room was created by one node and used through another one at once.
#[test]
fn what_one_node_confirmed_is_not_denied_by_another() {
    let steps = vec![
        Step::Create { device: 0 },
        Step::Append { node: 1 },
        Step::Confirm { node: 1 },
        Step::Connect { device: 1, node: 1 },
        Step::Act { device: 1, room: 0, deed: Deed::Say },
        Step::Connect { device: 1, node: 0 },
        Step::Create { device: 0 },
    ];
    plays(4, false, steps);
}

/// Somebody wrote, went, and sent the same again.
#[test]
fn what_was_written_before_one_went_is_answered_as_it_was() {
    let steps = vec![
        Step::Create { device: 1 },
        Step::Create { device: 2 },
        Step::Act { device: 2, room: 1, deed: Deed::Say },
        Step::Hold { node: 1 },
        Step::Act { device: 2, room: 1, deed: Deed::Leave },
        Step::Read { node: 0, partition: 0, count: 1 },
        Step::Disconnect { node: 1 },
    ];
    plays(6, false, steps);
}

/// A room that left a node's memory before the store had it is what it was when it comes back.
#[test]
fn a_room_that_was_let_go_before_it_was_stored_is_followed_again_whole() {
    let steps = vec![
        Step::Create { device: 4 },
        Step::Create { device: 0 },
        Step::Append { node: 1 },
        Step::Act { device: 2, room: 0, deed: Deed::Join },
        Step::Confirm { node: 1 },
        Step::Append { node: 1 },
        Step::Forget { node: 1 },
        Step::Read { node: 1, partition: 0, count: 2 },
    ];
    plays(4, false, steps);
}

/// The store still has somebody in the room, and memory their removal, which was shown before the room was
/// let go.
#[test]
fn whoever_was_sent_away_does_not_hear_a_room_that_is_followed_again() {
    let steps = vec![
        Step::Connect { device: 2, node: 1 },
        Step::Create { device: 1 },
        Step::Append { node: 0 },
        Step::Append { node: 1 },
        Step::Consume { partition: 0, count: 1 },
        Step::Consume { partition: 1, count: 1 },
        Step::Consume { partition: 2, count: 1 },
        Step::Read { node: 0, partition: 0, count: 9 },
        Step::Read { node: 0, partition: 1, count: 9 },
        Step::Read { node: 0, partition: 2, count: 9 },
        Step::Read { node: 1, partition: 0, count: 9 },
        Step::Read { node: 1, partition: 1, count: 9 },
        Step::Read { node: 1, partition: 2, count: 9 },
        Step::Act { device: 1, room: 1, deed: Deed::Remove(2) },
        Step::Append { node: 0 },
        Step::Append { node: 1 },
        Step::Read { node: 1, partition: 0, count: 9 },
        Step::Read { node: 1, partition: 1, count: 9 },
        Step::Read { node: 1, partition: 2, count: 9 },
        Step::Forget { node: 1 },
        Step::Act { device: 0, room: 1, deed: Deed::Join },
        Step::Act { device: 3, room: 1, deed: Deed::Join },
        Step::Connect { device: 0, node: 1 },
        Step::Act { device: 0, room: 1, deed: Deed::Join },
    ];
    plays(40, false, steps);
}

/// A block that is older than the start of a node.
#[test]
fn whoever_is_blocked_is_refused_by_a_node_that_started_since() {
    let steps = vec![
        Step::Block { by: 1, of: 2, on: true },
        Step::Consume { partition: 0, count: 1 },
        Step::Consume { partition: 1, count: 1 },
        Step::Consume { partition: 2, count: 1 },
        Step::Restart { node: 0 },
        Step::Restart { node: 1 },
        Step::Connect { device: 2, node: 0 },
        Step::Connect { device: 1, node: 1 },
        Step::Write { device: 2, to: 1 },
        Step::Write { device: 1, to: 2 },
    ];
    let figures = plays(20, false, steps);
    assert_eq!((figures.accepted, figures.rejected), (0, 2), "each by another node");
}

/// A node looked up a message whose change waited, and the store had counted the change by then: the node
/// took that over without noting it in its room, so that whoever came back heard of nothing new there.
#[test]
fn a_change_that_the_store_counted_while_it_waited_is_told_at_a_resume() {
    let steps = vec![
        Step::Write { device: 0, to: 0 },
        away(0, 0, 1, Meanwhile::Nothing),
        Step::Act { device: 0, room: 0, deed: Deed::Join },
        Step::Act { device: 0, room: 0, deed: Deed::Say },
        Step::Act { device: 0, room: 0, deed: Deed::Join },
        Step::Append { node: 1 },
        Step::Create { device: 0 },
        Step::Create { device: 3 },
        away(4, 2, 0, Meanwhile::Restart),
        away(4, 0, 0, Meanwhile::Nothing),
        Step::Touch { device: 0, at: Spot::Room(2), back: 0, touch: Touch::React(0, true) },
        Step::Append { node: 1 },
        Step::Connect { device: 1, node: 0 },
        Step::Read { node: 1, partition: 2, count: 7 },
        Step::Append { node: 1 },
        Step::Drop { device: 4 },
    ];
    plays(18, true, steps);
}

/// A change waited for its message, and by the time that this was looked up somebody had gone: they are not
/// told of it, nor does their cursor have to wait.
#[test]
fn whoever_goes_is_told_no_changes_that_waited() {
    let steps = vec![
        Step::ComeLate { device: 3, room: 0, node: 0 },
        Step::Turn { device: 3, most: 0 },
        Step::Act { device: 3, room: 2, deed: Deed::Leave },
        away(3, 2, 0, Meanwhile::Restart),
        Step::BurstOfReactions { room: 2 },
        Step::Read { node: 1, partition: 2, count: 7 },
        Step::Append { node: 1 },
    ];
    plays(11, true, steps);
}

/// The store had somebody's going already, and the node had not read it, nor what was written before it: it
/// took the room for none of theirs.
#[test]
fn whoever_comes_to_a_node_that_is_behind_the_store_hears_their_rooms() {
    let steps = vec![
        away(0, 1, 1, Meanwhile::Unknown),
        Step::Act { device: 3, room: 0, deed: Deed::Leave },
        Step::Create { device: 1 },
        Step::Write { device: 1, to: 0 },
        Step::Act { device: 0, room: 1, deed: Deed::Leave },
        Step::Create { device: 0 },
        Step::Append { node: 1 },
        away(0, 0, 0, Meanwhile::Unknown),
        Step::Connect { device: 0, node: 1 },
        Step::Consume { partition: 0, count: 1 },
    ];
    plays(4, true, steps);
}

/// Pages of what changed come in the order of last changes: what changed once more is on a later one.
#[test]
fn whoever_asks_for_changes_page_by_page_is_told_what_changed_again_later() {
    let steps = vec![
        away(3, 0, 0, Meanwhile::Burst),
        away(0, 0, 0, Meanwhile::Nothing),
        Step::BurstOfReactions { room: 0 },
        Step::TouchElsewhere { by: 0, at: Spot::Room(0), back: 1, touch: Touch::React(1, true) },
    ];
    plays(200, true, steps);
}

/// Memory had dropped the first one, and the store did not have it: the answer had the time of the second.
#[test]
fn a_repeat_is_answered_with_the_time_of_the_first() {
    let late = |device, room| Step::ComeLate { device, room, node: 0 };
    let create = || Step::Create { device: 0 };
    let steps = vec![
        late(0, 1),
        create(),
        late(0, 1),
        Step::Connect { device: 3, node: 0 },
        create(),
        create(),
        create(),
        Step::Act { device: 3, room: 0, deed: Deed::Add(0) },
        Step::Read { node: 0, partition: 0, count: 1 },
        Step::Act { device: 3, room: 0, deed: Deed::Say },
        late(3, 0),
        Step::Act { device: 3, room: 0, deed: Deed::Say },
        Step::Drop { device: 3 },
        late(0, 1),
        create(),
    ];
    plays(12, true, steps);
}

/// Somebody deleted a message, went, and sent the same again.
#[test]
fn what_was_changed_before_one_went_is_answered_as_it_was() {
    let steps = vec![
        Step::Create { device: 1 },
        away(0, 0, 0, Meanwhile::Burst),
        Step::Act { device: 1, room: 0, deed: Deed::Add(0) },
        Step::Act { device: 1, room: 1, deed: Deed::Say },
        Step::Write { device: 1, to: 0 },
        Step::Touch { device: 1, at: Spot::Room(0), back: 0, touch: Touch::Delete },
        Step::Act { device: 4, room: 0, deed: Deed::Remove(1) },
    ];
    plays(4, true, steps);
}

/// Memory had dropped an edit before the store had it, and still had a reaction that came after: the message
/// was told with that, as if the edit were in it.
#[test]
fn no_change_is_told_on_top_of_one_that_memory_has_lost() {
    let steps = vec![
        away(1, 0, 0, Meanwhile::Unknown),
        away(2, 0, 1, Meanwhile::Unknown),
        Step::Create { device: 0 },
        Step::ComeLate { device: 3, room: 0, node: 0 },
        Step::Turn { device: 1, most: 5 },
    ];
    plays(6, true, steps);
}

/// Somebody's coming lay in a gap: with what they fetched they learnt that what they had been refused before
/// is theirs now.
#[test]
fn whoever_learns_from_a_gap_that_they_came_asks_for_what_was_before() {
    let steps = vec![
        Step::Act { device: 2, room: 0, deed: Deed::Join },
        Step::Create { device: 0 },
        Step::Create { device: 3 },
        away(2, 1, 0, Meanwhile::Unknown),
        Step::Append { node: 1 },
        Step::Read { node: 1, partition: 0, count: 1 },
        Step::Append { node: 1 },
        Step::Burst { room: 0 },
    ];
    plays(4, true, steps);
}

/// Somebody was banned behind a change that waits: their cursor was not there yet when they came back.
#[test]
fn whoever_was_sent_away_behind_what_waits_hears_it_once() {
    let steps = vec![
        Step::Act { device: 4, room: 0, deed: Deed::Say },
        away(1, 0, 0, Meanwhile::Unknown),
        Step::Create { device: 4 },
        Step::Create { device: 4 },
        Step::Restart { node: 1 },
        Step::Act { device: 4, room: 0, deed: Deed::Ban(1) },
        Step::Create { device: 0 },
        Step::Append { node: 0 },
        away(1, 0, 1, Meanwhile::Nothing),
    ];
    plays(8, true, steps);
}
