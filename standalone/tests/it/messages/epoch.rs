//! The log was replaced: programs refuse to mix its positions with the old ones, `kafka-consumer new-epoch`
//! is the way out, and clients who were there before are told, miss nothing that is stored, and go on.

use serde_json::json;

use crate::client::{Socket, send_frame};
use crate::program::cures::{follow, named};
use crate::world::{Cluster, Kind, Services, empty_topic};

const PARTITIONS: i32 = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_new_epoch_clients_start_afresh_with_all_that_is_stored() {
    let Some(services) = Services::shared(Kind::Postgres).await else { return };
    let mut cluster = Cluster::start(services, 1, 1).await;
    let (ann, bob) = (cluster.rest(0).register("ann").await, cluster.rest(0).register("bob").await);
    let anns = cluster.rest(0).of(&ann);
    let (mut socket, _) = Socket::signed_in(cluster.addresses()[0], &bob.token, None).await;
    let mut newest = 0;
    for number in 0..30 {
        newest =
            anns.send_accepted(bob.person.id, &format!("c-{number}"), &format!("m-{number}")).await.position;
        socket.expect("message").await;
    }
    let old_cursor = socket.cursor().await;
    cluster.stored(30, 30).await;

    // The consumer stops; the log is lost and begins again while the backend still runs.
    cluster.consumers[0].stop().await;
    empty_topic(&cluster.services.kafka, cluster.topic(), PARTITIONS).await;
    let status = cluster.backends[0].program.ended(120).await;
    assert!(!status.success(), "a backend does not go on with another log");
    assert!(
        socket.closed().await.is_none_or(|code| (1000..4500).contains(&code)),
        "clients are to come back"
    );
    for program in [&mut cluster.backends[0].program, &mut cluster.consumers[0]] {
        program.start_again();
        assert!(!program.ended(60).await.success());
        assert!(
            program.said().contains("kafka-consumer new-epoch"),
            "the way out is named: {}",
            program.said()
        );
    }
    assert_eq!(
        cluster.services.database.count("messages").await,
        30,
        "nothing was stored under wrong positions"
    );

    // As the sentence says it, to the letter.
    let begun = follow(&named(&cluster.consumers[0].said()), cluster.folder()).await;
    assert!(begun.status.success(), "{}{}", begun.stdout, begun.stderr);
    assert!(begun.stdout.contains("Epoch 2 has begun"), "{}", begun.stdout);
    cluster.backends[0].program.start_again();
    cluster.consumers[0].start_again();
    cluster.ready(0).await;

    // A cursor of the old epoch is refused, not misread, with nothing replayed; everything is there to be
    // loaded.
    let (mut socket, welcome) =
        Socket::signed_in(cluster.addresses()[0], &bob.token, Some(&old_cursor)).await;
    assert_eq!(welcome["resumed"], false);
    socket.is_quiet().await;
    let bobs = cluster.rest(0).of(&bob);
    let conversation = bobs.conversations().await[0].id;
    let bodies = async || {
        let messages = bobs.messages_after(conversation, -1).await;
        messages.into_iter().map(|message| message.body).collect::<Vec<_>>()
    };
    let mut expected: Vec<String> = (0..30).map(|number| format!("m-{number}")).collect();
    assert_eq!(bodies().await, expected);

    // A repeat of what the old epoch accepted is answered with its position, and is not said twice.
    let (mut anns_socket, _) = Socket::signed_in(cluster.addresses()[0], &ann.token, None).await;
    anns_socket.send(&send_frame(bob.person.id, "c-29", "m-29", true)).await.unwrap();
    let repeat = anns_socket.answer("c-29").await;
    assert_eq!((&repeat["type"], &repeat["position"]), (&json!("accepted"), &json!(newest)));

    // New ones come behind all old ones, live, in history, and when somebody resumes.
    for number in 30..40 {
        let accepted =
            anns.send_accepted(bob.person.id, &format!("c-{number}"), &format!("m-{number}")).await;
        assert!(accepted.position > newest, "{} is not behind {newest}", accepted.position);
        newest = accepted.position;
        assert_eq!(socket.expect("message").await["body"], format!("m-{number}"));
        expected.push(format!("m-{number}"));
    }
    let cursor = socket.cursor().await;
    socket.close().await;
    anns.send_accepted(bob.person.id, "c-40", "m-40").await;
    expected.push("m-40".to_owned());
    let (mut socket, welcome) = Socket::signed_in(cluster.addresses()[0], &bob.token, Some(&cursor)).await;
    assert_eq!(welcome["resumed"], true);
    assert_eq!(socket.expect("message").await["body"], "m-40");
    cluster.stored(41, 60).await;
    assert_eq!((bodies().await, cluster.services.database.count("messages").await), (expected, 41));
}
