//! One step of the fold, as every reader of the log takes it.

use milena_domain::record::{Action, Placed};

use crate::{Change, ConversationState, Facts, Judgement, Leave, Missing, Outcome, Proof, Void, Window};

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

/// The same of an event about a message, whose facts are kept elsewhere: `leave` is what the conversation
/// said just before the event, `facts` are carried on if it counts. What proves nothing (it was written in
/// another epoch) repeats only what the window remembers.
pub fn fold_about(window: &mut Window, leave: Leave, facts: &mut Facts, placed: &Placed) -> Outcome {
    let (at, event) = (placed.position, &placed.event);
    match window.check(placed) {
        Proof::Repeat(first) => return Outcome::Repeat(first),
        Proof::Stale => return Outcome::Void(Void::StaleProof),
        Proof::Ask => {
            if let Some(first) = window.place_of(event.id) {
                return Outcome::Repeat(first);
            }
        }
        Proof::New => {}
    }
    match leave.decide(event, facts) {
        Judgement::Void(void) => Outcome::Void(void),
        Judgement::Repeat(first) => Outcome::Repeat(first),
        Judgement::Counts => {
            window.remember(placed);
            facts.carry(at, &event.action);
            Outcome::Effective(changes_about(&event.action))
        }
    }
}

/// What such an event changes.
pub(crate) fn changes_about(action: &Action) -> Vec<Change> {
    match action {
        Action::Edited { target, .. } => vec![Change::Edited { target: target.position }],
        Action::Deleted { target, .. } => vec![Change::Deleted { target: target.position }],
        Action::Reacted { target, emoji, on } => {
            vec![Change::Reacted { target: target.position, emoji: emoji.clone(), on: *on }]
        }
        Action::Pinned { target, on } => {
            vec![Change::Happened, Change::Pinned { target: target.position, on: *on }]
        }
        _ => Vec::new(),
    }
}
