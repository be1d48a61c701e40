//! What is asked of a shard.

use bytes::Bytes;
use frontdesk_core::id::ConversationId;
use frontdesk_storage::{MessageKey, Offset, Sent};
use hashbrown::HashMap;
use sqlx::AssertSqlSafe;
use sqlx::mysql::MySqlConnection;

use super::error::Fault;
use super::rows::rows_of_power;

/// Numbered values.
type Numbered = Vec<(u64, Bytes)>;

pub(super) async fn state(
    connection: &mut MySqlConnection,
    conversation: &ConversationId,
) -> Result<Option<Bytes>, Fault> {
    let state: Option<Vec<u8>> = sqlx::query_scalar("SELECT state FROM conversations WHERE id = ?")
        .bind(&conversation.as_bytes()[..])
        .fetch_optional(connection)
        .await?;
    Ok(state.map(Bytes::from))
}

/// The newest up to `newest`, ascending.
pub(super) async fn page(
    connection: &mut MySqlConnection,
    conversation: &ConversationId,
    newest: u64,
    limit: usize,
) -> Result<Numbered, Fault> {
    let page = "SELECT seq, entry FROM entries WHERE conversation = ? AND seq <= ? \
                ORDER BY seq DESC LIMIT ?";
    let mut entries = numbered(connection, page, conversation, newest, limit).await?;
    entries.reverse();
    Ok(entries)
}

/// The oldest behind `after`.
pub(super) async fn since(
    connection: &mut MySqlConnection,
    conversation: &ConversationId,
    after: u64,
    limit: usize,
) -> Result<Numbered, Fault> {
    let since = "SELECT seq, entry FROM entries WHERE conversation = ? AND seq > ? \
                 ORDER BY seq LIMIT ?";
    numbered(connection, since, conversation, after, limit).await
}

/// The oldest events behind `after`.
pub(super) async fn events(
    connection: &mut MySqlConnection,
    conversation: &ConversationId,
    after: u64,
    limit: usize,
) -> Result<Numbered, Fault> {
    let events = "SELECT number, event FROM events WHERE conversation = ? AND number > ? \
                  ORDER BY number LIMIT ?";
    numbered(connection, events, conversation, after, limit).await
}

async fn numbered(
    connection: &mut MySqlConnection,
    query: &'static str,
    conversation: &ConversationId,
    bound: u64,
    limit: usize,
) -> Result<Numbered, Fault> {
    let rows: Vec<(u64, Vec<u8>)> = sqlx::query_as(query)
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
    let mut page: Vec<(Vec<u8>, Vec<u8>, Offset)> = sqlx::query_as(
        "SELECT id, state, changed FROM conversations \
         WHERE log = ? AND changed > ? ORDER BY changed, id LIMIT ?",
    )
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
    let page = "SELECT id, state FROM conversations WHERE id > ? ORDER BY id LIMIT ?";
    Ok(sqlx::query_as(page).bind(after).bind(limit as u64).fetch_all(connection).await?)
}
