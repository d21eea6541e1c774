//! What stands beside each commit: the format, and where the log goes on.

use serde::{Deserialize, Serialize};

use crate::index::{Checkpoint, IndexError};

/// Counts up whenever what is written changes, be it the fields or what the analyser makes of a text.
pub(super) const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Written<'a> {
    format: u32,
    checkpoint: &'a Checkpoint,
}

/// Read by itself first: the rest may look otherwise in another format.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

#[derive(Deserialize)]
struct Read {
    checkpoint: Checkpoint,
}

pub(super) fn write(checkpoint: &Checkpoint) -> Result<String, IndexError> {
    serde_json::to_string(&Written { format: FORMAT, checkpoint })
        .map_err(|error| IndexError::Unavailable { what: error.to_string() })
}

pub(super) fn read(payload: &str) -> Result<Checkpoint, IndexError> {
    let damaged = |error: serde_json::Error| IndexError::Damaged { what: format!("its payload: {error}") };
    let Format { format } = serde_json::from_str(payload).map_err(damaged)?;
    if format != FORMAT {
        return Err(IndexError::OtherFormat { found: format.to_string(), expected: FORMAT });
    }
    let Read { checkpoint } = serde_json::from_str(payload).map_err(damaged)?;
    Ok(checkpoint)
}
