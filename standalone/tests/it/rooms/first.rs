//! The rooms that everybody is in: whoever registers is in them soon, once, whichever backend does it and
//! whichever dies at it.

use serde_json::Value;

use crate::client::PASSWORD;
use crate::world::{Cluster, Database, Kind, Launch, Milena, Program, Services, turn, until};

const ROOMS: &str = "MILENA__ROOMS__JOIN_AT_REGISTRATION";

async fn joined(database: &Database) -> i64 {
    database.number_of("SELECT COUNT(*) FROM messages WHERE kind = 'joined'").await
}

async fn members(database: &Database) -> i64 {
    database.number_of("SELECT COUNT(*) FROM memberships WHERE to_position IS NULL").await
}

/// The first backend dies when events are in the log and the rows that they are of are not deleted yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_registers_is_in_general_once() {
    let Some(services) = Services::shared(Kind::Postgres).await else { return };
    let _turn = turn().await;
    let variables = |name: &str| {
        let mut variables = vec![(ROOMS, "general".to_owned())];
        if name == "backend-1" {
            variables.push(("MILENA_CRASH_POINT", "outbox_written:1".to_owned()));
        }
        variables
    };
    let mut cluster = Cluster::start_with(services, 2, 1, variables).await;
    let database = cluster.services.database.clone();
    let mut people = 0;
    let mut register = async |cluster: &Cluster, count: usize| {
        for _ in 0..count {
            cluster.rest(people % 2).register(&format!("person{people}")).await;
            people += 1;
        }
    };
    register(&cluster, 4).await;
    let is_there = |cluster: &Cluster, point: &str| {
        cluster.backends[0].program.said().contains(&format!("crash point {point} is reached"))
    };
    let mut more = 0;
    while !is_there(&cluster, "outbox_written") {
        // The other one may have been quicker.
        register(&cluster, 2).await;
        more += 2;
        assert!(more < 200, "it comes to bring people in");
    }
    cluster.backends[0].program.kill();
    let address = cluster.backends[0].address.to_string();
    let launch = cluster.launch("backend", "backend-again").variable("MILENA__HTTP__LISTEN", address);
    cluster.backends[0].program = Program::start(launch);
    cluster.ready(0).await;
    register(&cluster, 4).await;

    let expected = (8 + more) as i64;
    until("everybody is in the room", 60, async || joined(&database).await >= expected).await;
    until("the outbox is empty", 60, async || database.count("outbox").await == 0).await;
    assert_eq!(joined(&database).await, expected, "one event each");
    assert_eq!(members(&database).await, expected + 1, "and the server, whose room it is");
    for number in 0..2 {
        let rest = cluster.rest(number);
        let account = rest.login("person0", PASSWORD).await;
        let rooms = rest.of(&account).get("rooms/by-handle/general").await.expect::<Value>(200);
        assert_eq!((&rooms["role"], &rooms["title"]), (&"member".into(), &"General".into()), "{rooms}");
    }
}

/// People who were there before the room are brought into it when it is created; who leaves stays away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_was_there_before_is_brought_in() {
    let _turn = turn().await;
    let with = |rooms: &'static str| move |launch: Launch| launch.variable(ROOMS, rooms);
    let milena = Milena::start_on(tempfile::tempdir().unwrap(), with("")).await;
    let rest = milena.rest();
    rest.register("ann").await;
    rest.register("bob").await;
    let folder = milena.stop_and_keep().await;

    let milena = Milena::start_on(folder, with("general,news")).await;
    let database = milena.database();
    until("both are in both rooms", 60, async || joined(&database).await == 4).await;
    let rest = milena.rest();
    let ann = rest.of(&rest.login("ann", PASSWORD).await);
    let room = ann.get("rooms/by-handle/general").await.expect::<Value>(200);
    assert_eq!((&room["role"], &room["members"]), (&"member".into(), &3.into()), "{room}");
    let leave = format!("rooms/{}/leave", room["id"].as_str().unwrap());
    assert!(ann.post(&leave, &serde_json::json!({})).await.expect::<Value>(200)["position"].is_number());
    let folder = milena.stop_and_keep().await;

    let milena = Milena::start_on(folder, with("general,news")).await;
    let rest = milena.rest();
    rest.register("carl").await;
    let database = milena.database();
    until("the third is in both rooms", 60, async || joined(&database).await == 6).await;
    let ann = rest.of(&rest.login("ann", PASSWORD).await);
    let room = ann.get("rooms/by-handle/general").await.expect::<Value>(200);
    assert_eq!((&room["role"], &room["members"]), (&Value::Null, &3.into()), "{room}");
    assert_eq!(database.count("outbox").await, 0);
}
