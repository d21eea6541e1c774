//! Steps of several steps: somebody is away while something happens that single steps seldom come to.

use milena_domain::record::{Action, Place};

use super::super::super::node::Node;
use super::super::super::reader::Reader;
use super::super::super::shared::{PARTITIONS, user};
use super::super::steps::{Meanwhile, Spot, Touch, message_from_end, room_of, said};
use super::{BURST, OPEN, Play};

impl Play {
    pub(super) async fn restart(&mut self, node: usize) {
        self.devices.iter_mut().for_each(|device| device.node_ends(node));
        let store = self.store.all_behind(&self.gates[node]);
        // As every program it reads a window before what it judges, and no log here is longer.
        let warm = [0; PARTITIONS];
        self.nodes[node] = Node::start_warming(&self.log, store, self.recent_bytes, warm).await;
        self.followers[node] = Reader::default();
    }

    pub(super) async fn miss_changes(
        &mut self,
        device: usize,
        room: u128,
        node: usize,
        meanwhile: Meanwhile,
    ) {
        let (owner, at) = (user(room), Spot::Room(room));
        let users = vec![self.devices[device].user];
        for action in [Action::MembersAdded { users }, said("held"), said("held, too")] {
            self.elsewhere(owner, at.place(), action);
        }
        self.read_all(node).await;
        if matches!(meanwhile, Meanwhile::Unknown) {
            (0..PARTITIONS).for_each(|partition| self.store.consume(&self.log, partition, usize::MAX));
            self.restart(node).await;
            self.read_all(node).await;
        }
        self.connect(device, node);
        for _ in 0..6 {
            self.settle().await;
            self.devices[device].turn(&self.nodes, usize::MAX);
        }
        self.settle().await;
        if matches!(meanwhile, Meanwhile::Unknown) {
            self.gates[node].forget_permits(OPEN * 64);
        } else {
            self.devices[device].hang_up();
        }
        for (back, touch) in [(1, Touch::Edit), (0, Touch::React(1, true)), (1, Touch::React(0, true))] {
            if let Some(target) = message_from_end(&self.model, room_of(room), back) {
                self.elsewhere(owner, at.place(), touch.action(target, "changed meanwhile"));
            }
        }
        match meanwhile {
            Meanwhile::Nothing | Meanwhile::Unknown => {}
            Meanwhile::Restart => {
                (0..PARTITIONS).for_each(|partition| self.store.consume(&self.log, partition, usize::MAX));
                self.restart(node).await;
            }
            Meanwhile::Burst => {
                (0..BURST).for_each(|_| self.elsewhere(owner, at.place(), said("much")));
            }
        }
        self.read_all(node).await;
        if matches!(meanwhile, Meanwhile::Unknown) {
            self.settle().await;
            self.devices[device].turn(&self.nodes, usize::MAX);
            self.settle().await;
            self.gates[node].add_permits(OPEN);
        } else {
            self.connect(device, node);
        }
    }

    pub(super) async fn come_late(&mut self, device: usize, room: u128, node: usize) {
        self.devices[device].hang_up();
        let (owner, place) = (user(room), Place::Room(room_of(room)));
        let users = vec![self.devices[device].user];
        for action in [said("before"), Action::MembersAdded { users }, said("after")] {
            self.elsewhere(owner, place, action);
        }
        self.judge();
        // What was before them is changed, too.
        if let Some(before) = message_from_end(&self.model, room_of(room), 1) {
            self.elsewhere(owner, place, Touch::Edit.action(before, "changed for others"));
        }
        self.read_all(node).await;
        self.connect(device, node);
    }
}
