//! Many connections under open load: a task each, fed by one pacing thread.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use futures::{StreamExt, TryStreamExt};
use milena_domain::UserId;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use super::frame::{body_of, send};
use super::socket::{Origin, Socket};
use super::tally::Tally;
use crate::measure::latency::Schedule;
use crate::world::Person;

/// Connections that are opened at the same time.
const PARALLEL: usize = 64;
/// Orders that wait for one client's task, from the pacing thread; more count as dropped.
const ORDERS: usize = 4_096;

/// What a client is told to do.
#[derive(Debug, Clone, Copy)]
pub enum Order {
    /// Send a message that was meant to go out at `stamp_us`.
    Send {
        /// To whom.
        to: UserId,
        /// Unique in this run.
        number: u64,
        /// The intended moment.
        stamp_us: u64,
        /// Of the body.
        body_bytes: usize,
    },
    /// Read nothing more, and keep the connection.
    StopReading,
}

/// From whom to whom.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// One of the crowd, by its number.
    pub from: usize,
    /// Anybody.
    pub to: UserId,
    /// Of the body.
    pub body_bytes: usize,
}

/// Connected people.
pub struct Crowd {
    /// In the order of their connections.
    pub people: Vec<Person>,
    /// What they see.
    pub tally: Arc<Tally>,
    orders: Vec<mpsc::Sender<Order>>,
    tasks: TaskTracker,
}

impl Crowd {
    /// Connects one socket for each person.
    ///
    /// # Errors
    /// When one of them is refused.
    pub async fn connect(
        gateway: SocketAddr,
        people: Vec<Person>,
        origin: impl Fn(usize) -> Origin,
    ) -> anyhow::Result<Self> {
        let (tally, tasks) = (Arc::new(Tally::default()), TaskTracker::new());
        let opening =
            people.iter().enumerate().map(|(number, person)| (person.token.clone(), origin(number)));
        let sockets: Vec<Socket> = futures::stream::iter(opening)
            .map(async |(token, origin)| Socket::open(gateway, origin, &token, None).await)
            .buffered(PARALLEL)
            .try_collect()
            .await
            .context("a client could not connect")?;
        let mut orders = Vec::with_capacity(people.len());
        for socket in sockets {
            let (sender, receiver) = mpsc::channel(ORDERS);
            orders.push(sender);
            tasks.spawn(live(socket, receiver, Arc::clone(&tally)));
        }
        Ok(Self { people, tally, orders, tasks })
    }

    /// Gives one client an order.
    pub fn order(&self, client: usize, order: Order) {
        let is_send = matches!(order, Order::Send { .. });
        let taken = self.orders[client].try_send(order).is_ok();
        let mut counts = self.tally.counts();
        counts.sent += u64::from(taken && is_send);
        counts.dropped += u64::from(!taken && is_send);
    }

    /// Sends `count` messages by `schedule`; `route` says from whom to whom, and how long, number by number.
    /// The numbers begin with `first`. Blocks: for a thread that may.
    pub fn send_all(&self, schedule: Schedule, first: u64, count: u64, route: impl Fn(u64) -> Route) {
        let sent: Result<(), std::convert::Infallible> = schedule.run(count, |number| {
            let stamp_us = self.tally.stamp_us(schedule.at(number));
            let Route { from, to, body_bytes } = route(first + number);
            self.order(from, Order::Send { to, number: first + number, stamp_us, body_bytes });
            Ok(())
        });
        sent.unwrap_or_else(|never| match never {});
    }

    /// [`Crowd::send_all`] from now on, on a thread of its own; returns when all were handed over.
    ///
    /// # Errors
    /// When the thread fails.
    pub async fn send_paced(
        self: &Arc<Self>,
        per_second: f64,
        first: u64,
        count: u64,
        route: impl Fn(u64) -> Route + Send + 'static,
    ) -> anyhow::Result<()> {
        let crowd = Arc::clone(self);
        let pacing = move || crowd.send_all(Schedule::new(Instant::now(), per_second), first, count, route);
        tokio::task::spawn_blocking(pacing).await.context("the pacing thread failed")
    }

    /// Who writes to whom in message `number`: everybody equally often, to changing others of the crowd.
    pub fn among_themselves(&self, body_bytes: usize) -> impl Fn(u64) -> Route + Send + use<> {
        let ids: Vec<UserId> = self.people.iter().map(|person| person.id).collect();
        move |number| {
            let (from, to) = pair(number, ids.len());
            Route { from, to: ids[to], body_bytes }
        }
    }

    /// Ends all connections.
    pub async fn leave(mut self) {
        self.orders.clear();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// One client: writes what it is told in bursts with one flush, and reads all the time.
async fn live(mut socket: Socket, mut orders: mpsc::Receiver<Order>, tally: Arc<Tally>) {
    loop {
        tokio::select! {
            order = orders.recv() => {
                let Some(order) = order else { return };
                if matches!(order, Order::StopReading) {
                    while orders.recv().await.is_some() {}
                    return;
                }
                if write(&mut socket, order, &mut orders).await.is_err() {
                    tally.counts().closed += 1;
                    return;
                }
            }
            text = socket.next() => match text {
                Some(text) => tally.take_frame(&text),
                None => {
                    tally.counts().closed += 1;
                    return;
                }
            },
        }
    }
}

async fn write(socket: &mut Socket, first: Order, more: &mut mpsc::Receiver<Order>) -> anyhow::Result<()> {
    let mut next = Some(first);
    while let Some(Order::Send { to, number, stamp_us, body_bytes }) = next {
        let body = body_of(&stamp_us.to_string(), body_bytes);
        let client_id = format!("{}{number}.{stamp_us}", socket.client_id_prefix);
        socket.feed(send(to, &client_id, &body)).await?;
        next = more.try_recv().ok();
    }
    socket.flush().await
}

/// Who writes to whom in message `number`, among `people`: everybody equally often, to changing others.
#[must_use]
pub fn pair(number: u64, people: usize) -> (usize, usize) {
    let from = (number % people as u64) as usize;
    let round = number / people as u64;
    // Fibonacci hashing: spreads consecutive numbers over all others.
    let spread = (number.wrapping_add(round).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) as usize;
    (from, (from + 1 + spread % (people - 1)) % people)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn nobody_writes_to_themselves_and_pairs_change() {
        let pairs: Vec<_> = (0..10_000).map(|number| pair(number, 100)).collect();
        assert!(pairs.iter().all(|(from, to)| from != to && *from < 100 && *to < 100));
        let different: HashSet<_> = pairs.iter().collect();
        assert!(different.len() > 5_000, "{}", different.len());
    }
}
