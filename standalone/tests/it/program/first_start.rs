//! The first start of a cluster in any order: the programs first, three fresh brokers and a fresh database 20
//! s later.

use std::time::{Duration, Instant};

use crate::client::Rest;
use crate::world::{Backend, Database, Kind, Launch, OwnServer, Program, free_address, shared, turn, until};

/// So long the programs are alone.
const ALONE: Duration = Duration::from_secs(20);

/// The first of three free ports in a row.
fn three_ports() -> u16 {
    loop {
        let first = free_address().port();
        if (1..3).all(|step| std::net::TcpListener::bind(("127.0.0.1", first + step)).is_ok()) {
            return first;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_that_start_before_their_cluster_wait_for_it() {
    // Where there are no servers at all, none can be started.
    if shared(Kind::Kafka).await.is_none() || shared(Kind::Postgres).await.is_none() {
        return;
    }
    let _turn = turn().await;
    let (kafka, postgres) = (three_ports(), free_address().port());
    let database = Database::of(&format!("postgres://milena:milena@127.0.0.1:{postgres}/milena"));
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("settings.toml");
    let brokers: Vec<String> = (0..3).map(|step| format!("127.0.0.1:{}", kafka + step)).collect();
    let text = format!(
        "[kafka]\nbrokers = \"{}\"\nreplication_factor = 3\n[database]\nurl = \"{}\"\n",
        brokers.join(","),
        database.url()
    );
    std::fs::write(&settings, text).unwrap();
    let launch = |program: &str, name: &str| {
        Launch::new(program, name, folder.path()).argument("--config").argument(&settings)
    };
    let began = Instant::now();
    let mut backends: Vec<Backend> = ["backend-1", "backend-2"]
        .into_iter()
        .map(|name| {
            let address = free_address();
            let launch = launch("backend", name).variable("MILENA__HTTP__LISTEN", address.to_string());
            Backend { program: Program::start(launch), address }
        })
        .collect();
    let consumer = |name| Program::start(launch("kafka-consumer", name).argument("run"));
    let mut consumers = [consumer("consumer-1"), consumer("consumer-2")];

    tokio::time::sleep_until((began + ALONE).into()).await;
    let programs = backends.iter_mut().map(|backend| &mut backend.program).chain(&mut consumers);
    for program in programs {
        assert!(program.is_running(), "it did not wait:\n{}", program.said());
        assert!(program.said().contains("waiting for the database"), "it says for what:\n{}", program.said());
    }
    let (_kafka, _postgres) = tokio::join!(
        OwnServer::start_at(Kind::Kafka, kafka, 3),
        OwnServer::start_at(Kind::Postgres, postgres, 1)
    );
    for Backend { program, address } in &mut backends {
        let rest = Rest::new(*address);
        until("the backend is ready", 120, async || {
            assert!(program.is_running(), "the backend ended:\n{}", program.said());
            rest.is_ready().await
        })
        .await;
    }
    println!("both backends are ready {:.1} s after they were started", began.elapsed().as_secs_f64());
    let [first, second] = [0, 1].map(|number| Rest::new(backends[number].address));
    let (ann, bob) = (first.register("ann").await, second.register("bob").await);
    let anns = first.of(&ann);
    for number in 0..20 {
        anns.send_accepted(bob.person.id, &format!("c-{number}"), &format!("m-{number}")).await;
    }
    until("all is stored", 60, async || {
        for program in &mut consumers {
            assert!(program.is_running(), "a consumer ended:\n{}", program.said());
        }
        database.try_count_messages().await == Some(20)
    })
    .await;
}
