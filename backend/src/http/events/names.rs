//! The names of a stream's events: each is the `type` of the frame that a socket would get.

use milena_domain::record::Action;

use crate::live::News;

/// What may come. PROTOCOL.md and the OpenAPI document list all of them: a test compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Message,
    Edited,
    Deleted,
    Reacted,
    Changed,
    Event,
    Room,
    Read,
    Seen,
    /// Stays the last one: `ALL` counts by it.
    Gap,
}

impl Name {
    #[cfg(test)]
    pub(super) const ALL: [Self; Self::Gap as usize + 1] = [
        Self::Message,
        Self::Edited,
        Self::Deleted,
        Self::Reacted,
        Self::Changed,
        Self::Event,
        Self::Room,
        Self::Read,
        Self::Seen,
        Self::Gap,
    ];

    /// `None` for what only sockets get: answers to what they sent.
    pub(super) fn of(news: &News) -> Option<Self> {
        Some(match news {
            News::Placed(placed) => match &placed.event.action {
                Action::Message(_) => Self::Message,
                Action::Edited { .. } => Self::Edited,
                Action::Deleted { .. } => Self::Deleted,
                Action::Reacted { .. } => Self::Reacted,
                _ => Self::Event,
            },
            News::Message(_) => Self::Message,
            News::Changed(_) => Self::Changed,
            News::Room(_) => Self::Room,
            News::Read { .. } => Self::Read,
            News::Seen { .. } => Self::Seen,
            News::Gap { .. } => Self::Gap,
            // Of signals a stream has none: nobody types or sends by it, and it watches nobody.
            News::Accepted(_)
            | News::Prefix(_)
            | News::Received { .. }
            | News::Presence(_)
            | News::Typing { .. }
            | News::Here { .. }
            | News::Notifications { .. } => return None,
        })
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Edited => "edited",
            Self::Deleted => "deleted",
            Self::Reacted => "reacted",
            Self::Changed => "changed",
            Self::Event => "event",
            Self::Room => "room",
            Self::Read => "read",
            Self::Seen => "seen",
            Self::Gap => "gap",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands in backquotes between "the frame that a socket gets:" and the end of that part.
    fn listed(text: &str) -> Vec<&str> {
        let (_, list) = text.split_once("the frame that a socket gets:").expect("the list");
        let (list, _) = list.split_once([';', '.']).expect("its end");
        list.split('`').skip(1).step_by(2).collect()
    }

    #[test]
    fn the_documents_list_all_that_may_come() {
        let names = Name::ALL.map(Name::as_str);
        let protocol = include_str!("../../../../docs/PROTOCOL.md");
        let (_, streams) = protocol.split_once("\n## Server-sent events").expect("its section");
        assert_eq!(listed(streams), names, "PROTOCOL.md");
        let document = super::super::super::openapi::document();
        let stream = document.paths.paths["/api/v1/events"].get.as_ref().expect("it is a GET");
        let described = format!(
            "{}\n{}",
            stream.summary.as_deref().unwrap_or_default(),
            stream.description.as_deref().unwrap_or_default()
        );
        assert_eq!(listed(&described), names, "OpenAPI");
    }
}
