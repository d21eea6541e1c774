//! What becomes of an export, in numbers.

/// What becomes of an export, in numbers.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) public: u64,
    pub(crate) private: u64,
    pub(crate) direct: u64,
    pub(crate) messages: u64,
    pub(crate) replies: u64,
    pub(crate) mentions: u64,
    pub(crate) edits: u64,
    pub(crate) reactions: u64,
    pub(crate) memberships: u64,
    pub(crate) renames: u64,
    /// Messages that became several.
    pub(crate) split: u64,
    /// What is about a message that the export does not have.
    pub(crate) orphans: u64,
    /// In a direct conversation, by somebody who is none of the two.
    pub(crate) strangers: u64,
    /// With a sign that is no emoji here.
    pub(crate) odd_reactions: u64,
    /// Rooms that the names file leaves out, and what is in them.
    pub(crate) left_out_rooms: u64,
    pub(crate) left_out: u64,
    /// Entries that cannot be used.
    pub(crate) bad: u64,
}

impl Counts {
    /// What comes along, one sentence a line.
    pub(crate) fn gained(&self) -> Vec<String> {
        let Self { public, private, direct, messages, replies, mentions, .. } = self;
        let Self { edits, reactions, memberships, renames, .. } = self;
        vec![
            format!("rooms: {public} public, {private} private; {direct} direct conversations"),
            format!("messages: {messages}, of which {replies} are replies and {mentions} name somebody"),
            format!("edits: {edits}; reactions: {reactions}"),
            format!("people who came or went: {memberships}; new names and topics of rooms: {renames}"),
        ]
    }

    /// What does not, or otherwise than it was; nothing where there is nothing.
    pub(crate) fn lost(&self) -> Vec<String> {
        let all = [
            (self.orphans, "replies, edits and reactions whose message is not in the export"),
            (self.strangers, "messages in direct conversations by somebody who is none of the two"),
            (self.odd_reactions, "reactions that are no emoji"),
            (self.split, "messages that are too long for one and became several"),
            (self.left_out_rooms, "rooms that the names file leaves out"),
            (self.left_out, "things in rooms that the names file leaves out"),
        ];
        all.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect()
    }
}
