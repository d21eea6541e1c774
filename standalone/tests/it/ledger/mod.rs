//! The ledger: who said what to whom, who heard what, what is stored, and whether the three agree.

mod audit;
mod corpus;
mod crowd;
mod figures;
mod texts;

pub(crate) use audit::audit;
pub(crate) use corpus::{Corpus, Line};
pub(crate) use crowd::{Crowd, Sent};
pub(crate) use figures::Figures;
pub(crate) use texts::Texts;
