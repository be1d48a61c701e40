//! What is asked of a shard.

use bytes::Bytes;
use frontdesk_core::id::ConversationId;
use frontdesk_storage::Sent;
use sqlx::mysql::MySqlConnection;

use super::error::Fault;

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

/// Conversations behind an id, ascending; from the first one, if it is empty.
pub(super) async fn conversations(
    connection: &mut MySqlConnection,
    after: &[u8],
    limit: usize,
) -> Result<Vec<(Vec<u8>, Vec<u8>)>, Fault> {
    let page = "SELECT id, state FROM conversations WHERE id > ? ORDER BY id LIMIT ?";
    Ok(sqlx::query_as(page).bind(after).bind(limit as u64).fetch_all(connection).await?)
}
