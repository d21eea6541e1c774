//! `sink` and `sink-steady`, on Apache Kafka and PostgreSQL where they are given.

use std::process::Command;

use crate::run::run;

/// An empty database; dropped at the end.
struct Database {
    admin: String,
    name: String,
    url: String,
}

impl Database {
    fn create(admin: String) -> Self {
        let name = format!("bench_{}", std::process::id());
        let (server, _) = admin.rsplit_once('/').expect("the address ends with a database");
        let url = format!("{server}/{name}");
        psql(&admin, &format!("CREATE DATABASE {name}"));
        Self { admin, name, url }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        psql(&self.admin, &format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

fn psql(url: &str, sql: &str) {
    let status = Command::new("psql").args(["-X", "-q", "-d", url, "-c", sql]).status().unwrap();
    assert!(status.success(), "{sql}");
}

#[test]
fn the_consumer_catches_up_and_keeps_up() {
    let variable = |name| std::env::var(name).ok();
    let (Some(kafka), Some(postgres)) = (variable("MILENA_TEST_KAFKA"), variable("MILENA_TEST_POSTGRES_URL"))
    else {
        let required = variable("MILENA_TEST_REQUIRE_SERVERS").as_deref() == Some("1");
        assert!(!required, "MILENA_TEST_KAFKA and MILENA_TEST_POSTGRES_URL are required but not set");
        eprintln!("skipped: MILENA_TEST_KAFKA or MILENA_TEST_POSTGRES_URL is not set");
        return;
    };
    let database = Database::create(postgres);
    let servers = ["--kafka", &kafka, "--postgres-url", &database.url];
    let report = run(&[&["sink", "--messages", "20000"][..], &servers].concat());
    for figure in ["rows_per_s", "copy_rows_per_s", "ratio", "read_rows_per_s", "cpu_s", "peak_rss_mb"] {
        assert!(report[figure].as_f64().is_some_and(|value| value > 0.0), "{figure}: {report}");
    }
    let report = run(&[&["sink-steady", "--rate", "500", "--seconds", "2"][..], &servers].concat());
    assert!(report["stored_p99_ms"].as_f64().is_some_and(|value| value > 0.0), "{report}");
    assert!(report["rows_per_transaction"].as_f64().is_some_and(|value| value >= 1.0), "{report}");
}
