//! The rules of rooms and messages once more, in the plainest words and without the fold: what may happen
//! after what happened. Each rule can be left out, to see that the schedules notice.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use milena_domain::record::{Action, Event, Placed, Posting, Role, RoomPatch, Target, Visibility};
use milena_domain::{ConversationId, MessageId, Position, UserId};

/// A rule that can be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Whoever is kept away does not join.
    BannedStayAway,
    /// In a closed room nobody speaks or comes.
    ArchivedIsClosed,
    /// Whoever was sent away is not in the room any more.
    RemovalEndsMembership,
    /// Whoever went is not in the room any more.
    LeavingEndsMembership,
    /// The last owner stays one.
    OneOwnerStays,
    /// Where moderators speak, members listen.
    OnlyModeratorsSpeak,
    /// Into a private room one is brought.
    PrivateByInvitation,
    /// Nobody is sent away by whoever stands no higher.
    RankProtects,
    /// What was said once is said.
    Once,
    /// Whoever is blocked is not heard.
    BlockedIsSilent,
    /// Nobody puts words into somebody else's mouth.
    AuthorsEdit,
    /// Nobody takes away somebody else's words, except who keeps order in a room.
    AuthorsDelete,
    /// Between two people nobody keeps order.
    EqualsDoNotModerate,
    /// After a deletion nothing is done to a message any more.
    DeletionIsFinal,
    /// A reaction is there or not: twice is once.
    ReactionsCountOnce,
    /// What is pinned is pinned: twice is once.
    PinsCountOnce,
    /// Where moderators speak, they pin.
    OnlyModeratorsPin,
    /// A place alone names no message.
    TargetsFit,
}

impl Rule {
    pub(super) const ALL: [Self; 18] = [
        Self::BannedStayAway,
        Self::ArchivedIsClosed,
        Self::RemovalEndsMembership,
        Self::LeavingEndsMembership,
        Self::OneOwnerStays,
        Self::OnlyModeratorsSpeak,
        Self::PrivateByInvitation,
        Self::RankProtects,
        Self::Once,
        Self::BlockedIsSilent,
        Self::AuthorsEdit,
        Self::AuthorsDelete,
        Self::EqualsDoNotModerate,
        Self::DeletionIsFinal,
        Self::ReactionsCountOnce,
        Self::PinsCountOnce,
        Self::OnlyModeratorsPin,
        Self::TargetsFit,
    ];
}

#[derive(Debug)]
struct Room {
    roles: BTreeMap<UserId, Role>,
    banned: BTreeSet<UserId>,
    is: RoomPatch,
}

/// What became of a message.
#[derive(Debug)]
struct Said {
    id: MessageId,
    author: UserId,
    is_deleted: bool,
    is_pinned: bool,
    reactions: BTreeSet<(UserId, String)>,
}

/// Who is where, and what was said.
#[derive(Debug, Default)]
pub(super) struct Rules {
    without: Option<Rule>,
    rooms: BTreeMap<ConversationId, Room>,
    blocked: BTreeSet<(ConversationId, UserId)>,
    said: HashSet<MessageId>,
    messages: HashMap<(ConversationId, Position), Said>,
}

impl Rules {
    /// Nothing has happened yet.
    pub(super) fn without(without: Option<Rule>) -> Self {
        Self { without, ..Self::default() }
    }

    fn holds(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }

    /// Whether the next event counts; if it does, it has happened.
    pub(super) fn happens(&mut self, placed: &Placed) -> bool {
        let Placed { event, position } = placed;
        if self.holds(Rule::Once) && self.said.contains(&event.id) {
            return false;
        }
        let counts = if event.to.is_some() { self.between_two(event) } else { self.in_room(event) };
        let counts = counts && event.action.target().is_none_or(|target| self.may_touch(event, target));
        if counts {
            self.said.insert(event.id);
            if matches!(event.action, Action::Message(_)) {
                let said = Said {
                    id: event.id,
                    author: event.actor,
                    is_deleted: false,
                    is_pinned: false,
                    reactions: BTreeSet::new(),
                };
                self.messages.insert((event.conversation, *position), said);
            }
        }
        counts
    }

    fn between_two(&mut self, event: &Event) -> bool {
        let conversation = event.conversation;
        match event.action {
            Action::Blocked { .. } if event.to == Some(event.actor) => false,
            Action::Blocked { on: true } => self.blocked.insert((conversation, event.actor)),
            Action::Blocked { on: false } => self.blocked.remove(&(conversation, event.actor)),
            // Taking one's own words back disturbs nobody.
            Action::Deleted { .. } => true,
            _ => {
                let is_blocked = self.blocked.iter().any(|(blocked, _)| *blocked == conversation);
                !(is_blocked && self.holds(Rule::BlockedIsSilent))
            }
        }
    }

    /// Whoever does it may do such things there; is it so with this message?
    fn may_touch(&mut self, event: &Event, target: Target) -> bool {
        let without = self.without;
        let holds = |rule| without != Some(rule);
        let me = event.actor;
        let role = self.rooms.get(&event.conversation).and_then(|room| room.roles.get(&me).copied());
        let moderates = match event.to {
            Some(_) => !holds(Rule::EqualsDoNotModerate),
            None => role >= Some(Role::Moderator),
        };
        let Some(said) = self.messages.get_mut(&(event.conversation, target.position)) else { return false };
        if said.id != target.id && holds(Rule::TargetsFit) {
            return false;
        }
        if said.is_deleted && holds(Rule::DeletionIsFinal) {
            return false;
        }
        let is_mine = said.author == me;
        match &event.action {
            Action::Edited { .. } => is_mine || !holds(Rule::AuthorsEdit),
            Action::Deleted { .. } => {
                let may = is_mine || moderates || !holds(Rule::AuthorsDelete);
                said.is_deleted |= may;
                may
            }
            Action::Reacted { emoji, on, .. } => {
                let mine = (me, emoji.as_str().to_owned());
                let changes = if *on { said.reactions.insert(mine) } else { said.reactions.remove(&mine) };
                changes || !holds(Rule::ReactionsCountOnce)
            }
            Action::Pinned { on, .. } => {
                let changes = said.is_pinned != *on;
                said.is_pinned = *on;
                changes || !holds(Rule::PinsCountOnce)
            }
            _ => false,
        }
    }

    fn in_room(&mut self, event: &Event) -> bool {
        if let Action::RoomCreated(created) = &event.action {
            if self.rooms.contains_key(&event.conversation) {
                return false;
            }
            let mut roles: BTreeMap<UserId, Role> =
                created.members.iter().map(|seat| (seat.user, seat.role)).collect();
            roles.insert(event.actor, Role::Owner);
            let is = RoomPatch {
                handle: Some(created.handle.clone()),
                title: Some(created.title.clone()),
                topic: created.topic.clone(),
                visibility: Some(created.visibility),
                posting: Some(created.posting),
                archived: Some(false),
            };
            self.rooms.insert(event.conversation, Room { roles, banned: BTreeSet::new(), is });
            return true;
        }
        let without = self.without;
        let Some(room) = self.rooms.get_mut(&event.conversation) else { return false };
        room.happens(event, |rule| without != Some(rule))
    }
}

impl Room {
    fn happens(&mut self, event: &Event, holds: impl Fn(Rule) -> bool) -> bool {
        let me = event.actor;
        let is_archived = self.is.archived == Some(true) && holds(Rule::ArchivedIsClosed);
        let is_banned = |room: &Self, user: &UserId| room.banned.contains(user);
        if event.action == Action::Joined {
            let is_closed = is_archived
                || (self.is.visibility == Some(Visibility::Private) && holds(Rule::PrivateByInvitation))
                || (is_banned(self, &me) && holds(Rule::BannedStayAway));
            let comes = !is_closed && !self.roles.contains_key(&me);
            if comes {
                self.roles.insert(me, Role::Member);
            }
            return comes;
        }
        let Some(role) = self.roles.get(&me).copied() else { return false };
        let is_last_owner = |room: &Self, user: &UserId| {
            let owners = room.roles.iter().filter(|(_, role)| **role == Role::Owner);
            owners.map(|(owner, _)| owner).eq([user]) && holds(Rule::OneOwnerStays)
        };
        let is_above = |room: &Self, user: &UserId| {
            role == Role::Owner
                || room.roles.get(user).is_none_or(|other| *other < role)
                || !holds(Rule::RankProtects)
        };
        let keeps_order = role >= Role::Moderator;
        match &event.action {
            Action::Message(_) => {
                let may_speak = keeps_order
                    || self.is.posting == Some(Posting::Members)
                    || !holds(Rule::OnlyModeratorsSpeak);
                may_speak && !is_archived
            }
            Action::Deleted { .. } => true,
            Action::Edited { .. } | Action::Reacted { .. } => !is_archived,
            Action::Pinned { .. } => {
                let may_pin = keeps_order
                    || self.is.posting == Some(Posting::Members)
                    || !holds(Rule::OnlyModeratorsPin);
                may_pin && !is_archived
            }
            Action::Left => {
                let may_go = !is_last_owner(self, &me);
                if may_go && holds(Rule::LeavingEndsMembership) {
                    self.roles.remove(&me);
                }
                may_go
            }
            Action::MembersAdded { users } => {
                let come = users
                    .iter()
                    .filter(|user| !is_archived && !is_banned(self, user) && !self.roles.contains_key(user));
                let come: Vec<UserId> = come.copied().collect();
                self.roles.extend(come.iter().map(|user| (*user, Role::Member)));
                !come.is_empty()
            }
            Action::Removed { user } => {
                let goes =
                    keeps_order && *user != me && self.roles.contains_key(user) && is_above(self, user);
                if goes && holds(Rule::RemovalEndsMembership) {
                    self.roles.remove(user);
                }
                goes
            }
            Action::Banned { user } => {
                let is_new = self.roles.contains_key(user) || !is_banned(self, user);
                let goes = keeps_order && *user != me && is_above(self, user) && is_new;
                if goes {
                    self.roles.remove(user);
                    self.banned.insert(*user);
                }
                goes
            }
            Action::Unbanned { user } => keeps_order && self.banned.remove(user),
            Action::RoleChanged { user, role: wanted } => {
                let Some(is) = self.roles.get(user).copied() else { return false };
                let changes = role == Role::Owner && is != *wanted && !is_last_owner(self, user);
                if changes {
                    self.roles.insert(*user, *wanted);
                }
                changes
            }
            Action::RoomChanged(patch) => {
                let for_owners = patch.handle.is_some()
                    || patch.visibility.is_some()
                    || patch.posting.is_some()
                    || patch.archived.is_some();
                let may = role == Role::Owner || (keeps_order && !for_owners);
                let may = may && (!is_archived || patch.archived.is_some());
                may && self.change(patch)
            }
            _ => false,
        }
    }

    /// Whether anything is different now.
    fn change(&mut self, patch: &RoomPatch) -> bool {
        fn set<T: Clone + PartialEq>(is: &mut Option<T>, wanted: &Option<T>) -> bool {
            let changes = wanted.is_some() && is != wanted;
            if changes {
                is.clone_from(wanted);
            }
            changes
        }
        let is = &mut self.is;
        set(&mut is.handle, &patch.handle)
            | set(&mut is.title, &patch.title)
            | set(&mut is.topic, &patch.topic)
            | set(&mut is.visibility, &patch.visibility)
            | set(&mut is.posting, &patch.posting)
            | set(&mut is.archived, &patch.archived)
    }
}
