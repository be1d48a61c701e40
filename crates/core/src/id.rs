//! Public, sortable ids: xids of 12 bytes, 20 characters `[0-9a-v]` as text.
//!
//! Layout: 4 bytes of UTC seconds, 3 bytes of machine, 2 bytes of process, 3 bytes of counter, all big
//! endian; text is base32hex of it. An xid can be guessed: it never grants access
//! ([`crate::secret::Secret128`] does), and order of messages is by seq, never by id.

use std::fmt;

/// Bytes of an id.
pub const XID_BYTES: usize = 12;
/// Characters of an id as text.
pub const XID_CHARS: usize = 20;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

/// The text or the bytes are no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id: 20 characters of 0-9 and a-v, or 12 bytes, are expected")]
pub struct ParseIdError;

/// One of the id types of this module.
pub trait Xid: Copy {
    /// Takes the bytes as they are.
    fn from_bytes(bytes: [u8; XID_BYTES]) -> Self;

    /// The bytes, for records.
    fn to_bytes(self) -> [u8; XID_BYTES];
}

/// What stands in [`VALUES`] for a byte that is none of [`ALPHABET`].
const NO_CHARACTER: u8 = 1 << 7;

/// The value of each character of [`ALPHABET`].
const VALUES: [u8; 256] = {
    let mut values = [NO_CHARACTER; 256];
    let mut value = 0;
    while value < ALPHABET.len() {
        values[ALPHABET[value] as usize] = value as u8;
        value += 1;
    }
    values
};

/// Bits of a half of the text: ten characters.
const HALF_BITS: u32 = 50;

/// Encodes 12 bytes as 20 characters: five bits each, the last one with four that are zero.
fn encode(bytes: [u8; XID_BYTES]) -> [u8; XID_CHARS] {
    let mut wide = [0; 16];
    wide[16 - XID_BYTES..].copy_from_slice(&bytes);
    let wide = u128::from_be_bytes(wide) << 4;
    let halves = [(wide >> HALF_BITS) as u64, wide as u64 & ((1 << HALF_BITS) - 1)];
    let mut text = [0; XID_CHARS];
    for (half, text) in halves.iter().zip(text.chunks_exact_mut(XID_CHARS / 2)) {
        for (at, character) in text.iter_mut().enumerate() {
            *character = ALPHABET[(half >> (HALF_BITS - 5 - 5 * at as u32) & 31) as usize];
        }
    }
    text
}

/// Decodes 20 characters strictly: the last one may only carry its one bit.
fn decode(text: &[u8]) -> Result<[u8; XID_BYTES], ParseIdError> {
    let text: &[u8; XID_CHARS] = text.try_into().map_err(|_| ParseIdError)?;
    let mut halves = [0_u64; 2];
    let mut seen = 0;
    for (half, text) in halves.iter_mut().zip(text.chunks_exact(XID_CHARS / 2)) {
        for character in text {
            let value = VALUES[usize::from(*character)];
            seen |= value;
            *half = *half << 5 | u64::from(value & 31);
        }
    }
    let wide = u128::from(halves[0]) << HALF_BITS | u128::from(halves[1]);
    if seen & NO_CHARACTER != 0 || wide & 0b1111 != 0 {
        return Err(ParseIdError);
    }
    let mut bytes = [0; XID_BYTES];
    bytes.copy_from_slice(&(wide >> 4).to_be_bytes()[16 - XID_BYTES..]);
    Ok(bytes)
}

macro_rules! xids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; XID_BYTES]);

        impl $name {
            /// Bytes of an id.
            pub const LEN: usize = XID_BYTES;

            /// Takes the bytes as they are.
            pub const fn from_bytes(bytes: [u8; XID_BYTES]) -> Self {
                Self(bytes)
            }

            /// Takes exactly 12 bytes.
            ///
            /// # Errors
            /// For any other length.
            pub fn from_slice(bytes: &[u8]) -> Result<Self, ParseIdError> {
                bytes.try_into().map(Self).map_err(|_| ParseIdError)
            }

            /// The text of the id: what `to_string` gives, in a third of its time, since no formatter
            /// is asked. For what happens with every message.
            pub fn to_text(self) -> String {
                String::from_utf8(encode(self.0).to_vec()).expect("the alphabet is ASCII")
            }

            /// The bytes, for keys.
            pub const fn as_bytes(&self) -> &[u8; XID_BYTES] {
                &self.0
            }
        }

        impl Xid for $name {
            fn from_bytes(bytes: [u8; XID_BYTES]) -> Self {
                Self(bytes)
            }

            fn to_bytes(self) -> [u8; XID_BYTES] {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let text = encode(self.0);
                f.pad(str::from_utf8(&text).expect("the alphabet is ASCII"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                decode(text.as_bytes()).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

xids! {
    /// A tenant.
    AccountId;
    /// Somebody who signs in.
    UserId;
    /// A set of rights of an account.
    RoleId;
    /// A group of agents with a queue.
    TeamId;
    /// One website or channel.
    InboxId;
    /// A person, over all devices.
    ContactId;
    /// A person in one inbox.
    VisitorId;
    /// A visitor's durable stream.
    ConversationId;
    /// One service episode of a conversation.
    SessionId;
    /// One entry of a timeline.
    MessageId;
    /// A key of the HTTP API.
    ApiKeyId;
    /// A link by which somebody becomes a member.
    InvitationId;
    /// A canned reply.
    ReplyId;
    /// A secret a site signs the identities of its visitors with.
    IdentitySecretId;
    /// A bot.
    BotId;
    /// An article of a knowledge base.
    ArticleId;
    /// One time a rule of words had something to say.
    ScreenHitId;
}

/// Makes ids without reading a clock and without a lock: one per thread that makes any.
///
/// Two sources of one machine must differ in `machine` or `process`; a restart within the same second
/// is told apart by the random `seed` the counter starts from.
#[derive(Debug)]
pub struct IdSource {
    machine: [u8; 3],
    process: u16,
    counter: u32,
}

impl IdSource {
    /// A source; `seed` is random.
    pub fn new(machine: [u8; 3], process: u16, seed: u32) -> Self {
        Self { machine, process, counter: seed }
    }

    /// The next id, for the clock the caller has read.
    pub fn next<T: Xid>(&mut self, now_ms: i64) -> T {
        let seconds = u32::try_from(now_ms.div_euclid(1_000)).unwrap_or(0);
        self.counter = self.counter.wrapping_add(1);
        let mut bytes = [0; XID_BYTES];
        bytes[..4].copy_from_slice(&seconds.to_be_bytes());
        bytes[4..7].copy_from_slice(&self.machine);
        bytes[7..9].copy_from_slice(&self.process.to_be_bytes());
        bytes[9..].copy_from_slice(&self.counter.to_be_bytes()[1..]);
        T::from_bytes(bytes)
    }
}

/// The bucket a conversation belongs to, of so many. Their number is fixed when an installation is created. Ids of
/// one second differ in few bits, by equal steps, and are spread all the same.
pub fn partition_of(conversation: &ConversationId, partitions: u16) -> u16 {
    let (first, last) = conversation.as_bytes().split_at(8);
    let first = u64::from_be_bytes(first.try_into().expect("8 of 12 bytes"));
    let last = u32::from_be_bytes(last.try_into().expect("4 of 12 bytes"));
    let hash = mixed(mixed(first) ^ u64::from(last));
    // The place of the hash among all, in so many parts (Lemire, "Fast random integer generation in an
    // interval", 2019): the high bits, which are mixed best.
    ((u128::from(hash) * u128::from(partitions.max(1))) >> 64) as u16
}

/// Every bit of the result depends on every bit of `bits` (the finalizer of MurmurHash3, Appleby).
fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    bits = (bits ^ (bits >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    bits ^ (bits >> 33)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_that_of_the_xid_reference_vector() {
        // rs/xid documents these bytes and this text as belonging together.
        let bytes = [0x4d, 0x88, 0xe1, 0x5b, 0x60, 0xf4, 0x86, 0xe4, 0x28, 0x41, 0x2d, 0xc9];
        let id = MessageId::from_bytes(bytes);
        assert_eq!(id.to_string(), "9m4e2mr0ui3e8a215n4g");
        assert_eq!("9m4e2mr0ui3e8a215n4g".parse(), Ok(id));
    }

    #[test]
    fn other_lengths_and_alphabets_are_refused() {
        for text in ["", "9m4e2mr0ui3e8a215n4", "9m4e2mr0ui3e8a215n4g0", "9M4E2MR0UI3E8A215N4G"] {
            assert_eq!(text.parse::<MessageId>(), Err(ParseIdError), "{text}");
        }
        // The last character carries one bit; any other is not canonical.
        assert_eq!("9m4e2mr0ui3e8a215n4h".parse::<MessageId>(), Err(ParseIdError));
    }

    #[test]
    fn a_source_never_repeats_itself_within_a_second() {
        let mut source = IdSource::new([1, 2, 3], 4, u32::MAX - 5);
        let ids: std::collections::BTreeSet<MessageId> =
            (0..10_000).map(|_| source.next(1_700_000_000_000)).collect();
        assert_eq!(ids.len(), 10_000);
    }

    #[test]
    fn partitions_are_fixed_by_value() {
        // Stored data depends on these: a change here moves conversations.
        let of = |bytes: &[u8; 12]| partition_of(&ConversationId::from_bytes(*bytes), 64);
        assert_eq!([of(&[0; 12]), of(&[1; 12]), of(b"frontdesk-id")], [0, 61, 63]);
    }

    #[test]
    fn ids_of_one_second_are_spread_over_the_partitions_whatever_is_between_them() {
        for step in 1..=16 {
            for partitions in [2, 3, 12, 64] {
                let mut source = IdSource::new([1, 2, 3], 4, 77);
                let mut counts = vec![0_u32; usize::from(partitions)];
                for _ in 0..64 * u32::from(partitions) {
                    let ids: Vec<ConversationId> =
                        (0..step).map(|_| source.next(1_700_000_000_000)).collect();
                    counts[usize::from(partition_of(&ids[0], partitions))] += 1;
                }
                // 64 each; four standard deviations of a fair draw are 32.
                let all = counts.iter().all(|count| (32..=96).contains(count));
                assert!(all, "{partitions} partitions, every id of {step}: {counts:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_id_survives_text(bytes in any::<[u8; 12]>()) {
            let id = ConversationId::from_bytes(bytes);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            prop_assert_eq!(id.to_string().len(), XID_CHARS);
            prop_assert_eq!(id.to_text(), id.to_string());
        }

        #[test]
        fn order_of_text_is_order_of_bytes(a in any::<[u8; 12]>(), b in any::<[u8; 12]>()) {
            let (a, b) = (UserId::from_bytes(a), UserId::from_bytes(b));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }
    }
}
