//! The fields of a message in the index, and what is written there.

use milena_domain::{ConversationId, Position};
use tantivy::schema::{BytesOptions, FAST, Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{TantivyDocument, Term};

use crate::analyse;
use crate::filter::Fact;
use crate::message::Message;
use crate::order::weight;

pub(super) const CONVERSATION: &str = "conversation";
pub(super) const POSITION: &str = "position";
pub(super) const SENT_AT: &str = "sent_at_ms";
pub(super) const WEIGHT: &str = "weight";

/// The fields.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    pub(super) schema: Schema,
    /// The message's name, to replace and remove it by.
    key: Field,
    /// Its tokens with their places.
    body: Field,
    /// What is so of it, each as a tag and an id.
    facts: Field,
    /// Columns: where and when it was said, and how much it counts by itself.
    conversation: Field,
    position: Field,
    sent_at: Field,
    weight: Field,
}

impl Fields {
    pub(super) fn new() -> Self {
        let mut schema = Schema::builder();
        // The analyser is ours, and its tokens are handed over as they are; lengths are in the weight.
        let tokens = TextFieldIndexing::default()
            .set_tokenizer("raw")
            .set_fieldnorms(false)
            .set_index_option(IndexRecordOption::WithFreqsAndPositions);
        Self {
            key: schema.add_bytes_field("key", BytesOptions::default().set_indexed()),
            body: schema.add_text_field("body", TextOptions::default().set_indexing_options(tokens)),
            facts: schema.add_bytes_field("facts", BytesOptions::default().set_indexed()),
            conversation: schema.add_bytes_field(CONVERSATION, BytesOptions::default().set_fast()),
            position: schema.add_u64_field(POSITION, FAST),
            sent_at: schema.add_i64_field(SENT_AT, FAST),
            weight: schema.add_u64_field(WEIGHT, FAST),
            schema: schema.build(),
        }
    }

    pub(super) fn key(&self, conversation: ConversationId, position: Position) -> Term {
        let mut key = [0; 24];
        key[..16].copy_from_slice(conversation.as_uuid().as_bytes());
        key[16..].copy_from_slice(&position.get().to_be_bytes());
        Term::from_field_bytes(self.key, &key)
    }

    pub(super) fn token(&self, token: &str) -> Term {
        Term::from_field_text(self.body, token)
    }

    pub(super) const fn body(&self) -> Field {
        self.body
    }

    pub(super) fn fact(&self, fact: Fact) -> Term {
        Term::from_field_bytes(self.facts, &fact_bytes(fact))
    }

    pub(super) fn document(&self, message: &Message) -> TantivyDocument {
        let tokens = analyse::tokens(&message.body);
        let mut document = TantivyDocument::new();
        let key = self.key(message.conversation, message.position);
        document.add_bytes(self.key, key.serialized_value_bytes());
        for fact in Fact::all_of(message) {
            document.add_bytes(self.facts, &fact_bytes(fact));
        }
        document.add_bytes(self.conversation, message.conversation.as_uuid().as_bytes());
        document.add_u64(self.position, message.position.get());
        document.add_i64(self.sent_at, message.sent_at.unix_ms());
        let weight = weight(tokens.len(), message.pinned, message.reacted);
        document.add_u64(self.weight, u64::from(weight));
        document.add_pre_tokenized_text(self.body, placed(tokens));
        document
    }
}

fn placed(tokens: Vec<analyse::Token>) -> PreTokenizedString {
    let token = |(position, token): (usize, analyse::Token)| Token {
        offset_from: token.bytes.start,
        offset_to: token.bytes.end,
        position,
        text: token.text,
        position_length: 1,
    };
    // The text itself is not stored.
    PreTokenizedString { text: String::new(), tokens: tokens.into_iter().enumerate().map(token).collect() }
}

/// A tag, and the id that the fact is about.
fn fact_bytes(fact: Fact) -> Vec<u8> {
    let (tag, id) = match fact {
        Fact::From(user) => (b'f', Some(user.as_uuid())),
        Fact::In(conversation) => (b'i', Some(conversation.as_uuid())),
        Fact::To(user) => (b't', Some(user.as_uuid())),
        Fact::Mentions(user) => (b'm', Some(user.as_uuid())),
        Fact::Everyone => (b'a', None),
        Fact::Link => (b'l', None),
        Fact::Reaction => (b'r', None),
        Fact::Pin => (b'p', None),
        Fact::Reply => (b'y', None),
        Fact::Edited => (b'e', None),
    };
    let mut bytes = vec![tag];
    bytes.extend(id.iter().flat_map(|id| id.as_bytes()));
    bytes
}
