//! Every metric of the backend: name, unit and meaning, in one file. Prometheus reads them at `/metrics`.
//!
//! Labels have few values, none of which a client can invent. The recorder is the process's: two servers in
//! one process (as in tests) count together.

use std::sync::OnceLock;
use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

use crate::refusal::Code;
use crate::server::places::Full;

const HTTP_SECONDS: &str = "milena_http_request_seconds";
const CONNECTIONS: &str = "milena_http_connections";
const CONNECTIONS_REFUSED: &str = "milena_http_connections_refused_total";
const SOCKETS: &str = "milena_sockets";
const SOCKET_ENDS: &str = "milena_socket_ends_total";
const FRAMES_REFUSED: &str = "milena_frames_refused_total";
const SEND_SECONDS: &str = "milena_send_seconds";
const SENDS: &str = "milena_sends_total";
const PRODUCE_FAILURES: &str = "milena_produce_failures_total";
const REPEATS: &str = "milena_repeats_total";
const LOOKUPS: &str = "milena_send_lookups_total";
const SIGNALS: &str = "milena_signals_total";
const SKIPPED: &str = "milena_records_skipped_total";
const VOID: &str = "milena_records_void_total";
const CONVERSATIONS_CLOSED: &str = "milena_conversations_closed";
const RECENT_BYTES: &str = "milena_recent_bytes";
const RECENT_MESSAGES: &str = "milena_recent_messages";
const PUSHES: &str = "milena_push_total";
const PUSHES_WAITING: &str = "milena_push_waiting";
const PUSH_SECONDS: &str = "milena_push_seconds";
const PASSWORD_WAITING: &str = "milena_password_jobs";

/// From half a millisecond, an answer from memory, to the longest time-out of a request.
const BUCKETS_S: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// How often recorded samples are folded together.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Installed at most once; `None` when another recorder was there first.
static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Starts to record. Later calls change nothing.
pub fn install() {
    HANDLE.get_or_init(|| {
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS_S)
            .and_then(PrometheusBuilder::install_recorder);
        match handle {
            Ok(handle) => {
                describe();
                begin_at_zero();
                Some(handle)
            }
            Err(error) => {
                log::warn!(error:% = error; "metrics are not recorded");
                None
            }
        }
    });
}

/// Prometheus's text format; `None` when nothing is recorded.
#[must_use]
pub fn render() -> Option<String> {
    HANDLE.get().and_then(Option::as_ref).map(PrometheusHandle::render)
}

/// Folds recorded samples together, so that memory stays bounded while nobody asks.
fn upkeep() {
    if let Some(Some(handle)) = HANDLE.get() {
        handle.run_upkeep();
    }
}

fn describe() {
    describe_histogram!(HTTP_SECONDS, Unit::Seconds, "Time to answer a request, by route, method and status");
    describe_gauge!(CONNECTIONS, Unit::Count, "TCP connections, those that became WebSockets included");
    describe_counter!(
        CONNECTIONS_REFUSED,
        Unit::Count,
        "TCP connections and WebSockets refused: too many in all, or of one address"
    );
    describe_gauge!(SOCKETS, Unit::Count, "WebSockets");
    describe_counter!(SOCKET_ENDS, Unit::Count, "WebSockets that ended, by reason");
    describe_counter!(FRAMES_REFUSED, Unit::Count, "Frames from clients that came too soon");
    describe_histogram!(SEND_SECONDS, Unit::Seconds, "Time from a send to the log's confirmation");
    describe_counter!(SENDS, Unit::Count, "Sends by outcome: accepted, or the code of the refusal");
    describe_counter!(PRODUCE_FAILURES, Unit::Count, "Records that the log did not confirm");
    describe_counter!(
        REPEATS,
        Unit::Count,
        "Records that repeat an earlier message and were shown to nobody"
    );
    describe_counter!(
        milena_storage::CALLS,
        Unit::Count,
        "Calls of the database: answer (for somebody's request), bulk (a batch)"
    );
    describe_counter!(
        SIGNALS,
        Unit::Count,
        "What backends tell each other: sent, heard, skipped (not understood), dropped (not sent)"
    );
    describe_counter!(
        LOOKUPS,
        Unit::Count,
        "Sends that were looked up in the store: without a prefix, or a late one"
    );
    describe_counter!(SKIPPED, Unit::Count, "Records that the tail could not use, by reason");
    describe_counter!(VOID, Unit::Count, "Good records that do not count, by reason");
    describe_gauge!(
        CONVERSATIONS_CLOSED,
        Unit::Count,
        "Conversations that this program cannot follow because a newer one wrote in them"
    );
    describe_gauge!(
        RECENT_BYTES,
        Unit::Bytes,
        "Memory of recent messages: delivery.recent_bytes is its bound"
    );
    describe_gauge!(RECENT_MESSAGES, Unit::Count, "Messages in that memory");
    describe_counter!(
        PUSHES,
        Unit::Count,
        "Devices that were to be told of a message, by what came of it: pushed, or why not"
    );
    describe_gauge!(PUSHES_WAITING, Unit::Count, "Devices that wait to be told");
    describe_histogram!(PUSH_SECONDS, Unit::Seconds, "Time from a message to its push service having it");
    describe_gauge!(
        PASSWORD_WAITING,
        Unit::Count,
        "Password hashes that are computed or wait for their turn"
    );
}

/// What has not happened yet is zero, not absent: an alert on an absent series never rings.
fn begin_at_zero() {
    for name in [CONNECTIONS, SOCKETS, PASSWORD_WAITING, PUSHES_WAITING, RECENT_BYTES, RECENT_MESSAGES] {
        gauge!(name).increment(0.0);
    }
    for name in [PRODUCE_FAILURES, REPEATS, FRAMES_REFUSED] {
        counter!(name).increment(0);
    }
    for end in PushEnd::ALL {
        counter!(PUSHES, "outcome" => end.label()).increment(0);
    }
    for outcome in SignalOutcome::ALL {
        counter!(SIGNALS, "outcome" => outcome.label()).increment(0);
    }
    for limit in [Full::Total, Full::Address] {
        counter!(CONNECTIONS_REFUSED, "limit" => limit.label()).increment(0);
    }
}

/// A request was answered. `route` is a template, never a path.
pub fn http_request(route: &'static str, method: &'static str, status: u16, took: Duration) {
    let status = status.to_string();
    histogram!(HTTP_SECONDS, "route" => route, "method" => method, "status" => status).record(took);
}

/// A TCP connection was taken (+1) or ended (-1).
pub fn connections(change: f64) {
    gauge!(CONNECTIONS).increment(change);
}

/// A connection was refused because there are too many; `limit` says which limit.
pub fn connection_refused(limit: &'static str) {
    counter!(CONNECTIONS_REFUSED, "limit" => limit).increment(1);
}

/// A frame came too soon.
pub fn frame_refused() {
    counter!(FRAMES_REFUSED).increment(1);
}

/// A WebSocket was opened (+1) or ended (-1).
pub fn sockets(change: f64) {
    gauge!(SOCKETS).increment(change);
}

/// A WebSocket ended; `reason` is one of few.
pub fn socket_ended(reason: &'static str) {
    counter!(SOCKET_ENDS, "reason" => reason).increment(1);
}

/// A password job was queued (+1) or ended (-1).
pub fn password_jobs(change: f64) {
    gauge!(PASSWORD_WAITING).increment(change);
}

/// A send was answered.
pub fn send_finished(took: Duration, outcome: Result<(), Code>) {
    let label = outcome.map_or_else(Code::as_str, |()| "accepted");
    counter!(SENDS, "outcome" => label).increment(1);
    if outcome.is_ok() {
        histogram!(SEND_SECONDS).record(took);
    }
}

/// The log did not confirm a record.
pub fn send_failed() {
    counter!(PRODUCE_FAILURES).increment(1);
}

/// A record repeats an earlier one.
pub fn repeat() {
    counter!(REPEATS).increment(1);
}

/// The store is asked whether a message was sent before.
pub fn repeat_looked_up() {
    counter!(LOOKUPS).increment(1);
}

/// What became of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignalOutcome {
    /// The log has it.
    Sent,
    /// It came from another backend.
    Heard,
    /// It came from another backend and is not understood.
    Skipped,
    /// It did not reach the log.
    Dropped,
}

impl SignalOutcome {
    const ALL: [Self; 4] = [Self::Sent, Self::Heard, Self::Skipped, Self::Dropped];

    const fn label(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Heard => "heard",
            Self::Skipped => "skipped",
            Self::Dropped => "dropped",
        }
    }
}

/// A signal was sent, heard, skipped or dropped.
pub fn signal(outcome: SignalOutcome) {
    counter!(SIGNALS, "outcome" => outcome.label()).increment(1);
}

/// What came of a device that was to be told of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushEnd {
    /// The push service has it.
    Pushed,
    /// The person sits before an open page.
    Active,
    /// It was read, deleted or muted, or the person is not in the conversation any more.
    Unwanted,
    /// Something newer of the same conversation is told instead.
    Newer,
    /// The device's session has ended.
    Ended,
    /// The push service knows the device no more; it was removed.
    Gone,
    /// The push service refuses it for good.
    Refused,
    /// Its host leads to an address that is not asked.
    Forbidden,
    /// The push service does not answer.
    Unanswered,
    /// The time was over.
    Late,
    /// Too many wait.
    Full,
}

impl PushEnd {
    const ALL: [Self; 11] = [
        Self::Pushed,
        Self::Active,
        Self::Unwanted,
        Self::Newer,
        Self::Ended,
        Self::Gone,
        Self::Refused,
        Self::Forbidden,
        Self::Unanswered,
        Self::Late,
        Self::Full,
    ];

    const fn label(self) -> &'static str {
        match self {
            Self::Pushed => "pushed",
            Self::Active => "active",
            Self::Unwanted => "unwanted",
            Self::Newer => "newer",
            Self::Ended => "ended",
            Self::Gone => "gone",
            Self::Refused => "refused",
            Self::Forbidden => "forbidden",
            Self::Unanswered => "unanswered",
            Self::Late => "late",
            Self::Full => "full",
        }
    }
}

/// What came of so many.
pub fn pushes_ended(end: PushEnd, count: usize) {
    counter!(PUSHES, "outcome" => end.label()).increment(count as u64);
}

/// One device more, or one less, waits to be told.
pub fn pushes_waiting(change: f64) {
    gauge!(PUSHES_WAITING).increment(change);
}

/// A push service has it, so long after it was written.
pub fn push_took(took: Duration) {
    histogram!(PUSH_SECONDS).record(took.as_secs_f64());
}

/// The tail skipped a record; `reason` is one of few.
pub fn record_skipped(reason: &'static str) {
    counter!(SKIPPED, "reason" => reason).increment(1);
}

/// Conversations that are closed because a newer program wrote in them.
pub fn conversations_closed(count: usize) {
    gauge!(CONVERSATIONS_CLOSED).set(count as f64);
}

/// A good record that does not count; `reason` is one of few.
pub fn record_void(reason: &'static str) {
    counter!(VOID, "reason" => reason).increment(1);
}

/// What recent messages take.
pub fn recent_memory(bytes: usize, messages: usize) {
    gauge!(RECENT_BYTES).set(bytes as f64);
    gauge!(RECENT_MESSAGES).set(messages as f64);
}

/// Keeps the recorder's memory bounded, until `stop`.
pub async fn keep(stop: CancellationToken) {
    let mut ticks = tokio::time::interval(UPKEEP_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => upkeep(),
        }
    }
}
