//! Compares what was sent, answered, shown and stored.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use super::Figures;
use super::crowd::{Crowd, Sent};
use crate::client::Heard;
use crate::world::Row;

/// The judgement.
pub(crate) fn audit(crowd: &Crowd, rows: &[Row]) -> Figures {
    let mut figures = Figures {
        people: crowd.members.len(),
        devices: crowd.devices().count(),
        seconds: crowd.began.elapsed().as_secs_f64(),
        stored: rows.len(),
        ..Figures::default()
    };
    let sent = crowd.sent();
    let bodies = against_store(crowd, &sent, rows, &mut figures);
    figures.reordered += out_of_turn(crowd, &sent, rows);
    for member in &crowd.members {
        let name = &member.account.person.username;
        let expected = conversations(rows.iter().filter(|row| row.sender == *name || row.recipient == *name));
        for device in &member.devices {
            let heard = device.heard();
            against_device(&heard, &expected, &bodies, &mut figures);
            tell(&heard, &mut figures);
        }
    }
    figures
}

type Key<'a> = (&'a str, &'a str);

/// Each message that was sent is one row, and every answer named it.
fn against_store<'a>(
    crowd: &'a Crowd,
    sent: &'a [Sent],
    rows: &'a [Row],
    figures: &mut Figures,
) -> HashMap<Uuid, &'a str> {
    let mut stored: HashMap<Key<'_>, &Row> = HashMap::with_capacity(rows.len());
    for row in rows {
        figures.duplicated += usize::from(stored.insert((&row.sender, &row.client_id), row).is_some());
    }
    let mut bodies = HashMap::with_capacity(rows.len());
    figures.sent = sent.len();
    for message in sent {
        let sender = &crowd.members[message.sender];
        let heard = sender.devices[message.device].heard();
        let answers = heard.accepted.get(&message.client_id).map_or(&[][..], Vec::as_slice);
        figures.accepted += usize::from(!answers.is_empty());
        let Some(row) = stored.remove(&(&*sender.account.person.username, &*message.client_id)) else {
            figures.lost += usize::from(!answers.is_empty());
            continue;
        };
        let recipient = &crowd.members[message.to].account.person.username;
        figures.lost += usize::from(row.body != message.body || row.recipient != *recipient);
        bodies.insert(row.id, &*message.body);
        let agrees = |answer: &&crate::client::Accepted| {
            let sent_at: jiff::Timestamp = answer.sent_at.parse().expect("RFC 3339");
            (answer.id, answer.conversation, answer.position) == (row.id, row.conversation, row.position)
                && sent_at.as_millisecond() == row.sent_at_ms
        };
        figures.contradictions += answers.iter().filter(|answer| !agrees(answer)).count();
    }
    // What is left was never sent.
    figures.foreign += stored.len();
    bodies
}

/// Messages that one device wrote to one person, each sent once, and stored in another order.
fn out_of_turn(crowd: &Crowd, sent: &[Sent], rows: &[Row]) -> usize {
    let positions: HashMap<Key<'_>, i64> =
        rows.iter().map(|row| ((&*row.sender, &*row.client_id), row.position)).collect();
    let mut last: HashMap<(usize, usize, usize), i64> = HashMap::new();
    let mut wrong = 0;
    for message in sent {
        let sender = &crowd.members[message.sender];
        if sender.devices[message.device].heard().sent_again.contains(&message.client_id) {
            continue;
        }
        let sender = &sender.account.person.username;
        let Some(position) = positions.get(&(&**sender, &*message.client_id)) else { continue };
        let before = last.insert((message.sender, message.device, message.to), *position);
        wrong += usize::from(before.is_some_and(|before| before >= *position));
    }
    wrong
}

type Conversations = BTreeMap<Uuid, Vec<(i64, Uuid)>>;

fn conversations<'a>(rows: impl Iterator<Item = &'a Row>) -> Conversations {
    let mut conversations = Conversations::new();
    for row in rows {
        conversations.entry(row.conversation).or_default().push((row.position, row.id));
    }
    conversations
}

/// The device has exactly the owner's messages, with their texts, in the stored order.
fn against_device(
    heard: &Heard,
    expected: &Conversations,
    bodies: &HashMap<Uuid, &str>,
    figures: &mut Figures,
) {
    let ids: HashSet<Uuid> = expected.values().flatten().map(|(_, id)| *id).collect();
    let had = heard.ids().intersection(&ids).count();
    figures.deliveries += ids.len();
    figures.delivered += had;
    figures.lost += ids.len() - had;
    figures.foreign += heard.ids().len() - had + heard.foreign;
    let garbled = |body: &String, id: &Uuid| bodies.get(id).is_some_and(|sent| *sent != body.as_str());
    figures.foreign += heard
        .arrivals
        .iter()
        .filter(|arrival| arrival.body.as_ref().is_some_and(|body| garbled(body, &arrival.id)))
        .count();
    let shown = heard.shown();
    for (conversation, stored) in expected {
        let stored: Vec<_> = stored.iter().filter(|(_, id)| heard.ids().contains(id)).copied().collect();
        figures.reordered += usize::from(shown.get(conversation).map_or(&[][..], Vec::as_slice) != stored);
    }
}

fn tell(heard: &Heard, figures: &mut Figures) {
    figures.duplicated += heard.duplicated;
    figures.reordered += heard.reordered;
    figures.refused.extend(heard.refused.iter().cloned());
    figures.reconnects += heard.connections.saturating_sub(1);
    figures.resumed += heard.resumed;
    figures.gaps += heard.gaps;
    figures.oddities.extend(heard.oddities.iter().cloned());
    figures.replayed_again += heard.replayed_again;
    for (code, count) in &heard.refused_for_now {
        *figures.refused_for_now.entry(code.clone()).or_default() += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{Message, Via};

    fn id(number: i64) -> Uuid {
        Uuid::from_u128(number as u128)
    }

    /// A device that heard these positions of one conversation, of which 1, 2 and 3 are stored.
    fn judged(positions: &[i64], body: &str) -> (usize, usize, usize, usize) {
        let mut heard = Heard::default();
        for position in positions {
            let (sender, to, sent_at) = (id(1), Some(id(2)), "2026-01-01T00:00:00Z".to_owned());
            let message = Message {
                id: id(*position),
                conversation: id(9),
                sender,
                to,
                position: *position,
                sent_at,
                body: body.to_owned(),
                client_id: None,
            };
            heard.message(message, id(2), Via::Live);
        }
        let expected = Conversations::from([(id(9), vec![(1, id(1)), (2, id(2)), (3, id(3))])]);
        let bodies = HashMap::from([(id(1), "x"), (id(2), "x"), (id(3), "x")]);
        let mut figures = Figures::default();
        against_device(&heard, &expected, &bodies, &mut figures);
        (figures.delivered, figures.lost, figures.reordered, figures.foreign)
    }

    /// The judge is judged, too.
    #[test]
    fn what_is_missing_foreign_or_garbled_is_seen() {
        assert_eq!(judged(&[1, 2, 3], "x"), (3, 0, 0, 0));
        assert_eq!(judged(&[1, 3], "x"), (2, 1, 0, 0));
        assert_eq!(judged(&[1, 2, 3, 4], "x"), (3, 0, 1, 1));
        assert_eq!(judged(&[1, 2, 3], "y"), (3, 0, 0, 3));
    }
}
