//! `broker`, without Apache Kafka: that needs a server, which `scripts/bench broker` starts.

use crate::run::run;

#[test]
fn it_measures_every_figure() {
    let report = run(&["broker", "--rounds", "1", "--seconds", "1", "--rate", "200", "--records", "5000"]);
    for prefix in ["", "interval_"] {
        for key in ["confirm_p50_ms", "confirm_p99_ms", "produce_per_s", "consume_per_s", "rss_mb"] {
            let figure = report[format!("{prefix}{key}")].as_f64().unwrap_or_default();
            assert!(figure > 0.0, "{prefix}{key} is missing in {report}");
        }
    }
    assert!(report["start_ms"].as_f64().unwrap() > 0.0);
    assert!(report["fdatasync_p99_ms"].as_f64().unwrap() > 0.0);
}
