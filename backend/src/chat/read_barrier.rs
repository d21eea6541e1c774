//! No node says no before it has read what others had confirmed: what somebody was told by one node holds on
//! each. Whoever created a room or joined it through one node may write through another at once; and what was
//! sent through two nodes is not refused by the second after it counted.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use milena_domain::{ConversationId, partition_of};
use rdkafka::error::KafkaError;

use super::Chat;
use crate::batched::Batched;
use crate::log::producer::Producer;
use crate::refusal::{Code, Refusal};

/// Where partitions end, many in one query.
pub(super) type Ends = Batched<i32, i64, KafkaError>;

/// Partitions of one query.
const MOST: usize = 256;
/// How long this node may take to read what the log has already.
const WITHIN: Duration = Duration::from_secs(5);

/// The log's own ends.
pub(super) fn ends(producer: &Producer) -> Arc<Ends> {
    let producer = producer.clone();
    Arc::new(Batched::new(MOST, move |partitions: Vec<i32>| {
        let producer = producer.clone();
        async move {
            let asked = tokio::task::spawn_blocking(move || producer.ends(&partitions));
            asked.await.unwrap_or(Ok(HashMap::new()))
        }
        .boxed()
    }))
}

impl Chat {
    /// What `look` finds, and when that is a no that others may have made untrue: what it finds once this
    /// node has read what they had confirmed, if there was anything that it had not read before it looked.
    ///
    /// # Errors
    /// Those of `look` and of [`Chat::hear_of`].
    pub(super) async fn once_heard<T, F>(
        &self,
        conversation: ConversationId,
        look: impl Fn() -> F,
    ) -> Result<T, Refusal>
    where
        F: Future<Output = Result<T, Refusal>>,
    {
        let read = self.next_to_read(conversation);
        match look().await {
            Err(refusal) if refusal.code.is_about_the_log() => {
                if self.hear_of(conversation).await? > read {
                    look().await
                } else {
                    Err(refusal)
                }
            }
            found => found,
        }
    }

    /// What this node reads next of the conversation's partition: everything before that is shown already.
    fn next_to_read(&self, conversation: ConversationId) -> i64 {
        let partition = partition_of(conversation, self.partitions) as usize;
        self.progress.borrow().read.get(partition).copied().unwrap_or(0)
    }

    /// Waits until this node has read all that the conversation's partition has at the moment; says where it
    /// ends.
    ///
    /// # Errors
    /// `log_unavailable` when the log does not say where it ends, `overloaded` when this node is far behind.
    async fn hear_of(&self, conversation: ConversationId) -> Result<i64, Refusal> {
        if !self.health.is_live() {
            return Err(Refusal::log_unavailable());
        }
        let partition = partition_of(conversation, self.partitions);
        let Ok(Some(end)) = self.ends.get(partition).await else { return Err(Refusal::log_unavailable()) };
        let mut progress = self.progress.clone();
        let has_read = progress
            .wait_for(|progress| progress.read.get(partition as usize).is_some_and(|next| *next >= end));
        match tokio::time::timeout(WITHIN, has_read).await {
            Ok(Ok(_)) => Ok(end),
            _ => {
                Err(Refusal::later(Code::Overloaded, "this server has yet to read the newest events", 1_000))
            }
        }
    }
}
