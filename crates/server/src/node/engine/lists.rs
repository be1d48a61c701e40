//! Lists of conversations. Open ones come from the desk, which holds all of them in memory and knows the loops' newest
//! states within a second; closed ones from the file of lists.

use std::sync::Arc;

use frontdesk_api::{
    engine::{Counts, EngineError, List, ListQuery, View, Waiting},
    principal::Principal as Caller,
};
use frontdesk_dispatcher::projections::PageCursor;
use frontdesk_protocol::codes;

use super::{
    NodeEngine,
    errors::{broken, refused},
};
use crate::node::{
    desk::{DeskQuery, OpenRow, WaitingReport},
    now_ms, principals, rows,
};

impl NodeEngine {
    /// One page of a list, with the counts of all views.
    pub(super) async fn read_list(
        &self,
        by: &Caller,
        query: ListQuery,
    ) -> Result<List, EngineError> {
        let principal = Arc::new(principals::of(by));
        let me = by.id();
        let asked = Arc::clone(&principal);
        let open: Vec<OpenRow> =
            self.ask_desk(|reply| DeskQuery::Open { principal: asked, reply }).await?;
        let reader = principals::reader(by).ok_or(EngineError::UnknownConversation)?;
        let closed =
            self.projections.count_closed(&reader).await.map_err(|error| broken(&error))?;
        let is = |row: &OpenRow, view| rows::is_in(view, &principal, &row.summary);
        let count = |view| open.iter().filter(|row| is(row, view)).count() as u64;
        let counts = Counts {
            mine: count(View::Mine),
            queue: count(View::Queue),
            open: count(View::Open),
            mentioned: count(View::Mentioned),
            closed,
        };
        if query.view == View::Closed {
            return Ok(List { counts, ..self.closed(by, &query).await? });
        }
        let mut found: Vec<&OpenRow> = open.iter().filter(|row| is(row, query.view)).collect();
        let key = |row: &OpenRow| (row.summary.last_at_ms, row.summary.conversation);
        found.sort_by_key(|row| std::cmp::Reverse(key(row)));
        if let Some(cursor) = &query.cursor {
            let after: PageCursor = cursor.parse().map_err(|_| refused(&codes::CURSOR_INVALID))?;
            found.retain(|row| key(row) < (after.last_at_ms, after.conversation));
        }
        let next = found.get(query.limit.saturating_sub(1)).filter(|_| found.len() > query.limit);
        let next = next.map(|last| {
            PageCursor {
                last_at_ms: last.summary.last_at_ms,
                conversation: last.summary.conversation,
            }
            .to_string()
        });
        let rows = found
            .into_iter()
            .take(query.limit)
            .map(|row| rows::row(&row.summary, &me, row.beside.clone(), self.epoch))
            .collect();
        Ok(List { rows, next, counts })
    }

    /// Closed rows come from the file.
    async fn closed(&self, by: &Caller, query: &ListQuery) -> Result<List, EngineError> {
        let reader = principals::reader(by).ok_or(EngineError::UnknownConversation)?;
        let after = query
            .cursor
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(|_| refused(&codes::CURSOR_INVALID))?;
        let limit = u16::try_from(query.limit).unwrap_or(u16::MAX).clamp(1, 100);
        let page =
            self.projections.closed(&reader, after, limit).await.map_err(|error| broken(&error))?;
        let me = by.id();
        let rows = page.rows.iter().map(|row| rows::stored_row(row, &me, self.epoch)).collect();
        Ok(List { rows, next: page.next.map(|next| next.to_string()), counts: Counts::default() })
    }

    /// Every open session with what it waits for.
    pub(super) async fn read_waiting(&self, by: &Caller) -> Result<Waiting, EngineError> {
        let principal = Arc::new(principals::of(by));
        let report: WaitingReport =
            self.ask_desk(|reply| DeskQuery::Waiting { principal, reply }).await?;
        Ok(Waiting {
            sessions: report.sessions.iter().map(principals::waiting).collect(),
            violations: report.violations.iter().map(principals::violation).collect(),
            at_ms: now_ms(),
        })
    }
}
