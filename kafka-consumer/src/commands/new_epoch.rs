//! `new-epoch`: begins to count positions anew, after the topic was recreated, restored or repartitioned.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::{Context, bail};
use milena_domain::{Timestamp, check_log};
use milena_kafka::{Role, client_config};
use milena_settings::Settings;
use milena_storage::Store;
use rdkafka::consumer::{BaseConsumer, Consumer};

use super::{KAFKA_TIMEOUT, existing, say};

/// Begins a new epoch. Without `yes`, asks first.
pub(crate) async fn new_epoch(settings: &Settings, store: &Store, yes: bool) -> anyhow::Result<()> {
    let topic = &settings.kafka.topic;
    let position = store.log_position(topic).await.context("the database cannot be read")?;
    let log = existing(&settings.kafka).await?;
    let members = members(settings).await?;
    if members > 0 {
        bail!(
            "{members} consumer{} of group {} still run: stop all consumers and backends first",
            if members == 1 { "" } else { "s" },
            settings.consumer.group
        );
    }
    match check_log(topic, settings.kafka.partitions, &log, &position.next_offsets) {
        Ok(()) => say(format!(
            "Log and store of topic {topic} fit: a new epoch is needed only if the topic was recreated or restored."
        )),
        Err(mismatch) => say(mismatch),
    }
    say(format!(
        "A new epoch means: the store is in epoch {} now; in the next one every partition is read from its beginning \
         again. Messages that are stored stay where they are, new ones come behind all of them. There is no way back.",
        position.epoch
    ));
    if !yes && !confirmed()? {
        bail!("nothing was changed");
    }
    let epoch = store.begin_epoch(Timestamp::now()).await.context("the new epoch could not begin")?;
    say(format!("Epoch {epoch} has begun. Start the backends and consumers."));
    Ok(())
}

fn confirmed() -> anyhow::Result<bool> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        bail!("there is nobody to ask: say --yes");
    }
    let mut stdout = std::io::stdout();
    write!(stdout, "Begin a new epoch? Type yes: ")?;
    stdout.flush()?;
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
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
