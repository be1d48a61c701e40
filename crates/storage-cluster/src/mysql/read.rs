//! What is asked of a shard.

use std::collections::BTreeSet;

use bytes::Bytes;
use frontdesk_core::id::ConversationId;
use frontdesk_storage::{MessageKey, Offset, Sent};
use hashbrown::HashMap;
use sqlx::AssertSqlSafe;
use sqlx::mysql::MySqlConnection;

use super::error::Fault;
use super::rows::rows_of_power;

/// A query whose rows are there only while the partition lies here: nothing that was left behind by a move is an
/// answer. Its first value is the partition.
macro_rules! here {
    ($select:literal, $which:literal) => {
        concat!(
            $select,
            // Not closed: the highest bit of the epoch is not set.
            " JOIN progress p ON p.log = ? AND p.epoch < 9223372036854775808 WHERE ",
            $which
        )
    };
}

/// Whether a partition lies here.
pub(super) async fn is_here(connection: &mut MySqlConnection, log: u16) -> Result<bool, Fault> {
    Ok(super::apply::progress(connection, log).await?.is_some())
}

/// Which of some partitions do not lie here.
pub(super) async fn not_here(
    connection: &mut MySqlConnection,
    logs: &[u16],
) -> Result<BTreeSet<u16>, Fault> {
    let mut away: BTreeSet<u16> = logs.iter().copied().collect();
    let here: Vec<u16> =
        sqlx::query_scalar("SELECT log FROM progress WHERE epoch < 9223372036854775808")
            .fetch_all(connection)
            .await?;
    away.retain(|log| !here.contains(log));
    Ok(away)
}

/// Numbered values.
type Numbered = Vec<(u64, Bytes)>;

pub(super) async fn state(
    connection: &mut MySqlConnection,
    log: u16,
    conversation: &ConversationId,
) -> Result<Option<Bytes>, Fault> {
    let state: Option<Vec<u8>> =
        sqlx::query_scalar(here!("SELECT c.state FROM conversations c", "c.id = ?"))
            .bind(log)
            .bind(&conversation.as_bytes()[..])
            .fetch_optional(connection)
            .await?;
    Ok(state.map(Bytes::from))
}

/// The newest up to `newest`, ascending.
pub(super) async fn page(
    connection: &mut MySqlConnection,
    log: u16,
    conversation: &ConversationId,
    newest: u64,
    limit: usize,
) -> Result<Numbered, Fault> {
    let page = here!(
        "SELECT e.seq, e.entry FROM entries e",
        "e.conversation = ? AND e.seq <= ? ORDER BY e.seq DESC LIMIT ?"
    );
    let mut entries = numbered(connection, page, log, conversation, newest, limit).await?;
    entries.reverse();
    Ok(entries)
}

/// The oldest behind `after`.
pub(super) async fn since(
    connection: &mut MySqlConnection,
    log: u16,
    conversation: &ConversationId,
    after: u64,
    limit: usize,
) -> Result<Numbered, Fault> {
    let since = here!(
        "SELECT e.seq, e.entry FROM entries e",
        "e.conversation = ? AND e.seq > ? ORDER BY e.seq LIMIT ?"
    );
    numbered(connection, since, log, conversation, after, limit).await
}

/// The oldest events behind `after`.
pub(super) async fn events(
    connection: &mut MySqlConnection,
    log: u16,
    conversation: &ConversationId,
    after: u64,
    limit: usize,
) -> Result<Numbered, Fault> {
    let events = here!(
        "SELECT e.number, e.event FROM events e",
        "e.conversation = ? AND e.number > ? ORDER BY e.number LIMIT ?"
    );
    numbered(connection, events, log, conversation, after, limit).await
}

async fn numbered(
    connection: &mut MySqlConnection,
    query: &'static str,
    log: u16,
    conversation: &ConversationId,
    bound: u64,
    limit: usize,
) -> Result<Numbered, Fault> {
    let rows: Vec<(u64, Vec<u8>)> = sqlx::query_as(query)
        .bind(log)
        .bind(&conversation.as_bytes()[..])
        .bind(bound)
        .bind(limit as u64)
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().map(|(number, value)| (number, value.into())).collect())
}

pub(super) async fn find(
    connection: &mut MySqlConnection,
    conversation: &ConversationId,
    sender: &str,
    client_msg_id: &[u8],
) -> Result<Option<Sent>, Fault> {
    let found: Option<(u64, u64)> = sqlx::query_as(
        "SELECT seq, content_hash FROM entries \
         WHERE conversation = ? AND sender = ? AND client_msg_id = ?",
    )
    .bind(&conversation.as_bytes()[..])
    .bind(sender.as_bytes())
    .bind(client_msg_id)
    .fetch_optional(connection)
    .await?;
    Ok(found.map(|(seq, content_hash)| Sent { seq, content_hash }))
}

/// Where each of some messages was stored; all are of this shard.
pub(super) async fn find_many(
    connection: &mut MySqlConnection,
    messages: &[MessageKey<'_>],
) -> Result<Vec<Option<Sent>>, Fault> {
    type Row = (Vec<u8>, Vec<u8>, Vec<u8>, u64, u64);
    let mut found = HashMap::with_capacity(messages.len());
    let mut rest = messages;
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at(rows_of_power(rest.len()));
        rest = behind;
        // One range of the key for each; a list of tuples is not searched by the key everywhere.
        let one = "(conversation = ? AND sender = ? AND client_msg_id = ?)";
        let text = format!(
            "SELECT conversation, sender, client_msg_id, seq, content_hash FROM entries WHERE {}",
            vec![one; chunk.len()].join(" OR ")
        );
        let mut query = sqlx::query_as::<_, Row>(AssertSqlSafe(text));
        for message in chunk {
            query = query
                .bind(&message.conversation.as_bytes()[..])
                .bind(message.sender.as_bytes())
                .bind(message.client_msg_id);
        }
        for (conversation, sender, id, seq, content_hash) in
            query.fetch_all(&mut *connection).await?
        {
            found.insert((conversation, sender, id), Sent { seq, content_hash });
        }
    }
    let sent = |message: &MessageKey<'_>| {
        let conversation = message.conversation.as_bytes().to_vec();
        let sender = message.sender.as_bytes().to_vec();
        found.get(&(conversation, sender, message.client_msg_id.to_vec())).copied()
    };
    Ok(messages.iter().map(sent).collect())
}

/// Conversations of a partition that changed behind an offset, with the offset of the last change, in its order: all
/// of an offset or none, and so perhaps some more than `limit`.
pub(super) async fn changed_since(
    connection: &mut MySqlConnection,
    log: u16,
    after: Offset,
    limit: usize,
) -> Result<Vec<(Vec<u8>, Vec<u8>, Offset)>, Fault> {
    let mut page: Vec<(Vec<u8>, Vec<u8>, Offset)> = sqlx::query_as(here!(
        "SELECT c.id, c.state, c.changed FROM conversations c",
        "c.log = ? AND c.changed > ? ORDER BY c.changed, c.id LIMIT ?"
    ))
    .bind(log)
    .bind(log)
    .bind(after)
    .bind(limit as u64)
    .fetch_all(&mut *connection)
    .await?;
    if page.len() == limit
        && let Some((last, _, offset)) = page.last()
    {
        let rest: Vec<(Vec<u8>, Vec<u8>, Offset)> = sqlx::query_as(
            "SELECT id, state, changed FROM conversations \
             WHERE log = ? AND changed = ? AND id > ? ORDER BY id",
        )
        .bind(log)
        .bind(*offset)
        .bind(last)
        .fetch_all(connection)
        .await?;
        page.extend(rest);
    }
    Ok(page)
}

/// Conversations behind an id, ascending; from the first one, if it is empty.
pub(super) async fn conversations(
    connection: &mut MySqlConnection,
    after: &[u8],
    limit: usize,
) -> Result<Vec<(Vec<u8>, Vec<u8>)>, Fault> {
    let page = "SELECT c.id, c.state FROM conversations c STRAIGHT_JOIN progress p \
                ON p.log = c.log AND p.epoch < 9223372036854775808 \
                WHERE c.id > ? ORDER BY c.id LIMIT ?";
    Ok(sqlx::query_as(page).bind(after).bind(limit as u64).fetch_all(connection).await?)
}
