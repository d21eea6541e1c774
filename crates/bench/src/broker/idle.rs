//! What a log costs while nothing is written: a producer and a consumer are connected and wait, as in a quiet
//! hour.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};

use super::system::{PARTITIONS, System};
use crate::measure::process::Usage;

const PATIENCE: Duration = Duration::from_secs(60);

/// Percent of one core, for each log over the same span; 0 where its process is not known.
pub(super) fn cpu_percent(systems: &[System], span: Duration) -> anyhow::Result<Vec<f64>> {
    let Some((system, others)) = systems.split_first() else { return Ok(Vec::new()) };
    // Each adds its clients and asks the next, so that all wait side by side.
    let mut percents = Vec::new();
    system.with_topic("idle", |topic| {
        let mut config = system.client();
        config.set("group.id", "idle").set("enable.auto.commit", "false");
        let consumer: BaseConsumer = config.create()?;
        let mut all = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            all.add_partition_offset(topic, partition, Offset::Beginning)?;
        }
        consumer.assign(&all)?;
        let producer: BaseProducer = system.client().create()?;
        producer.send(BaseRecord::<(), str>::to(topic).payload("one")).map_err(|(error, _)| error)?;
        producer.flush(PATIENCE)?;
        consumer.poll(PATIENCE).transpose()?;
        let began = Instant::now();
        let before = system.pid.map(Usage::of).transpose()?.unwrap_or_default();
        let rest = if others.is_empty() {
            std::thread::sleep(span);
            Vec::new()
        } else {
            cpu_percent(others, span)?
        };
        let after = system.pid.map(Usage::of).transpose()?.unwrap_or_default();
        percents.push((after.cpu_s - before.cpu_s) / began.elapsed().as_secs_f64() * 100.0);
        percents.extend(rest);
        Ok(())
    })?;
    Ok(percents)
}
