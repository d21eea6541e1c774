//! The benches of the gateway on the embedded log, each for a few seconds with a few people. Speed is not
//! judged here: only that every figure is there and can be true.

use serde_json::Value;

use crate::run::run;

fn number(report: &Value, key: &str) -> f64 {
    report[key].as_f64().unwrap_or_else(|| panic!("{key} is missing: {report}"))
}

/// Each of the keys, above 0.
fn has(report: &Value, keys: &[&str]) {
    assert_eq!(report["broker"], "embedded");
    for key in keys.iter().chain(&["cpu_s"]) {
        assert!(number(report, key) > 0.0, "{key}: {report}");
    }
    assert!(report["cpu_s_by_process"]["milena"].is_number(), "{report}");
    assert!(number(&report["rss_mb_by_process"], "milena") > 5.0, "{report}");
}

#[test]
fn latency() {
    let report = run(&[
        "latency",
        "--connections=20",
        "--rate=100",
        "--seconds=2",
        "--warm-up-seconds=0.5",
        "--rounds=2",
    ]);
    has(&report, &["accepted_p50_ms", "accepted_p99_ms", "confirm_p99_ms", "consume_p99_ms"]);
    assert_eq!(number(&report, "messages"), 200.0);
    // Nobody sees a message before the log has it, so neither figure can be below the other by much.
    assert!(number(&report, "delivered_p99_ms") >= number(&report, "delivered_p50_ms"), "{report}");
    assert!(number(&report, "accepted_p99_ms") >= number(&report, "accepted_p50_ms"), "{report}");
}

#[test]
fn throughput() {
    let report = run(&[
        "throughput",
        "--connections=10",
        "--seconds=2",
        "--first-rate=50",
        "--halvings=0",
        "--p99-limit-ms=3000",
        "--max-rate=200",
    ]);
    has(&report, &["messages_per_s", "bare_messages_per_s", "ratio"]);
    assert!(number(&report, "messages_per_s") <= 201.0, "open load never exceeds its rate: {report}");
}

#[test]
fn fanout() {
    let report = run(&["fanout", "--sockets=20", "--seconds=1", "--rounds=1"]);
    has(&report, &["deliveries_per_s", "bare_deliveries_per_s", "ratio"]);
    assert_eq!(number(&report, "sockets"), 20.0);
    assert!(number(&report, "frame_bytes") > 100.0);
}

#[test]
fn idle() {
    let report = run(&["idle", "--connections=100", "--seconds=1", "--heartbeat-ms=1000"]);
    has(&report, &["rss_kib_per_connection", "connect_s"]);
    assert_eq!((number(&report, "connections"), number(&report, "backends")), (100.0, 1.0));
}

#[test]
fn presence() {
    let report = run(&[
        "presence",
        "--people=20",
        "--members=10",
        "--seconds=2",
        "--watched=5",
        "--changes-percent=600",
        "--typing-percent=100",
    ]);
    has(&report, &["told_per_s"]);
    assert_eq!((number(&report, "people"), number(&report, "rooms")), (20.0, 2.0));
    // Whoever comes back at once was never away.
    assert_eq!(number(&report, "storm_transitions"), 0.0, "{report}");
    for key in ["signals_per_s", "cpu_us_per_person_s", "storm_s"] {
        assert!(number(&report, key) >= 0.0, "{key}: {report}");
    }
}

#[test]
fn storm() {
    let report =
        run(&["storm", "--connections=50", "--live=10", "--live-rate=20", "--behind=3", "--seconds=1"]);
    has(&report, &["resumed_s", "live_p99_ms"]);
    assert_eq!((number(&report, "clients"), number(&report, "behind")), (50.0, 3.0));
    // Somebody has to be asked whose tokens these are.
    assert!(number(&report, "queries") >= 1.0, "{report}");
}

#[test]
fn slow() {
    let report = run(&["slow", "--connections=50", "--slow-percent=2", "--seconds=2", "--rate=50"]);
    has(&report, &["p99_ms", "p99_without_ms"]);
    assert_eq!(number(&report, "slow"), 1.0);
    assert!(number(&report, "rss_growth_mb") >= 0.0);
}

#[test]
fn what_is_missing_is_named() {
    let said = crate::run::refused(&["latency", "--broker=kafka"]);
    assert!(said.contains("--kafka"), "{said}");
    let said = crate::run::refused(&["latency", "--programs=/nowhere"]);
    assert!(said.contains("/nowhere/milena is missing"), "{said}");
}

#[test]
fn rooms() {
    let report = run(&[
        "rooms",
        "--members=6",
        "--sockets=4",
        "--seconds=1",
        "--rounds=1",
        "--direct-rate=50",
        "--direct-people=5",
    ]);
    has(&report, &["deliveries_per_s", "bare_deliveries_per_s", "ratio", "direct_p99_ms"]);
    has(&report, &["spread_p99_ms", "direct_p99_without_ms", "accepted_p50_ms", "room_messages_per_s"]);
    assert_eq!((number(&report, "members"), number(&report, "sockets")), (6.0, 4.0));
}
