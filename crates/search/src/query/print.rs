//! From terms to text: what a chip shows, and what a saved search is kept as.

use std::fmt;

use super::parse::is_quote;
use super::{Has, Is, Query, Term, What};

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, term) in self.terms().enumerate() {
            write!(f, "{}{term}", if index == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negated {
            f.write_str("-")?;
        }
        self.what.fmt(f)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Phrase(phrase) => write!(f, "\"{phrase}\""),
            Self::From(name) => name_after(f, "from", name),
            Self::In(name) => name_after(f, "in", name),
            Self::ToMe => f.write_str("to:me"),
            Self::MentionsMe => f.write_str("mentions:me"),
            Self::Before(day) => write!(f, "before:{day}"),
            Self::After(day) => write!(f, "after:{day}"),
            Self::On(day) => write!(f, "on:{day}"),
            Self::Has(Has::Link) => f.write_str("has:link"),
            Self::Has(Has::Reaction) => f.write_str("has:reaction"),
            Self::Has(Has::Pin) => f.write_str("has:pin"),
            Self::Is(Is::Reply) => f.write_str("is:reply"),
            Self::Is(Is::Edited) => f.write_str("is:edited"),
        }
    }
}

fn name_after(f: &mut fmt::Formatter<'_>, operator: &str, name: &str) -> fmt::Result {
    if name.contains(char::is_whitespace) && !name.contains(is_quote) {
        write!(f, "{operator}:\"{name}\"")
    } else {
        write!(f, "{operator}:{name}")
    }
}
