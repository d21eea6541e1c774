//! Whom to tell of a message, and how loudly. Pure: what is to be told, what the person wants, and the time
//! are handed in.
//!
//! There are three answers. [`Verdict::Tell`] makes a noise: a note on the desktop, a push, a sound.
//! [`Verdict::Count`] is counted as unread, among what calls for the person, and is silent.
//! [`Verdict::Nothing`] is counted apart, as muted. [`Counts`] says the same of a whole conversation, so that
//! what is told and what is counted never disagree.
//!
//! The browser decides in the same way; one table of cases, `crates/domain/tests/tell.json`, is run through
//! both.

mod keywords;
mod quiet;
mod settings;

pub use keywords::{Folded, Keywords};
pub use quiet::{Days, Schedule, Window, WrittenSchedule, WrittenWindow};
pub use settings::{General, Level, Mute, OfConversation};

use crate::Timestamp;

/// How loudly somebody is told. The greater is the louder one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It is counted as muted at most.
    Nothing,
    /// It is counted as unread.
    Count,
    /// It is counted, and makes a noise.
    Tell,
}

impl Verdict {
    /// As the table of cases and the documents write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Count => "count",
            Self::Tell => "tell",
        }
    }
}

/// What a conversation is to the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Of two people.
    Direct,
    /// With oneself.
    Notes,
    /// Of many, and the person is in it.
    Room,
}

/// A message as it concerns one person: a new one, or one that an edit makes name them. Nothing else is told:
/// reactions, pins and what happens in rooms are seen by whoever looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occasion {
    /// Where it stands.
    pub kind: Kind,
    /// They wrote it themselves.
    pub is_mine: bool,
    /// It names them.
    pub is_named: bool,
    /// It calls everybody.
    pub is_everyone: bool,
    /// It answers a message of theirs.
    pub answers_me: bool,
    /// It has a word that they want to hear of.
    pub has_keyword: bool,
}

/// Whether and how loudly somebody is told. `is_active`: they sit before a client that shows it anyway.
#[must_use]
pub fn verdict(
    occasion: Occasion,
    general: &General,
    own: &OfConversation,
    now: Timestamp,
    is_active: bool,
) -> Verdict {
    let Occasion { kind, is_mine, is_named, is_everyone, answers_me, has_keyword } = occasion;
    if is_mine || kind == Kind::Notes {
        return Verdict::Nothing;
    }
    if own.mute.holds(now) {
        return if is_named { Verdict::Count } else { Verdict::Nothing };
    }
    let of_kind = if kind == Kind::Direct { general.direct } else { general.rooms };
    let calls = match own.level.unwrap_or(of_kind) {
        Level::All => true,
        Level::Mentions => is_named || answers_me || has_keyword || is_everyone && !own.ignore_everyone,
        Level::Nothing => false,
    };
    if !calls || is_active || general.is_quiet(now) { Verdict::Count } else { Verdict::Tell }
}

/// Unread messages of a conversation, or of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Those that call for the person.
    pub calls: u64,
    /// Those among them that name the person.
    pub mentions: u64,
    /// Those that are muted.
    pub muted: u64,
}

impl Counts {
    /// Of one conversation, of whose `unread` messages some are `mentions` of the person.
    #[must_use]
    pub fn of(own: &OfConversation, now: Timestamp, unread: u32, mentions: u32) -> Self {
        let (unread, mentions) = (u64::from(unread), u64::from(mentions));
        if own.mute.holds(now) {
            return Self { calls: mentions, mentions, muted: unread.saturating_sub(mentions) };
        }
        Self { calls: unread, mentions, muted: 0 }
    }

    /// Together with another conversation's.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            calls: self.calls + other.calls,
            mentions: self.mentions + other.mentions,
            muted: self.muted + other.muted,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW_MS: i64 = 1_780_000_000_000;

    fn levels() -> impl Strategy<Value = Level> {
        prop_oneof![Just(Level::All), Just(Level::Mentions), Just(Level::Nothing)]
    }

    fn moments() -> impl Strategy<Value = Timestamp> {
        (-2_000_i64..2_000).prop_map(|ms| Timestamp::from_unix_ms(NOW_MS + ms))
    }

    fn mutes() -> impl Strategy<Value = Mute> {
        prop_oneof![Just(Mute::No), Just(Mute::ForGood), moments().prop_map(Mute::Until)]
    }

    prop_compose! {
        fn generals()(
            direct in levels(), rooms in levels(), dnd_until in prop::option::of(moments()),
            is_night: bool,
        ) -> General {
            // All days, all hours: quiet whatever the time zone.
            let window = Window::new(Days::ALL, 0, 1_440).unwrap();
            let dnd_schedule = is_night.then(|| Schedule::new("Europe/Prague", vec![window]).unwrap());
            General { direct, rooms, dnd_until, dnd_schedule, ..General::default() }
        }
    }

    prop_compose! {
        fn own()(level in prop::option::of(levels()), mute in mutes(), ignore_everyone: bool)
        -> OfConversation {
            OfConversation { level, mute, ignore_everyone }
        }
    }

    prop_compose! {
        fn occasions()(
            kind in prop_oneof![Just(Kind::Direct), Just(Kind::Notes), Just(Kind::Room)],
            is_mine: bool, is_named: bool, is_everyone: bool, answers_me: bool, has_keyword: bool,
        ) -> Occasion {
            Occasion { kind, is_mine, is_named, is_everyone, answers_me, has_keyword }
        }
    }

    proptest! {
        /// Nobody is woken who does not want to be, whatever else holds.
        #[test]
        fn what_silences_silences(
            occasion in occasions(), general in generals(), own in own(), now in moments(), is_active: bool,
        ) {
            let verdict = verdict(occasion, &general, &own, now, is_active);
            let is_silent = occasion.is_mine
                || occasion.kind == Kind::Notes
                || own.mute.holds(now)
                || own.level == Some(Level::Nothing)
                || is_active
                || general.dnd_schedule.is_some()
                || general.dnd_until.is_some_and(|until| now < until);
            prop_assert!(!is_silent || verdict != Verdict::Tell);
        }

        /// To be named, answered or called never makes it quieter; nor does a wider level, less muting, or
        /// going away.
        #[test]
        fn more_reason_is_never_quieter(
            occasion in occasions(), general in generals(), own in own(), now in moments(), is_active: bool,
        ) {
            let of = |occasion, own: OfConversation, is_active| {
                verdict(occasion, &general, &own, now, is_active)
            };
            let told = of(occasion, own, is_active);
            let louder = [
                of(Occasion { is_named: true, ..occasion }, own, is_active),
                of(Occasion { answers_me: true, ..occasion }, own, is_active),
                of(Occasion { has_keyword: true, ..occasion }, own, is_active),
                of(Occasion { is_everyone: true, ..occasion }, own, is_active),
                of(occasion, OfConversation { level: Some(Level::All), ..own }, is_active),
                of(occasion, OfConversation { mute: Mute::No, ..own }, is_active),
                of(occasion, own, false),
            ];
            prop_assert!(louder.iter().all(|louder| told <= *louder), "{told:?} {louder:?}");
            let nothing = OfConversation { level: Some(Level::Nothing), ..own };
            prop_assert!(told >= of(occasion, nothing, is_active));
        }

        /// What is told or counted is what the totals count as calling, message by message.
        #[test]
        fn the_totals_agree_with_the_verdicts(
            messages in prop::collection::vec((occasions(), any::<bool>()), 0..20),
            general in generals(), own in own(), now in moments(),
        ) {
            let theirs: Vec<_> = messages
                .iter()
                .filter(|(occasion, _)| !occasion.is_mine && occasion.kind != Kind::Notes)
                .collect();
            let calls = theirs.iter().filter(|(occasion, is_active)| {
                verdict(*occasion, &general, &own, now, *is_active) != Verdict::Nothing
            });
            let unread = u32::try_from(theirs.len()).unwrap();
            let mentions = u32::try_from(theirs.iter().filter(|(occasion, _)| occasion.is_named).count());
            let counts = Counts::of(&own, now, unread, mentions.unwrap());
            prop_assert_eq!(counts.calls, calls.count() as u64);
            prop_assert_eq!(counts.calls + counts.muted, u64::from(unread));
        }
    }
}
