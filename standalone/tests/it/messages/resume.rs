//! No hidden gap: who comes back is sent what was missed, or is told where the gap is, or that everything
//! must be loaded.

use crate::client::{Account, Rest, Socket, send_frame};
use crate::world::{Cluster, Kind, Milena, Services};

async fn say(rest: &Rest, to: &Account, from: usize, until: usize) {
    for number in from..until {
        rest.send_accepted(to.person.id, &format!("c-{number}"), &format!("m-{number}")).await;
    }
}

/// The bodies of the frames that come before `pong`, and the gaps.
async fn replayed(socket: &mut Socket) -> (Vec<String>, Vec<serde_json::Value>) {
    let (mut bodies, mut gaps) = (Vec::new(), Vec::new());
    loop {
        let crate::client::Incoming::Frame(frame) = socket.receive().await else {
            panic!("the connection ended")
        };
        match frame["type"].as_str() {
            Some("message") => bodies.push(frame["body"].as_str().expect("a text").to_owned()),
            Some("gap") => gaps.push(frame),
            // Everything that was missed came before it.
            Some("cursor") => return (bodies, gaps),
            other => panic!("{other:?}"),
        }
    }
}

fn bodies(from: usize, until: usize) -> Vec<String> {
    (from..until).map(|number| format!("m-{number}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_missed_comes_before_the_next_cursor() {
    let mut milena = Milena::start().await;
    let (ann, bob) = (milena.rest().register("ann").await, milena.rest().register("bob").await);
    let anns = milena.rest().of(&ann);
    let (mut socket, welcome) = Socket::signed_in(milena.address, &bob.token, None).await;
    assert_eq!(welcome["resumed"], false);
    say(&anns, &bob, 0, 1).await;
    socket.expect("message").await;
    let cursor = socket.cursor().await;
    socket.close().await;

    say(&anns, &bob, 1, 40).await;
    let resume = async |cursor: &str| {
        let (socket, welcome) = Socket::signed_in(milena.address, &bob.token, Some(cursor)).await;
        // The cursor that it holds is still the true one; sealed, it looks different each time.
        assert_eq!(welcome["resumed"], true);
        socket
    };
    let mut socket = resume(&cursor).await;
    assert_eq!(replayed(&mut socket).await, (bodies(1, 40), vec![]));
    socket.close().await;

    // The same again from the same cursor, which was not replaced: nothing is used up by a resume.
    let mut socket = resume(&cursor).await;
    let (again, _) = replayed(&mut socket).await;
    assert_eq!(again, bodies(1, 40));
    socket.close().await;

    // After a restart the messages come from the store or the log, and no cursor became invalid.
    milena.program.kill();
    milena.start_again().await;
    let (mut socket, welcome) = Socket::signed_in(milena.address, &bob.token, Some(&cursor)).await;
    assert_eq!(welcome["resumed"], true);
    let (after_restart, gaps) = replayed(&mut socket).await;
    assert_eq!((after_restart, gaps), (bodies(1, 40), vec![]));
    let mut cursor = socket_cursor(&mut socket, &anns, &bob).await;
    socket.close().await;

    // Coming back again and again without traffic repeats nothing and loses no place.
    for _ in 0..5 {
        let (mut socket, welcome) = Socket::signed_in(milena.address, &bob.token, Some(&cursor)).await;
        assert_eq!(welcome["resumed"], true);
        welcome["cursor"].as_str().expect("a text").clone_into(&mut cursor);
        socket.is_quiet().await;
        socket.close().await;
    }
}

/// Makes the socket be told a cursor that covers everything so far.
async fn socket_cursor(socket: &mut Socket, anns: &Rest, bob: &Account) -> String {
    let sent = anns.send_accepted(bob.person.id, "c-fence", "fence").await;
    assert_eq!(socket.expect("message").await["id"], sent.id.to_string());
    socket.cursor().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_a_page_becomes_a_gap_that_rest_fills() {
    let milena = Milena::start().await;
    let (ann, bob) = (milena.rest().register("ann").await, milena.rest().register("bob").await);
    let (anns, bobs) = (milena.rest().of(&ann), milena.rest().of(&bob));
    let (mut socket, _) = Socket::signed_in(milena.address, &bob.token, None).await;
    say(&anns, &bob, 0, 1).await;
    let first = socket.expect("message").await;
    let cursor = socket.cursor().await;
    socket.close().await;
    say(&anns, &bob, 1, 251).await;

    let (mut socket, _) = Socket::signed_in(milena.address, &bob.token, Some(&cursor)).await;
    let (newest, gaps) = replayed(&mut socket).await;
    assert_eq!(gaps.len(), 1);
    let (after, before) = (gaps[0]["after"].as_i64().unwrap(), gaps[0]["before"].as_i64().unwrap());
    assert!(after >= first["position"].as_i64().unwrap(), "the gap begins behind what is known");
    let conversation = bobs.conversations().await[0].id;
    let filled = bobs.try_messages_after(conversation, after, before).await.expect("complete");
    let mut all: Vec<String> = filled.into_iter().map(|message| message.body).collect();
    assert!(all.len() >= 100, "a page is 100 messages, {} were in the gap", all.len());
    all.extend(newest);
    assert_eq!(all, bodies(1, 251));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_from_elsewhere_is_not_misread() {
    let (milena, other) = (Milena::start().await, Milena::start().await);
    let bob = milena.rest().register("bob").await;
    for cursor in ["", "nonsense", "AQEA", "____", &"A".repeat(20_000)] {
        let (mut socket, welcome) = Socket::signed_in(milena.address, &bob.token, Some(cursor)).await;
        assert_eq!(welcome["resumed"], false, "{cursor:.10}");
        socket.is_quiet().await;
    }
    // Of the same form, but ahead of this log, as from a backend that has read further: what comes now comes
    // live.
    let stranger = other.rest().register("stranger").await;
    let (mut socket, _) = Socket::signed_in(other.address, &stranger.token, None).await;
    for number in 0..20 {
        let frame = send_frame(stranger.person.id, &format!("n-{number}"), "note", false);
        socket.send(&frame).await.unwrap();
        socket.answer(&format!("n-{number}")).await;
    }
    let ahead = socket.cursor().await;
    let (mut socket, _) = Socket::signed_in(milena.address, &bob.token, Some(&ahead)).await;
    for number in 0..20 {
        say(&milena.rest().of(&bob), &bob, number, number + 1).await;
        assert_eq!(socket.expect("message").await["body"], format!("m-{number}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cursor_of_one_backend_resumes_on_the_other() {
    let Some(services) = Services::shared(Kind::Postgres).await else { return };
    let cluster = Cluster::start(services, 2, 1).await;
    let (ann, bob) = (cluster.rest(0).register("ann").await, cluster.rest(1).register("bob").await);
    let anns = cluster.rest(0).of(&ann);
    let nodes = cluster.addresses();
    let (mut socket, _) = Socket::signed_in(nodes[0], &bob.token, None).await;
    say(&anns, &bob, 0, 1).await;
    socket.expect("message").await;
    let mut cursor = socket.cursor().await;
    socket.close().await;
    for round in 0..4 {
        let (from, until) = (1 + round * 20, 1 + (round + 1) * 20);
        say(&anns, &bob, from, until).await;
        let (mut socket, welcome) =
            Socket::signed_in(nodes[(round + 1) % 2], &bob.token, Some(&cursor)).await;
        assert_eq!(welcome["resumed"], true);
        // The other backend reads the log a moment behind: what it has not read yet comes live.
        let mut heard = Vec::new();
        while heard.len() < 20 {
            heard.push(socket.expect("message").await["body"].as_str().expect("a text").to_owned());
        }
        assert_eq!(heard, bodies(from, until));
        cursor = socket.cursor().await;
        socket.close().await;
    }
}
