//! A real small file system that becomes full: records are refused, reading goes on, and it recovers by
//! itself.

use std::path::Path;
use std::process::{Command, Stdio};

use kafka_protocol::ResponseError;
use rdkafka::producer::FutureRecord;

use crate::support::{
    ChildBroker, PATIENCE, client, create_topic, free_address, idempotent_producer, read_all, watermarks,
};
use crate::wire::{Wire, batch, produce, produced};

/// A file system of 4 MB in memory, seen by the broker's process only, and on it a file that takes 1.5 MB of
/// it.
const MOUNT: &str = "mount -t tmpfs -o size=4m none \"$MILENA_BROKER_CHILD_FOLDER\" && \
                     head -c 1500000 /dev/zero >\"$MILENA_BROKER_CHILD_FOLDER/filler\" && exec \"$@\"";

fn may_mount() -> bool {
    let mut mount = Command::new("unshare");
    mount.args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).stdout(Stdio::null()).stderr(Stdio::null());
    mount.status().is_ok_and(|status| status.success())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_records_and_recovers() {
    if !may_mount() {
        eprintln!(
            "not run: this system lets no test mount a file system; the log's own tests play a full disk"
        );
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    let (program, arguments) = crate::support::program();
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", MOUNT, "sh"]).arg(program).args(arguments);
    let broker = ChildBroker::run(&mut command, folder.path(), free_address());
    let client = client(broker.address);
    create_topic(&client, "letters", 1).await;
    let mut wire = Wire::connect(broker.address).await;
    let large = batch(20_000, None);
    let mut confirmed = 0;
    let refused = loop {
        match produced(&wire.ask(9, &produce(-1, large.clone())).await) {
            (0, offset) => confirmed = offset + 20_000,
            (error, _) => break error,
        }
    };
    assert_eq!(refused, ResponseError::KafkaStorageError.code());
    assert!(confirmed > 0, "there was room for some");

    // A program's producer waits for better times; meanwhile everything that was confirmed can be read.
    let producer = idempotent_producer(&client);
    let value = "x".repeat(400_000);
    let record = FutureRecord::<(), str>::to("letters").partition(0).payload(&value);
    let waiting = producer.send_result(record).map_err(|(error, _)| error).expect("queued");
    assert_eq!(watermarks(&client, "letters", 0).await, (0, confirmed));
    assert_eq!(read_all(&client, "letters", 1, confirmed as usize).await.len(), confirmed as usize);
    assert_eq!(produced(&wire.ask(9, &produce(-1, large.clone())).await).0, refused);

    let inside = format!("/proc/{}/root{}", broker.id(), folder.path().display());
    std::fs::remove_file(Path::new(&inside).join("filler")).expect("removed");
    let delivered = tokio::time::timeout(PATIENCE, waiting).await.expect("in time").expect("sent");
    let delivered = delivered.map_err(|(error, _)| error).expect("confirmed");
    assert_eq!(delivered.offset, confirmed, "behind what was there, once");
    assert_eq!(produced(&wire.ask(9, &produce(-1, large)).await), (0, confirmed + 1));
}
