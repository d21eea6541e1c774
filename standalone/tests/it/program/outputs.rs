//! What is at the other end of a program's outputs never decides what the program does: a closed, full or
//! unread stream keeps no program from working, from stopping in order, or from its exit status.

use std::fs::OpenOptions;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::client::Rest;
use crate::world::{Cluster, Database, Kind, Launch, Milena, Services, free_address, until};

/// What a stream may be.
#[derive(Clone, Copy, Debug)]
enum End {
    /// A pipe whose reader has gone (`2> >(head -1)`).
    Closed,
    /// A disk without room.
    Full,
    /// A pipe that nobody reads (a stopped terminal).
    Unread,
}

/// A stream of this kind, and what has to be kept for it to stay so.
fn stream(end: End) -> (Stdio, Option<std::io::PipeReader>) {
    match end {
        End::Full => (OpenOptions::new().write(true).open("/dev/full").unwrap().into(), None),
        End::Closed => (std::io::pipe().unwrap().1.into(), None),
        End::Unread => {
            let (reader, writer) = std::io::pipe().unwrap();
            (writer.into(), Some(reader))
        }
    }
}

async fn ended(child: &mut Child, seconds: u64) -> ExitStatus {
    let mut status = None;
    until("the program ends", seconds, async || {
        status = child.try_wait().unwrap();
        status.is_some()
    })
    .await;
    status.unwrap()
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status();
    assert!(sent.unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn milena_works_and_stops_in_order_whatever_its_outputs_are() {
    let folder = tempfile::tempdir().unwrap();
    // The kernel and the shell of a closed terminal both send SIGHUP: a second one hurries nobody.
    for (round, (end, signals)) in
        [(End::Closed, ["TERM"].as_slice()), (End::Full, &["HUP", "HUP"]), (End::Unread, &["INT"])]
            .into_iter()
            .enumerate()
    {
        let address = free_address();
        let ((out, _out), (err, _err)) = (stream(end), stream(end));
        let launch = Milena::command_on(folder.path(), &["--listen", &address.to_string()]);
        let mut child = launch.variable("RUST_LOG", "trace").child(out, err);
        let rest = Rest::new(address);
        until("it serves", 60, async || rest.is_ready().await).await;
        let (ann, bob) = (format!("ann-{round}"), format!("bob-{round}"));
        let (ann, bob) = (rest.register(&ann).await, rest.register(&bob).await);
        let anns = rest.of(&ann);
        for number in 0..30 {
            anns.send_accepted(bob.person.id, &format!("c-{number}"), "x").await;
        }
        let began = Instant::now();
        for name in signals {
            signal(&child, name);
        }
        let status = ended(&mut child, 30).await;
        assert!(status.success(), "{end:?}: {status} after {signals:?}");
        assert!(began.elapsed() < Duration::from_secs(15), "{end:?}: {:?}", began.elapsed());
    }
    // Nothing accepted was lost; what the consumer had not read when it stopped is in the log.
    let rest = Milena::command_on(folder.path(), &["replay", "--from", "stored"]).run(60).await;
    assert!(rest.status.success(), "{}{}", rest.stdout, rest.stderr);
    let stored = Database::in_data_folder(&folder.path().join("data")).count("messages").await;
    assert_eq!(stored, 90);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backend_and_consumer_stop_in_order_whatever_their_outputs_are() {
    let Some(services) = Services::shared(Kind::Postgres).await else { return };
    let cluster = Cluster::start(services, 0, 0).await;
    for (end, name) in [(End::Closed, "TERM"), (End::Full, "HUP"), (End::Unread, "INT")] {
        let address = free_address();
        let start = |launch: Launch| {
            let ((out, out_kept), (err, err_kept)) = (stream(end), stream(end));
            (launch.variable("RUST_LOG", "debug").child(out, err), out_kept, err_kept)
        };
        let watched = free_address();
        let backend = cluster.launch("backend", "b").variable("MILENA__HTTP__LISTEN", address.to_string());
        let consumer = cluster.launch("kafka-consumer", "c").argument("run");
        let (mut backend, _backend_out, _backend_err) = start(backend);
        let (mut consumer, _consumer_out, _consumer_err) =
            start(consumer.variable("MILENA__CONSUMER__LISTEN", watched.to_string()));
        until("they work", 60, async || {
            Rest::new(address).is_ready().await && Rest::new(watched).is_ready().await
        })
        .await;
        signal(&backend, name);
        signal(&consumer, name);
        for child in [&mut backend, &mut consumer] {
            let status = ended(child, 30).await;
            assert!(status.success(), "{end:?}: {status} after SIG{name}");
        }
    }
}

/// `milena verify | true` and its like: the status is that of the command, and nobody panics.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_end_with_their_own_status_when_their_reader_went_away() {
    let milena = Milena::start().await;
    let file = milena.folder().join("one.jsonl");
    let line =
        "{\"id\":\"1\",\"sent_at\":\"2026-01-01T00:00:00Z\",\"from\":\"a\",\"to\":\"b\",\"text\":\"x\"}\n";
    std::fs::write(&file, format!("{line}nonsense\n{line}")).unwrap();
    let import = ["import", file.to_str().unwrap()];
    let cases: [(&[&str], i32); 7] = [
        (&["--help"], 0),
        (&["--version"], 0),
        // A line was refused.
        (&import, 1),
        (&["status"], 0),
        (&["verify"], 0),
        (&["dead", "list"], 0),
        (&["dead", "show", "7"], 1),
    ];
    for (arguments, status) in cases {
        for end in [End::Closed, End::Full] {
            let ((out, _), (err, _)) = (stream(end), stream(end));
            let mut child = milena.command(arguments).child(out, err);
            assert_eq!(ended(&mut child, 60).await.code(), Some(status), "{end:?}: {arguments:?}");
        }
    }
}
