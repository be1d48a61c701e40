//! What a person or program may do. Roles are sets of rights stored as data; code checks rights and
//! never a role's name. Visitors have no rights, only their own conversation.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::chat;

macro_rules! rights {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)+) => {
        /// One thing somebody may do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Right { $($(#[$doc])* $name,)+ }

        impl Right {
            /// All of them, in the order of the documents. The order is no stored format.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The stable text, in roles, keys and documents.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }
        }
    };
}

rights! {
    /// Read conversations one owns or takes part in.
    ConversationReadOwn = "conversation.read.own";
    /// Read conversations of one's teams and of the common queue.
    ConversationReadTeam = "conversation.read.team";
    /// Read every conversation of the account.
    ConversationReadAll = "conversation.read.all";
    /// Answer visitors.
    ConversationWrite = "conversation.write";
    /// Leave notes for the team.
    ConversationNote = "conversation.note";
    /// Take from a queue or a bot, hand on, requeue, join.
    ConversationAssign = "conversation.assign";
    /// Take a conversation from a colleague.
    ConversationTakeOver = "conversation.take_over";
    /// Close and reopen.
    ConversationClose = "conversation.close";
    /// Remove content for good.
    ConversationErase = "conversation.erase";
    /// See visitors and their attributes.
    VisitorRead = "visitor.read";
    /// See how the team serves.
    ReportRead = "report.read";
    /// Change the account's settings.
    SettingsAccount = "settings.account";
    /// Change inboxes.
    SettingsInboxes = "settings.inboxes";
    /// Change teams.
    SettingsTeams = "settings.teams";
    /// Change canned replies.
    SettingsReplies = "settings.replies";
    /// Add, change and disable users.
    SettingsUsers = "settings.users";
    /// Change what roles may do.
    SettingsRoles = "settings.roles";
    /// Make and revoke API keys.
    SettingsKeys = "settings.keys";
    /// Write articles of the knowledge base.
    SettingsKnowledge = "settings.knowledge";
    /// Change what bots do and what a language model may.
    SettingsBots = "settings.bots";
}

impl Right {
    /// The right with this code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|right| right.code() == code)
    }
}

/// A set of rights. As JSON: a list of codes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rights(u64);

impl Rights {
    /// No right at all.
    pub const fn none() -> Self {
        Self(0)
    }

    /// Every right.
    pub fn all() -> Self {
        Right::ALL.iter().copied().collect()
    }

    /// Whether the right is in the set.
    pub const fn contains(self, right: Right) -> bool {
        self.0 & (1 << right as u8) != 0
    }

    /// Whether every right of the other set is in this one: nobody hands out more than they have.
    pub const fn includes(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// The set with one right more.
    #[must_use]
    pub const fn with(self, right: Right) -> Self {
        Self(self.0 | 1 << right as u8)
    }

    /// The rights in the set.
    pub fn iter(self) -> impl Iterator<Item = Right> {
        Right::ALL.iter().copied().filter(move |right| self.contains(*right))
    }

    /// Default role: own conversations and the queue of one's teams.
    pub fn agent() -> Self {
        use Right::{
            ConversationAssign, ConversationClose, ConversationNote, ConversationReadOwn,
            ConversationWrite, VisitorRead,
        };
        [
            ConversationReadOwn,
            ConversationWrite,
            ConversationNote,
            ConversationAssign,
            ConversationClose,
            VisitorRead,
        ]
        .into_iter()
        .collect()
    }

    /// Default role: everything in one's teams, taking over, reports, and what the team knows.
    pub fn supervisor() -> Self {
        use Right::{
            ConversationReadTeam, ConversationTakeOver, ReportRead, SettingsKnowledge,
            SettingsReplies,
        };
        Self::agent()
            .with(ConversationReadTeam)
            .with(ConversationTakeOver)
            .with(ReportRead)
            .with(SettingsReplies)
            .with(SettingsKnowledge)
    }

    /// Default role: everything.
    pub fn admin() -> Self {
        Self::all()
    }

    /// Default role: an admin who cannot be removed.
    pub fn owner() -> Self {
        Self::all()
    }
}

/// How a user stands to a session; with [`Rights`] it says what they may read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// They own it or take part in it.
    pub own: bool,
    /// It stands in the queue of one of their teams, or in the common one.
    pub queued_for: bool,
    /// It belongs to one of their teams, or to none.
    pub of_team: bool,
}

impl Standing {
    /// Works it out; `is_member` says whether the user belongs to a team. Without a session (there is
    /// none before the first message) nobody stands in any relation to it.
    pub fn of(
        session: Option<&chat::Session>,
        user: &str,
        is_member: impl FnOnce(&str) -> bool,
    ) -> Self {
        let Some(session) = session else { return Self::default() };
        let own = session.owner.as_ref().is_some_and(|owner| owner.id == user)
            || session.participants.iter().any(|participant| participant.id == user);
        let of_team = session.team.is_empty() || is_member(&session.team);
        let queued = session.status == chat::SessionStatus::Queued as i32;
        Self { own, queued_for: queued && of_team, of_team }
    }
}

/// Whether somebody may read a conversation, given how they stand to its newest session.
pub const fn may_read(rights: Rights, standing: Standing) -> bool {
    rights.contains(Right::ConversationReadAll)
        || (rights.contains(Right::ConversationReadTeam) && standing.of_team)
        || (rights.contains(Right::ConversationReadOwn) && (standing.own || standing.queued_for))
}

impl FromIterator<Right> for Rights {
    fn from_iter<T: IntoIterator<Item = Right>>(rights: T) -> Self {
        rights.into_iter().fold(Self(0), Self::with)
    }
}

impl Serialize for Rights {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Right::code))
    }
}

impl<'de> Deserialize<'de> for Rights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let codes = Vec::<String>::deserialize(deserializer)?;
        codes
            .iter()
            .map(|code| {
                Right::parse(code)
                    .ok_or_else(|| serde::de::Error::custom(format!("unknown right {code}")))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_parse_back() {
        for right in Right::ALL {
            assert_eq!(Right::parse(right.code()), Some(*right));
        }
        assert!(Right::ALL.len() <= 64, "a set is one word");
        assert_eq!(Right::parse("conversation.fly"), None);
    }

    #[test]
    fn default_roles_grow() {
        assert!(Rights::supervisor().includes(Rights::agent()));
        assert!(Rights::admin().includes(Rights::supervisor()));
        assert!(!Rights::agent().includes(Rights::supervisor()));
        assert!(!Rights::agent().contains(Right::ConversationReadAll));
    }

    #[test]
    fn reading_follows_rights_and_standing() {
        let session = |status: chat::SessionStatus, owner: &str, team: &str| chat::Session {
            status: status as i32,
            owner: (!owner.is_empty()).then(|| chat::Participant {
                id: owner.to_owned(),
                ..chat::Participant::default()
            }),
            participants: vec![chat::Participant {
                id: "guest".to_owned(),
                ..chat::Participant::default()
            }],
            team: team.to_owned(),
            ..chat::Session::default()
        };
        let queued = chat::SessionStatus::Queued;
        let assigned = chat::SessionStatus::Assigned;
        let (agent, supervisor, admin) = (Rights::agent(), Rights::supervisor(), Rights::admin());
        // Whose rights, the session, the reader, their team, whether they may read.
        let cases = [
            (agent, session(assigned, "me", "sales"), "me", "", true),
            (agent, session(assigned, "other", "sales"), "me", "sales", false),
            (agent, session(assigned, "other", "sales"), "guest", "", true),
            (agent, session(queued, "", "sales"), "me", "sales", true),
            (agent, session(queued, "", "sales"), "me", "support", false),
            (agent, session(queued, "", ""), "me", "support", true),
            (supervisor, session(assigned, "other", "sales"), "me", "sales", true),
            (supervisor, session(assigned, "other", "sales"), "me", "support", false),
            (admin, session(assigned, "other", "sales"), "me", "support", true),
            (Rights::none(), session(assigned, "me", "sales"), "me", "sales", false),
        ];
        for (at, (rights, session, user, team, may)) in cases.into_iter().enumerate() {
            let standing = Standing::of(Some(&session), user, |of| of == team);
            assert_eq!(may_read(rights, standing), may, "case {at}");
        }
        let nothing = Standing::of(None, "me", |_| true);
        assert!(!may_read(supervisor, nothing) && may_read(admin, nothing));
    }

    #[test]
    fn a_set_is_a_list_of_codes_in_json() {
        let text = serde_json::to_string(&Rights::agent()).expect("serializes");
        assert!(text.starts_with("[\"conversation.read.own\""), "{text}");
        assert_eq!(serde_json::from_str::<Rights>(&text).expect("reads"), Rights::agent());
        assert!(serde_json::from_str::<Rights>("[\"root\"]").is_err());
    }
}
