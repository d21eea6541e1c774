//! One step of the fold, as every reader of the log takes it.

use milena_domain::record::Placed;

use crate::{ConversationState, Missing, Outcome, Proof, Void, Window};

/// Judges the event, and if it counts, carries it into the state and the window of its partition.
///
/// # Errors
/// [`Missing`]: nothing was changed; load what is named, as of just before the event, and call again.
pub fn fold(window: &mut Window, state: &mut ConversationState, placed: &Placed) -> Result<Outcome, Missing> {
    match window.check(placed) {
        Proof::Repeat(first) => return Ok(Outcome::Repeat(first)),
        Proof::Stale => return Ok(Outcome::Void(Void::StaleProof)),
        Proof::Ask => {
            let missing = state.missing(&placed.event);
            return Err(Missing { ids: vec![placed.event.id], ..missing });
        }
        Proof::New => {}
    }
    let outcome = state.apply(placed)?;
    if matches!(outcome, Outcome::Effective(_)) {
        window.remember(placed);
    }
    Ok(outcome)
}
