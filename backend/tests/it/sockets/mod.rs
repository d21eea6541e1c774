//! The WebSocket protocol against the real thing.

mod close;
mod conformance;
mod delivered;
mod hello;
mod here;
mod presence;
mod read;
mod resume;
mod send;

use serde_json::Value;

/// Positions of one conversation as they arrived must rise.
fn assert_rising(frames: &[Value]) {
    let positions: Vec<u64> = frames.iter().map(|frame| frame["position"].as_u64().unwrap()).collect();
    assert!(positions.is_sorted_by(|a, b| a < b), "{positions:?}");
}
