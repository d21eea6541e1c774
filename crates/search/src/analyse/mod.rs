//! From a text to its tokens: what is indexed, and what a query is made of.
//!
//! Both sides go through [`tokens`], so they cannot disagree. There are three kinds:
//!
//! - **words**: letters and digits that stand together (UAX #29), cut also at `- / . _ @ #` and whatever else
//!   is neither letter nor digit, so that every part of a path, an address or a name in code is found;
//! - **grams**: in scripts that are written without blanks (Chinese, Japanese, Korean, Thai and their
//!   neighbours) each character with the one after it, and the last of a run by itself. A run of any length
//!   is then found by the grams that follow each other, and a single character by what begins with it;
//! - **signs**: an emoji or another symbol, with all that belongs to it.
//!
//! Nothing is stemmed. A token's place is its index: what stands between two tokens does not count.

mod fold;
mod gram;
mod link;
mod token;

pub use link::has_link;
pub use token::{Kind, TOKEN_MAX_CHARS, Token, tokens};

#[cfg(test)]
mod table;
