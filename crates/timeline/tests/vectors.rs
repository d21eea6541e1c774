//! The golden vectors (`vectors/`), run on the fold: on a state that saw everything, and on one that knows
//! nothing but what it asks for.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod story;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use story::{Line, Story, Verdict};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    log: Vec<Line>,
    then: Then,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Then {
    members: Option<BTreeMap<String, String>>,
    seq: Option<u64>,
    banned: Option<Vec<String>>,
    room: Option<serde_json::Map<String, serde_json::Value>>,
    sees: Option<BTreeMap<String, Vec<i64>>>,
}

fn run(case: &Case) {
    let mut story = Story::of(&case.log);
    for line in &case.log {
        let wanted: Verdict = line.gives.parse().unwrap();
        for (position, verdict) in story.tell(line) {
            assert_eq!(verdict, wanted, "{}: the event at {position}", case.name);
        }
    }
    let (then, name) = (&case.then, &case.name);
    if let Some(members) = &then.members {
        assert_eq!(&story.members(), members, "{name}: members");
    }
    if let Some(banned) = &then.banned {
        assert_eq!(&story.banned(), banned, "{name}: banned");
    }
    if let Some(seq) = then.seq {
        assert_eq!(story.last_seq(), seq, "{name}: seq");
    }
    for (field, value) in then.room.iter().flatten() {
        assert_eq!(&story.room_field(field), value, "{name}: {field}");
    }
    for (person, offsets) in then.sees.iter().flatten() {
        assert_eq!(&story.seen_by(person), offsets, "{name}: what {person} sees");
    }
    story.partial_states_agree();
}

#[test]
fn every_vector_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let mut cases = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let text = std::fs::read_to_string(&path).unwrap();
            let file: Vec<Case> =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
            file.iter().for_each(run);
            cases += file.len();
        }
    }
    assert!(cases > 20, "only {cases} cases were found");
}
