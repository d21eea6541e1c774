//! Every metric of the consumer: name, unit and meaning, in one file.
//!
//! They go to the process's recorder: the one of `kafka-consumer` itself, or that of the program it runs in.
//! Several consumers of one process count together. No labels: partitions would multiply them.

use std::sync::OnceLock;
use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::batch::Batch;
use crate::outcome::Outcome;

const ROWS: &str = "milena_consumer_rows_total";
const DUPLICATES: &str = "milena_consumer_duplicates_total";
const VOID: &str = "milena_consumer_void_total";
const UNANSWERED: &str = "milena_consumer_unanswered_total";
const DEAD_LETTERS: &str = "milena_consumer_dead_letters_total";
const TRANSACTIONS: &str = "milena_consumer_transactions_total";
const RETRIES: &str = "milena_consumer_retries_total";
const REBALANCES: &str = "milena_consumer_rebalances_total";
const FENCED: &str = "milena_consumer_fenced_total";
const LAG: &str = "milena_consumer_lag_records";
const PARTITIONS: &str = "milena_consumer_partitions";
const HALTED: &str = "milena_consumer_partitions_halted";
const BATCH_ROWS: &str = "milena_consumer_batch_rows";
const WRITE_SECONDS: &str = "milena_consumer_write_seconds";

const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
const SIZES: [f64; 10] = [1.0, 5.0, 25.0, 100.0, 500.0, 1_000.0, 2_500.0, 5_000.0, 10_000.0, 20_000.0];

/// Installed at most once; `None` when another recorder was there first.
static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Starts to record, for a program that has no recorder of its own.
pub(crate) fn install() {
    HANDLE.get_or_init(|| {
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Full(WRITE_SECONDS.to_owned()), &SECONDS)
            .and_then(|builder| builder.set_buckets_for_metric(Matcher::Full(BATCH_ROWS.to_owned()), &SIZES))
            .ok()?
            .install_recorder()
            .ok();
        describe();
        handle
    });
}

/// The Prometheus text, empty without a recorder.
pub(crate) fn render() -> String {
    let Some(Some(handle)) = HANDLE.get() else { return String::new() };
    handle.run_upkeep();
    handle.render()
}

/// Says what the metrics mean, to the process's recorder. For a program that has one of its own.
pub fn describe() {
    describe_counter!(ROWS, Unit::Count, "events stored: messages, and whatever else counts");
    describe_counter!(DUPLICATES, Unit::Count, "repeats: events that were said before, or change nothing");
    describe_counter!(
        VOID,
        Unit::Count,
        "good events that do not count: they came too late, or were not allowed"
    );
    describe_counter!(
        UNANSWERED,
        Unit::Count,
        "events of batches whose commit was not answered, found in the store afterwards"
    );
    describe_counter!(DEAD_LETTERS, Unit::Count, "records given to the dead-letter topic");
    describe_counter!(TRANSACTIONS, Unit::Count, "transactions committed");
    describe_counter!(RETRIES, Unit::Count, "attempts that the store refused for the time being");
    describe_counter!(REBALANCES, Unit::Count, "times that partitions came or went");
    describe_counter!(
        FENCED,
        Unit::Count,
        "transactions refused because another consumer had written a partition meanwhile"
    );
    describe_gauge!(LAG, Unit::Count, "records of the held partitions that are not stored yet");
    describe_gauge!(PARTITIONS, Unit::Count, "partitions held");
    describe_gauge!(HALTED, Unit::Count, "partitions that stand still before a record of a newer program");
    describe_histogram!(BATCH_ROWS, Unit::Count, "rows of a batch");
    describe_histogram!(WRITE_SECONDS, Unit::Seconds, "time from a batch's first attempt to its end");
}

/// A batch goes to the writer.
pub(crate) fn batch(batch: &Batch) {
    histogram!(BATCH_ROWS).record(batch.events() as f64);
}

/// A batch is finished.
pub(crate) fn outcome(outcome: &Outcome) {
    counter!(ROWS).increment(outcome.inserted);
    counter!(DUPLICATES).increment(outcome.repeats);
    counter!(VOID).increment(outcome.void);
    counter!(UNANSWERED).increment(outcome.unanswered);
    counter!(DEAD_LETTERS).increment(outcome.dead);
    counter!(TRANSACTIONS).increment(outcome.transactions);
    counter!(FENCED).increment(outcome.fenced);
    histogram!(WRITE_SECONDS).record(outcome.took.as_secs_f64());
}

/// The store refused for the time being. Counted when it happens, not when the batch is finished: an outage
/// shows.
pub(crate) fn retry() {
    counter!(RETRIES).increment(1);
}

/// Partitions came or went.
pub(crate) fn rebalance(held: usize) {
    counter!(REBALANCES).increment(1);
    gauge!(PARTITIONS).set(held as f64);
}

/// So many partitions stand still until this program is upgraded.
pub(crate) fn halted(partitions: usize) {
    gauge!(HALTED).set(partitions as f64);
}

/// How far behind the held partitions are.
pub(crate) fn lag(records: i64) {
    gauge!(LAG).set(records as f64);
}

/// Zeroes for what has not happened yet, so that an alert on a rate has something to start from.
pub(crate) fn start() {
    for name in [ROWS, DUPLICATES, VOID, UNANSWERED, DEAD_LETTERS, TRANSACTIONS, RETRIES, REBALANCES, FENCED]
    {
        counter!(name).increment(0);
    }
    gauge!(LAG).set(0.0);
    gauge!(PARTITIONS).set(0.0);
    halted(0);
}

/// How often recorded samples are to be folded together.
pub(crate) const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Folds recorded samples together, so that memory stays bounded when nobody reads the metrics.
pub(crate) fn upkeep() {
    if let Some(Some(handle)) = HANDLE.get() {
        handle.run_upkeep();
    }
}
