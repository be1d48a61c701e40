//! Who serves an inbox and how fast, as its visitors see it with each ticket: asked of catalog and
//! projections now and then, answered from memory in between.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use frontdesk_api::engine::{Face, InboxStaff};
use frontdesk_catalog::{Catalog, Error as CatalogError, Fresh};
use frontdesk_core::{
    id::{AccountId, InboxId, RoleId},
    rights::Right,
};
use frontdesk_dispatcher::projections::{ProjectionError, Projections};
use tokio::sync::Mutex;

use super::{desk::DeskView, gate::INBOXES_MAX, now_ms};

/// Faces a widget shows.
const FACES_MAX: usize = 3;
/// How old the faces may be where nothing says that they changed.
const FACES_FRESH: Duration = Duration::from_mins(1);
/// How old the measured time may be, and how old it may be that too little was known.
const ANSWERS_FRESH: Duration = Duration::from_mins(1);
const UNKNOWN_FRESH: Duration = Duration::from_secs(5);
/// Sessions older than this say nothing about today's team, ms.
const RECENT_MS: i64 = 30 * 24 * 60 * 60 * 1_000;
/// With fewer answers than this the median is an accident.
const ANSWERS_MIN: usize = 5;

/// Why it is not known now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StaffError {
    /// The catalog did not answer.
    #[error("cannot read who serves an inbox")]
    Catalog(#[from] CatalogError),
    /// The projections did not answer.
    #[error("cannot read how fast an inbox answers")]
    Projections(#[from] ProjectionError),
}

/// People of an inbox, as of a state of the desk.
#[derive(Clone)]
struct Faces {
    seen: u64,
    faces: Arc<Vec<Face>>,
}

/// What was measured, and when.
#[derive(Clone, Copy)]
struct Answers {
    minutes: Option<u32>,
    at: Instant,
}

/// What is known of all inboxes.
pub(crate) struct Staff {
    catalog: Catalog,
    projections: Arc<Projections>,
    view: Arc<DeskView>,
    faces: Fresh<InboxId, Faces>,
    answers: Fresh<InboxId, Answers>,
    /// One reader at a time: a herd of page views asks once.
    reading: Mutex<()>,
}

impl Staff {
    pub(crate) fn new(
        catalog: Catalog,
        projections: Arc<Projections>,
        view: Arc<DeskView>,
    ) -> Self {
        Self {
            catalog,
            projections,
            view,
            faces: Fresh::new(INBOXES_MAX, FACES_FRESH),
            answers: Fresh::new(INBOXES_MAX, ANSWERS_FRESH),
            reading: Mutex::new(()),
        }
    }

    /// People, teams or inboxes are configured otherwise.
    pub(crate) fn changed(&self) {
        self.view.staff_changed();
    }

    /// Who serves an inbox and how fast.
    pub(crate) async fn of(
        &self,
        account: AccountId,
        inbox: InboxId,
    ) -> Result<InboxStaff, StaffError> {
        if let Some(known) = self.known(inbox) {
            return Ok(known);
        }
        let _one = self.reading.lock().await;
        if let Some(known) = self.known(inbox) {
            return Ok(known);
        }
        let faces = match self.known_faces(inbox) {
            Some(faces) => faces,
            None => {
                // Taken before reading: what changes meanwhile is read again.
                let seen = self.view.staff_changes();
                let faces = Arc::new(self.read_faces(account, inbox).await?);
                self.faces.insert(inbox, Faces { seen, faces: Arc::clone(&faces) });
                faces
            }
        };
        let answer_minutes = match self.known_answers(inbox) {
            Some(known) => known.minutes,
            None => {
                let since_ms = now_ms() - RECENT_MS;
                let waits = self.projections.first_answers(account, inbox, since_ms).await?;
                let minutes = answer_minutes(waits);
                self.answers.insert(inbox, Answers { minutes, at: Instant::now() });
                minutes
            }
        };
        Ok(InboxStaff { faces: faces.to_vec(), answer_minutes, ..InboxStaff::default() })
    }

    fn known(&self, inbox: InboxId) -> Option<InboxStaff> {
        let (faces, answers) = (self.known_faces(inbox)?, self.known_answers(inbox)?);
        Some(InboxStaff {
            faces: faces.to_vec(),
            answer_minutes: answers.minutes,
            ..InboxStaff::default()
        })
    }

    fn known_faces(&self, inbox: InboxId) -> Option<Arc<Vec<Face>>> {
        let known = self.faces.get(&inbox)?;
        (known.seen == self.view.staff_changes()).then_some(known.faces)
    }

    fn known_answers(&self, inbox: InboxId) -> Option<Answers> {
        let known = self.answers.get(&inbox)?;
        (known.minutes.is_some() || known.at.elapsed() < UNKNOWN_FRESH).then_some(known)
    }

    async fn read_faces(
        &self,
        account: AccountId,
        inbox: InboxId,
    ) -> Result<Vec<Face>, CatalogError> {
        let team = self.catalog.inbox(account, inbox).await?.default_team;
        let answering: Vec<RoleId> = self
            .catalog
            .roles(account)
            .await?
            .into_iter()
            .filter(|role| role.rights.contains(Right::ConversationWrite))
            .map(|role| role.id)
            .collect();
        let mut people: Vec<(bool, String)> = self
            .catalog
            .users(account)
            .await?
            .into_iter()
            .filter(|member| !member.disabled && !member.user.disabled)
            .filter(|member| answering.contains(&member.role))
            .filter(|member| team.is_none_or(|team| member.teams.contains(&team)))
            .map(|member| (self.view.is_online(account, member.user.id), member.user.display_name))
            .collect();
        // Those who are online first, otherwise in the order they joined.
        people.sort_by_key(|(online, _)| !online);
        Ok(people.into_iter().take(FACES_MAX).map(|(_, name)| Face { name }).collect())
    }
}

/// The median in whole minutes, rounded up: nobody is answered in no time.
fn answer_minutes(mut waits_ms: Vec<i64>) -> Option<u32> {
    if waits_ms.len() < ANSWERS_MIN {
        return None;
    }
    waits_ms.sort_unstable();
    let median_ms = waits_ms[waits_ms.len() / 2];
    let minutes = (median_ms.max(0) + 59_999) / 60_000;
    Some(u32::try_from(minutes).unwrap_or(u32::MAX).max(1))
}

#[cfg(test)]
mod tests {
    use super::answer_minutes;

    #[test]
    fn the_median_is_told_once_enough_answers_are_known() {
        const MINUTE: i64 = 60_000;
        assert_eq!(answer_minutes(vec![MINUTE; 4]), None);
        assert_eq!(answer_minutes(vec![0; 5]), Some(1));
        // One visitor of the night says nothing about the day.
        let waits = vec![9 * 60 * MINUTE, MINUTE, 2 * MINUTE, 3 * MINUTE, 90_000];
        assert_eq!(answer_minutes(waits), Some(2));
        assert_eq!(answer_minutes(vec![2 * MINUTE + 1; 6]), Some(3));
    }
}
