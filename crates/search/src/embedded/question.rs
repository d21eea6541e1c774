//! From a filter to a query of the engine that finds exactly the same messages.

use std::sync::Arc;

use tantivy::query::{
    AllQuery, BooleanQuery, ConstScoreQuery, Occur, PhrasePrefixQuery, PhraseQuery, Query, RegexPhraseQuery,
    TermQuery, TermSetQuery,
};
use tantivy::schema::IndexRecordOption;

use super::fields::Fields;
use super::folder::error;
use super::seek::Forwards;
use super::{Inner, collect};
use crate::filter::{Fact, Filter, Need, Pattern};
use crate::index::{Ask, IndexError, PAGE_MAX_HITS, Page};
use crate::order::{Order, TOGETHER, WHOLE};
use crate::scope::Scope;

/// Conversations up to which their messages are looked up; of more than these each message is asked whether
/// it may be seen.
const LOOKED_UP_MAX_CONVERSATIONS: usize = 64;

impl Inner {
    pub(super) fn search(&self, ask: &Ask) -> Result<Page, IndexError> {
        let limit = ask.limit.min(PAGE_MAX_HITS);
        if ask.scope.is_empty() || limit == 0 {
            return Ok(Page::default());
        }
        let query = question(&self.fields, &ask.filter, &ask.scope, ask.order);
        let collector = collect::Best::new(ask, limit, Arc::clone(&self.places));
        let hits = self.reader.searcher().search(&query, &collector).map_err(error)?;
        Ok(Page::of(hits, limit))
    }
}

type Clause = (Occur, Box<dyn Query>);

fn question(fields: &Fields, filter: &Filter, scope: &Scope, order: Order) -> BooleanQuery {
    let mut clauses: Vec<Clause> = Vec::new();
    let mut add = |occur: Occur, query: Box<dyn Query>, score: u32| {
        // As an `f32` it is exact: scores are small whole numbers.
        clauses.push((occur, Box::new(ConstScoreQuery::new(query, score as f32))));
    };
    for pattern in &filter.words {
        add(Occur::Must, pattern_query(fields, pattern), 0);
    }
    for pattern in &filter.without {
        add(Occur::MustNot, Box::new(Forwards(pattern_query(fields, pattern))), 0);
    }
    for Need { negated, any_of } in &filter.needs {
        let occur = if *negated { Occur::MustNot } else { Occur::Must };
        add(occur, facts_query(fields, any_of), 0);
    }
    if scope.len() <= LOOKED_UP_MAX_CONVERSATIONS {
        let places: Vec<Fact> = scope.conversations().map(Fact::In).collect();
        add(Occur::Must, facts_query(fields, &places), 0);
    }
    if order == Order::Relevance {
        if let Some(whole) = filter.whole() {
            add(Occur::Should, pattern_query(fields, &whole), WHOLE);
        }
        if let Some(together) = &filter.together {
            add(Occur::Should, pattern_query(fields, together), TOGETHER);
        }
    }
    if !clauses.iter().any(|(occur, _)| *occur == Occur::Must) {
        clauses.push((Occur::Must, Box::new(ConstScoreQuery::new(Box::new(AllQuery), 0.0))));
    }
    BooleanQuery::new(clauses)
}

fn facts_query(fields: &Fields, any_of: &[Fact]) -> Box<dyn Query> {
    match any_of {
        [one] => Box::new(TermQuery::new(fields.fact(*one), IndexRecordOption::Basic)),
        several => Box::new(TermSetQuery::new(several.iter().map(|fact| fields.fact(*fact)))),
    }
}

fn pattern_query(fields: &Fields, pattern: &Pattern) -> Box<dyn Query> {
    let (before, last, is_open) = pattern.parts();
    match (before, is_open) {
        ([], false) => Box::new(TermQuery::new(fields.token(last), IndexRecordOption::Basic)),
        ([], true) => {
            // Of a single term it is no phrase, and finds whatever begins so.
            let mut query = PhrasePrefixQuery::new(vec![fields.token(last)]);
            query.set_max_expansions(u32::MAX);
            Box::new(query)
        }
        (before, false) => {
            let tokens = before.iter().map(String::as_str).chain([last]);
            Box::new(PhraseQuery::new(tokens.map(|token| fields.token(token)).collect()))
        }
        (before, true) => {
            // Tokens are letters, digits and signs beyond ASCII: nothing that a regular expression would take
            // for more than itself.
            let mut tokens = before.to_vec();
            tokens.push(format!("{last}.*"));
            let mut query = RegexPhraseQuery::new(fields.body(), tokens);
            query.set_max_expansions(u32::MAX);
            Box::new(query)
        }
    }
}
