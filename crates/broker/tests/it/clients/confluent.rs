//! confluent-kafka, the Python client: what it checks is in `confluent.py` beside this file.
//!
//! `MILENA_TEST_PYTHON` names a Python that has it; `scripts/test rust` makes one in the cache folder.

use super::Target;
use super::program::run;
use crate::support::required;

on_both_brokers!(confluent_kafka_works);

async fn confluent_kafka_works(target: &Target) {
    let Ok(python) = std::env::var("MILENA_TEST_PYTHON") else {
        assert!(!required(), "MILENA_TEST_PYTHON is required but not set");
        eprintln!("not run: MILENA_TEST_PYTHON names no Python with confluent-kafka");
        return;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/clients/confluent.py");
    let broker = if target.is_apache_kafka() { "apache-kafka" } else { "milena" };
    let prefix = target.name("py");
    let access: std::collections::BTreeMap<_, _> = target.access().into_iter().collect();
    let access = serde_json::to_string(&access).expect("JSON");
    let said = run(&python, &[script, &target.bootstrap, broker, &prefix, &access], "").await.good();
    let checked = said.lines().filter(|line| line.starts_with("ok ")).count();
    assert_eq!(checked, 10, "{said}");
}
