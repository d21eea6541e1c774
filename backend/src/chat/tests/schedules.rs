//! Random schedules of everything that happens to two nodes over one log: at the end each client shows the
//! log.

use proptest::prelude::*;

use super::client::Client;
use super::node::Node;
use super::shared::{Log, MemoryStore, PARTITIONS, event, user};
use crate::registry::Outbox;

/// `MILENA_TEST_SCHEDULES` sets the number of schedules.
const SCHEDULES: u32 = 500;
/// Two of them are devices of the same person.
const USERS: [u128; 5] = [0, 1, 2, 3, 0];
/// More than a page of a replay, so that it becomes a gap.
const BURST: usize = 130;
/// Memory of a message, roughly.
const MESSAGE_BYTES: usize = 402;

#[derive(Debug, Clone)]
enum Step {
    /// A client writes to somebody.
    Write {
        client: usize,
        to: u128,
    },
    /// A client sends again what was not answered.
    Again {
        client: usize,
    },
    /// Its connection ends; what its outbox held is lost.
    Drop {
        client: usize,
    },
    Connect {
        client: usize,
        node: usize,
    },
    /// Its connection has a turn, in which it sends so many frames.
    Turn {
        client: usize,
        most: usize,
    },
    /// A record that a node enqueued gets into the log.
    Append {
        node: usize,
    },
    Confirm {
        node: usize,
    },
    /// A send's time is over, whether it is in the log or not.
    Fail {
        node: usize,
    },
    /// A node's tail reads on.
    Read {
        node: usize,
        partition: usize,
        count: usize,
    },
    /// The consumer stores; between two of these it pauses.
    Consume {
        partition: usize,
        count: usize,
    },
    /// A node asks how far the consumer is, and may forget that much.
    Learn {
        node: usize,
    },
    /// Somebody on a third node writes much.
    Burst {
        from: u128,
        to: u128,
    },
    Disconnect {
        node: usize,
    },
    Reconnect {
        node: usize,
    },
    /// A node is killed and started again, with nothing in memory.
    Restart {
        node: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (client, node, partition) = (0..USERS.len(), 0_usize..2, 0..PARTITIONS);
    let who = || 0_u128..4;
    let step = prop_oneof![
        12 => (client.clone(), who()).prop_map(|(client, to)| Step::Write { client, to }),
        3 => client.clone().prop_map(|client| Step::Again { client }),
        4 => client.clone().prop_map(|client| Step::Drop { client }),
        8 => (client.clone(), node.clone()).prop_map(|(client, node)| Step::Connect { client, node }),
        16 => (client, 0_usize..9).prop_map(|(client, most)| Step::Turn { client, most }),
        14 => node.clone().prop_map(|node| Step::Append { node }),
        8 => node.clone().prop_map(|node| Step::Confirm { node }),
        2 => node.clone().prop_map(|node| Step::Fail { node }),
        20 => (node.clone(), partition.clone(), 1_usize..9)
            .prop_map(|(node, partition, count)| Step::Read { node, partition, count }),
        8 => (partition, 1_usize..20).prop_map(|(partition, count)| Step::Consume { partition, count }),
        6 => node.clone().prop_map(|node| Step::Learn { node }),
        1 => (who(), who()).prop_map(|(from, to)| Step::Burst { from, to }),
        1 => node.clone().prop_map(|node| Step::Disconnect { node }),
        2 => node.clone().prop_map(|node| Step::Reconnect { node }),
        1 => node.prop_map(|node| Step::Restart { node }),
    ];
    prop::collection::vec(step, 1..120)
}

/// Two nodes, one log, one store, some clients.
struct Play {
    log: Log,
    store: MemoryStore,
    nodes: [Node; 2],
    clients: Vec<(Client, usize)>,
    recent_bytes: usize,
    outbox_messages: usize,
    bursts: usize,
}

impl Play {
    async fn new(memory: usize, outbox_messages: usize) -> Self {
        let (log, store) = (Log::default(), MemoryStore::default());
        let recent_bytes = memory * MESSAGE_BYTES;
        let nodes = [
            Node::start(&log, store.clone(), recent_bytes).await,
            Node::start(&log, store.clone(), recent_bytes).await,
        ];
        let clients = (0..).zip(USERS).map(|(name, number)| (Client::new(user(number), name), 0)).collect();
        Self { log, store, nodes, clients, recent_bytes, outbox_messages, bursts: 0 }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Write { client, to } => {
                let (client, node) = &mut self.clients[client];
                client.write(&self.nodes[*node], user(to)).await;
            }
            Step::Again { client } => {
                let (client, node) = &mut self.clients[client];
                client.send_pending(&self.nodes[*node]).await;
            }
            Step::Drop { client } => self.clients[client].0.hang_up(),
            Step::Connect { client, node } => self.connect(client, node).await,
            Step::Turn { client, most } => {
                let (client, node) = &mut self.clients[client];
                client.turn(&self.nodes[*node], most).await;
                client.cursor_must_be_true(&self.log);
            }
            Step::Append { node } => self.nodes[node].append(&mut self.log),
            Step::Confirm { node } => self.nodes[node].confirm().await,
            Step::Fail { node } => self.nodes[node].fail().await,
            Step::Read { node, partition, count } => self.nodes[node].read(&self.log, partition, count).await,
            Step::Consume { partition, count } => self.store.consume(&self.log, partition, count),
            Step::Learn { node } => self.nodes[node].learn_stored(&self.store),
            Step::Burst { from, to } => {
                for number in 0..BURST {
                    let client_id = format!("burst-{}-{number}", self.bursts);
                    self.log.append(event(user(from), user(to), &client_id));
                }
                self.bursts += 1;
            }
            Step::Disconnect { node } => self.nodes[node].disconnect(),
            Step::Reconnect { node } => self.nodes[node].connect(&self.log).await,
            Step::Restart { node } => {
                for (client, _) in self.clients.iter_mut().filter(|(_, on)| *on == node) {
                    client.hang_up();
                }
                self.nodes[node] = Node::start(&self.log, self.store.clone(), self.recent_bytes).await;
            }
        }
    }

    async fn connect(&mut self, client: usize, node: usize) {
        let everybody = [0, 1, 2, 3].map(user);
        let (client, on) = &mut self.clients[client];
        client.hang_up();
        *on = node;
        let outbox = Outbox::new(self.outbox_messages, 1 << 20);
        client.connect(&self.nodes[node], outbox, &everybody).await;
    }

    /// Everything works again, for as long as it takes; then each client shows the log.
    async fn end(&mut self) {
        for _ in 0..200 {
            for partition in 0..PARTITIONS {
                self.store.consume(&self.log, partition, usize::MAX);
            }
            for node in &mut self.nodes {
                node.connect(&self.log).await;
                for _ in 0..50 {
                    node.append(&mut self.log);
                    node.confirm().await;
                }
                for partition in 0..PARTITIONS {
                    node.read(&self.log, partition, 8).await;
                }
                node.learn_stored(&self.store);
            }
            for number in 0..self.clients.len() {
                if !self.clients[number].0.is_connected() {
                    self.connect(number, number % 2).await;
                }
                let (client, node) = &mut self.clients[number];
                client.send_pending(&self.nodes[*node]).await;
                while client.turn(&self.nodes[*node], usize::MAX).await {}
            }
            if self.is_at_rest() {
                break;
            }
        }
        for (client, _) in &self.clients {
            assert!(!client.has_pending(), "everything is answered in the end");
            client.cursor_must_be_true(&self.log);
            client.must_show(&self.log);
        }
    }

    fn is_at_rest(&self) -> bool {
        let at_end = |node: &Node| node.chat.delivered().next_offsets == self.log.ends();
        let idle = |client: &Client| client.is_connected() && !client.has_pending();
        self.nodes.iter().all(at_end) && self.clients.iter().all(|(client, _)| idle(client))
    }
}

fn schedules() -> u32 {
    std::env::var("MILENA_TEST_SCHEDULES").map_or(SCHEDULES, |text| text.parse().expect("a whole number"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(schedules()))]

    #[test]
    fn whatever_happens_each_client_shows_the_log(
        steps in steps(), memory in 1_usize..60, outbox_messages in 8_usize..60
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut play = Play::new(memory, outbox_messages).await;
            // The store that nobody asks was opened in real time; from now on nothing waits in it.
            tokio::time::pause();
            for step in steps {
                play.take(step).await;
            }
            play.end().await;
        });
    }
}
