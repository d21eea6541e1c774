//! Why a program ends, in one line for the person who started it.

use std::error::Error;

/// The error and its causes. Many errors quote their cause: what was said is not said again.
#[must_use]
pub fn sentence(error: &(dyn Error + 'static)) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !said.contains(&words) {
            said = format!("{said}: {words}");
        }
        cause = error.source();
    }
    said
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[derive(Debug, thiserror::Error)]
    #[error("no start")]
    struct Outer(#[source] Middle);

    #[derive(Debug, thiserror::Error)]
    #[error("not reachable: {0}")]
    struct Middle(#[source] std::io::Error);

    #[test]
    fn causes_are_told_once() {
        let error = Outer(Middle(std::io::Error::other("no route")));
        assert_eq!(sentence(&error), "no start: not reachable: no route");
    }
}
