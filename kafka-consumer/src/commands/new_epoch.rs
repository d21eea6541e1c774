//! `new-epoch`: begins to count positions anew, after the topic was recreated, restored or repartitioned.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::{Context, bail};
use milena_domain::cure::all_programs;
use milena_domain::{Timestamp, check_log};
use milena_kafka::{Role, client_config};
use milena_settings::Settings;
use milena_storage::Store;
use rdkafka::consumer::{BaseConsumer, Consumer};
use tokio::sync::oneshot;

use super::{KAFKA_TIMEOUT, answer, existing};

/// Begins a new epoch. Without `yes`, asks first.
pub(crate) async fn new_epoch(settings: &Settings, store: &Store, yes: bool) -> anyhow::Result<()> {
    let topic = &settings.kafka.topic;
    let position = store.log_position(topic).await.context("the database cannot be read")?;
    let log = existing(&settings.kafka).await?;
    let members = members(settings).await?;
    if members > 0 {
        bail!(
            "{members} consumer{} of group {} still run: stop {} first",
            if members == 1 { "" } else { "s" },
            settings.consumer.group,
            all_programs()
        );
    }
    match check_log(topic, settings.kafka.partitions, &log, &position.next_offsets) {
        Ok(()) => answer(format!(
            "Log and store of topic {topic} fit: a new epoch is needed only if the topic was recreated or restored."
        )),
        Err(mismatch) => answer(mismatch),
    }
    answer(format!(
        "A new epoch means: the store is in epoch {} now; in the next one every partition is read from its beginning \
         again. Messages that are stored stay where they are, new ones come behind all of them. There is no way back.",
        position.epoch
    ));
    if !yes && !confirmed().await? {
        bail!("nothing was changed");
    }
    let epoch = store.begin_epoch(Timestamp::now()).await.context("the new epoch could not begin")?;
    answer(format!("Epoch {epoch} has begun. Start {}.", all_programs()));
    Ok(())
}

async fn confirmed() -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("there is nobody to ask: say --yes");
    }
    let mut stdout = std::io::stdout();
    write!(stdout, "Begin a new epoch? Type yes: ")?;
    stdout.flush()?;
    // On a thread that nobody waits for: a person who never answers must not keep the program from its end.
    let (answered, typed) = oneshot::channel();
    std::thread::Builder::new().name("question".to_owned()).spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        let _ = answered.send(read.map(|_| line));
    })?;
    Ok(typed.await.context("nothing was answered")??.trim() == "yes")
}

/// How many consumers are in the group.
async fn members(settings: &Settings) -> anyhow::Result<usize> {
    let config = client_config(&settings.kafka, &Role::Admin);
    let group = settings.consumer.group.clone();
    let ask = move || -> anyhow::Result<usize> {
        let client: BaseConsumer = config.create()?;
        let groups = client.fetch_group_list(Some(&group), KAFKA_TIMEOUT)?;
        Ok(groups.groups().iter().map(|group| group.members().len()).sum())
    };
    tokio::task::spawn_blocking(ask).await?.context("the group's members cannot be read")
}
