//! An act: people chat, something goes wrong for a while, somebody notices, it is well again, work goes on,
//! all that waited is done, and what came of it is judged.

use std::fmt::Display;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::plan::Plan;
use super::table::{Judged, Row, Table};
use crate::ledger::{Crowd, Figures, Sent, audit};
use crate::world::{Database, Proxy, Weather, tell, until};

pub(super) const PEOPLE: usize = 40;
const PER_SECOND: f64 = 40.0;
const DELAY: Duration = Duration::from_millis(100);
/// Slowness that lasts longer shows nothing more.
const SLOW_FOR_S: f64 = 5.0;
/// After a reset, at once over, there is this time to notice it.
const RESET_S: f64 = 0.5;
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Longer than anything takes to be found out or to come back.
const PATIENCE_S: u64 = 60;

/// Programs with people on them, and places where something can go wrong.
pub(super) trait Stage {
    type Place: Copy + Display;

    fn crowd(&self) -> &Arc<Crowd>;
    /// What is stored, not by a proxy.
    fn database(&self) -> &Database;
    /// Looks at what does not show by itself.
    async fn look(&self, place: Self::Place);
    /// Grows when people or programs notice the fault, if they are looked at.
    fn signs(&self, place: Self::Place) -> usize;
    /// Grows when it works, if it is looked at.
    fn work(&self, place: Self::Place) -> usize;
    /// Whether what waits there waits for the store, not for the log.
    fn is_before_the_store(&self, place: Self::Place) -> bool;
}

/// Acts one after the other.
pub(super) struct Play<'a, S> {
    stage: &'a S,
    plan: &'a Plan,
    table: Table,
    /// One more with each act: a name for its messages.
    number: u64,
}

impl<'a, S: Stage> Play<'a, S> {
    pub(super) const fn new(name: &'static str, stage: &'a S, plan: &'a Plan) -> Self {
        Self { stage, plan, table: Table::new(name), number: 0 }
    }

    /// Makes it bad for `seconds`, then good. What `good` takes belongs to the fault.
    pub(super) async fn act(
        &mut self,
        place: S::Place,
        what: impl Into<String>,
        seconds: f64,
        bad: impl AsyncFnOnce(),
        good: impl AsyncFnOnce(),
    ) {
        let what = what.into();
        self.number += 1;
        // Boxed: many acts stand in one test, and each would take its room in it.
        let mut row = Box::pin(async {
            self.calm(place).await;
            let stop = CancellationToken::new();
            let chatting = tokio::spawn({
                let (crowd, stop, seed) = (Arc::clone(self.stage.crowd()), stop.clone(), self.number);
                async move { crowd.chat(PER_SECOND, seed, stop).await }
            });
            let row = self.disturb(place, &what, seconds, bad, good).await;
            stop.cancel();
            chatting.await.unwrap();
            row
        })
        .await;
        if self.plan.is_long {
            row.judged = Some(Judged::from(&Box::pin(self.judge()).await));
        }
        self.table.push(row);
    }

    /// Waits until what was before is over.
    async fn calm(&self, place: S::Place) {
        self.stage.look(place).await;
        until("what was before is over", PATIENCE_S, async || {
            let signs = self.stage.signs(place);
            self.stage.look(place).await;
            self.stage.signs(place) == signs
        })
        .await;
    }

    async fn disturb(
        &self,
        place: S::Place,
        what: &str,
        seconds: f64,
        bad: impl AsyncFnOnce(),
        good: impl AsyncFnOnce(),
    ) -> Row {
        let (stage, length) = (self.stage, Duration::from_secs_f64(seconds));
        let signs = stage.signs(place);
        let began = Instant::now();
        bad().await;
        let noticing = async {
            while stage.signs(place) <= signs {
                sleep(LOOK_EVERY).await;
                stage.look(place).await;
            }
            began.elapsed()
        };
        let ending = async {
            sleep(length.saturating_sub(began.elapsed())).await;
            let before = (stage.work(place), Waiting::of(stage, place));
            good().await;
            before
        };
        tokio::pin!(noticing, ending);
        let (noticed, (work, waiting)) = tokio::select! {
            biased;
            before = &mut ending => (None, before),
            noticed = &mut noticing => (Some(noticed), ending.await),
        };
        let (lasted, well) = (began.elapsed(), Instant::now());
        until(&format!("{place} {what}: work goes on"), PATIENCE_S, async || {
            stage.look(place).await;
            stage.work(place) > work
        })
        .await;
        let went_on = well.elapsed();
        until(&format!("{place} {what}: nothing waits any more"), 2 * PATIENCE_S, async || {
            waiting.is_over(stage).await
        })
        .await;
        let caught_up = well.elapsed();
        let (place, what) = (place.to_string(), what.to_owned());
        Row { place, what, lasted, noticed, went_on, caught_up, judged: None }
    }

    async fn weather(&mut self, place: S::Place, proxy: &Proxy, what: &str, seconds: f64, weather: Weather) {
        let bad = async || proxy.set(weather);
        self.act(place, what, seconds, bad, async || proxy.set(Weather::default())).await;
    }

    /// Nothing goes through, for a while.
    pub(super) async fn silent(&mut self, place: S::Place, proxy: &Proxy, seconds: f64) {
        let silent = Weather { no_way_up: true, no_way_down: true, ..Weather::default() };
        self.weather(place, proxy, "silent", seconds, silent).await;
    }

    /// Answers do not come through.
    pub(super) async fn silent_downwards(&mut self, place: S::Place, proxy: &Proxy, seconds: f64) {
        let silent = Weather { no_way_down: true, ..Weather::default() };
        self.weather(place, proxy, "silent downwards", seconds, silent).await;
    }

    pub(super) async fn reset(&mut self, place: S::Place, proxy: &Proxy) {
        self.act(place, "reset", RESET_S, async || proxy.reset(), async || {}).await;
    }

    /// Everything that can happen to a link.
    pub(super) async fn all_of_a_link(&mut self, place: S::Place, proxy: &Proxy, silences: &[f64]) {
        let calm = Weather::default();
        for seconds in silences {
            self.silent(place, proxy, *seconds).await;
            self.weather(place, proxy, "silent upwards", *seconds, Weather { no_way_up: true, ..calm }).await;
            self.silent_downwards(place, proxy, *seconds).await;
        }
        for seconds in silences.iter().filter(|seconds| **seconds <= SLOW_FOR_S) {
            self.weather(place, proxy, "slow by 100 ms", *seconds, Weather { delay: DELAY, ..calm }).await;
        }
        self.reset(place, proxy).await;
    }

    /// Waits until everybody has everything and compares; people who are not of the crowd are left out.
    async fn judge(&self) -> Figures {
        let crowd = self.stage.crowd();
        crowd.all_accepted(180).await;
        crowd.settle(self.number).await;
        let people: Vec<&str> = crowd.members.iter().map(|member| &*member.account.person.username).collect();
        let of_crowd = async || {
            let rows = self.stage.database().messages().await;
            rows.into_iter().filter(|row| people.contains(&&*row.sender)).collect::<Vec<_>>()
        };
        let count = crowd.sent().len();
        until("everything is stored", 120, async || of_crowd().await.len() >= count).await;
        audit(crowd, &of_crowd().await)
    }

    /// Judges everything and tells the table.
    pub(super) async fn end(mut self, name: &str) {
        self.number += 1;
        let figures = Box::pin(self.judge()).await;
        tell(&self.table.to_string());
        figures.must_agree(name);
    }
}

/// What waits when a fault ends.
enum Waiting {
    /// Messages that are not accepted.
    ToBeAccepted(Vec<Sent>),
    /// So many messages are accepted, and to be stored.
    ToBeStored(i64),
}

impl Waiting {
    fn of<S: Stage>(stage: &S, place: S::Place) -> Self {
        if stage.is_before_the_store(place) {
            return Self::ToBeStored(stage.crowd().progress.count() as i64);
        }
        let sent = stage.crowd().sent().into_iter();
        Self::ToBeAccepted(sent.filter(|sent| !stage.crowd().is_accepted(sent)).collect())
    }

    async fn is_over(&self, stage: &impl Stage) -> bool {
        match self {
            Self::ToBeAccepted(waiting) => waiting.iter().all(|sent| stage.crowd().is_accepted(sent)),
            Self::ToBeStored(count) => {
                stage.database().try_count_messages().await.is_some_and(|stored| stored >= *count)
            }
        }
    }
}
