//! The log's host: partitions that anybody may append to, as a Kafka broker keeps them.
//!
//! It fences nobody. Pieces of one producer come in their order and once each, however often they are sent
//! (an idempotent producer); those of several lie as they came. What it has taken outlives it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use frontdesk_core::store::{self, proposal::Body};
use frontdesk_storage::Offset;
use parking_lot::Mutex;
use prost::Message as _;
use turmoil::net::UdpSocket;

use crate::wire::{BYTES, ClientMsgId, Message, PORT, Stored, open, post};

#[derive(Debug, Default)]
pub(crate) struct Broker {
    partitions: BTreeMap<u16, Partition>,
}

#[derive(Debug, Default)]
struct Partition {
    records: Vec<Stored>,
    /// Where the pieces of each producer lie.
    pieces: BTreeMap<u64, Vec<Offset>>,
    /// The ids of all messages, for the checker.
    sent: BTreeSet<ClientMsgId>,
}

impl Broker {
    /// Takes a piece of an append and says where it lies; `None` if one before it is missing.
    fn append(
        &mut self,
        partition: u16,
        producer: u64,
        piece: usize,
        records: &[Stored],
    ) -> Option<Offset> {
        let Partition { records: kept, pieces, sent } =
            self.partitions.entry(partition).or_default();
        let pieces = pieces.entry(producer).or_default();
        if piece == pieces.len() {
            pieces.push(kept.len() as Offset + 1);
            kept.extend_from_slice(records);
            sent.extend(records.iter().filter_map(|(_, payload)| sent_id(payload)));
        }
        pieces.get(piece).copied()
    }

    /// All records at and behind an offset.
    pub(crate) fn read(&self, partition: u16, from: Offset) -> &[Stored] {
        let records = self.partitions.get(&partition).map_or(&[][..], |of| &of.records);
        records.get(from as usize - 1..).unwrap_or_default()
    }

    /// Whether a message with this id is there.
    pub(crate) fn holds(&self, partition: u16, id: &ClientMsgId) -> bool {
        self.partitions.get(&partition).is_some_and(|of| of.sent.contains(id))
    }
}

fn sent_id(payload: &[u8]) -> Option<ClientMsgId> {
    match store::Proposal::decode(payload).unwrap().body {
        Some(Body::Send(send)) => Some(send.client_msg_id),
        _ => None,
    }
}

pub(crate) async fn serve(broker: Arc<Mutex<Broker>>) -> turmoil::Result {
    let socket = UdpSocket::bind(("0.0.0.0", PORT)).await?;
    let mut bytes = [0; BYTES];
    loop {
        let (_, from) = socket.recv_from(&mut bytes).await?;
        let answer = match open(bytes) {
            Message::Append { partition, producer, piece, records } => {
                let first = broker.lock().append(partition, producer, piece, &records);
                first.map(|first| Message::Appended { producer, piece, first })
            }
            Message::Fetch { call, partition, from } => {
                let records = broker.lock().read(partition, from).to_vec();
                Some(Message::Fetched { call, records })
            }
            other => panic!("the log was told {other:?}"),
        };
        if let Some(answer) = answer {
            socket.send_to(&post(answer), from).await?;
        }
    }
}
