//! From what was typed to what is meant: names become ids, days become milliseconds.

use std::collections::HashMap;
use std::ops::Range;

use jiff::tz::TimeZone;
use milena_domain::{ConversationId, Timestamp, UserId};

use super::{Fact, Filter, Need, Pattern, Time};
use crate::query::{Has, Is, Problem, Query, QueryError, Term, What};

/// What is known of whoever asks, and of the names that they use.
#[derive(Debug, Clone)]
pub struct Known {
    /// Who asks.
    pub me: UserId,
    /// Whom each of [`Query::people`] can mean.
    pub people: HashMap<String, Vec<UserId>>,
    /// What each of [`Query::conversations`] can mean, of those that they may see.
    pub conversations: HashMap<String, Vec<ConversationId>>,
    /// Where their days begin.
    pub zone: TimeZone,
    /// Now.
    pub now: Timestamp,
}

impl Known {
    /// What the query asks of a message.
    ///
    /// Several `from:` mean any of these people, and several `in:` any of these conversations: no message has
    /// two authors. All else is asked for at once.
    ///
    /// # Errors
    /// Names the place of a name that nobody has.
    pub fn filter(&self, query: &Query) -> Result<Filter, QueryError> {
        let mut filter = Filter::default();
        let (mut authors, mut rooms) = (Vec::new(), Vec::new());
        let words = |term: &Term| matches!(term.what, What::Word(_) | What::Phrase(_));
        let last = query.terms().filter(|term| words(term)).count();
        let mut word = 0;
        for (term, place) in query.placed() {
            word += usize::from(words(term));
            let negated = term.negated;
            let mut need = |any_of| filter.needs.push(Need { negated, any_of });
            match &term.what {
                What::Word(text) => filter.add(Pattern::new(text, !negated && word == last), negated),
                What::Phrase(text) => filter.add(Pattern::new(text, false), negated),
                What::From(name) => {
                    let people = self.people_called(name, place)?;
                    if negated { need(people) } else { authors.extend(people) }
                }
                What::In(name) => {
                    let conversations = self.conversations_called(name, place)?;
                    if negated { need(conversations) } else { rooms.extend(conversations) }
                }
                What::ToMe => need(vec![Fact::To(self.me)]),
                What::MentionsMe => need(vec![Fact::Mentions(self.me), Fact::Everyone]),
                What::Has(Has::Link) => need(vec![Fact::Link]),
                What::Has(Has::Reaction) => need(vec![Fact::Reaction]),
                What::Has(Has::Pin) => need(vec![Fact::Pin]),
                What::Is(Is::Reply) => need(vec![Fact::Reply]),
                What::Is(Is::Edited) => need(vec![Fact::Edited]),
                What::Before(day) => filter.time(negated, i64::MIN..self.day(*day).start),
                What::After(day) => filter.time(negated, self.day(*day).end..i64::MAX),
                What::On(day) => filter.time(negated, self.day(*day)),
            }
        }
        for any_of in [authors, rooms] {
            if !any_of.is_empty() {
                filter.needs.push(Need { negated: false, any_of });
            }
        }
        filter.together = together(query);
        Ok(filter)
    }

    fn day(&self, day: crate::query::Day) -> Range<i64> {
        day.range_ms(&self.zone, self.now.unix_ms())
    }

    fn people_called(&self, name: &str, place: Range<usize>) -> Result<Vec<Fact>, QueryError> {
        if name.eq_ignore_ascii_case("me") {
            return Ok(vec![Fact::From(self.me)]);
        }
        let people = self.people.get(name).filter(|people| !people.is_empty());
        let unknown = || Problem::NoPerson { name: name.to_owned() }.at(place);
        people.map(|people| people.iter().copied().map(Fact::From).collect()).ok_or_else(unknown)
    }

    fn conversations_called(&self, name: &str, place: Range<usize>) -> Result<Vec<Fact>, QueryError> {
        let known = self.conversations.get(name).filter(|conversations| !conversations.is_empty());
        let unknown = || Problem::NoConversation { name: name.to_owned() }.at(place);
        known.map(|known| known.iter().copied().map(Fact::In).collect()).ok_or_else(unknown)
    }
}

impl Filter {
    fn add(&mut self, pattern: Option<Pattern>, negated: bool) {
        let list = if negated { &mut self.without } else { &mut self.words };
        list.extend(pattern);
    }

    fn time(&mut self, negated: bool, ms: Range<i64>) {
        self.times.push(Time { negated, ms });
    }
}

/// The words that are asked for as one phrase, when there are several.
fn together(query: &Query) -> Option<Pattern> {
    let words: Vec<&str> = query
        .terms()
        .filter(|term| !term.negated)
        .filter_map(|term| match &term.what {
            What::Word(text) | What::Phrase(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    if words.len() < 2 { None } else { Pattern::new(&words.join(" "), false) }
}
