//! `machine`.

use crate::run::run;

#[test]
fn it_says_what_the_machine_allows() {
    let report = run(&["machine"]);
    assert!(report["cores"].as_u64().unwrap() >= 1);
    assert!(report["open_files_hard_limit"].as_u64().unwrap() >= 256);
    assert!(report["rss_mb"].as_f64().unwrap() > 0.5);
}
