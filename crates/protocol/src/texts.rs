//! The keys of system texts: what an entry of kind `system` may say. Every reader renders it in their
//! own language from the key and the parameters. `docs/protocol.md` repeats the table.

/// One line of the table.
#[derive(Debug, PartialEq, Eq)]
pub struct SystemTextKey {
    /// The key in `SystemText.key`.
    pub key: &'static str,
    /// The names in `SystemText.params`.
    pub params: &'static [&'static str],
    /// Whether visitors see it too.
    pub everyone: bool,
    /// The English text; `{name}` stands for a parameter.
    pub text: &'static str,
}

macro_rules! texts {
    ($($name:ident = $key:literal, [$($param:literal),*], $everyone:literal, $text:literal;)+) => {
        $(
            #[doc = concat!("`", $key, "`: ", $text)]
            pub const $name: SystemTextKey = SystemTextKey {
                key: $key,
                params: &[$($param),*],
                everyone: $everyone,
                text: $text,
            };
        )+
        /// Every key, in the order of the documents.
        pub const ALL: &[&SystemTextKey] = &[$(&$name),+];
    };
}

texts! {
    SESSION_QUEUED = "session.queued", [], true, "The conversation is waiting for a free agent.";
    SESSION_ASSIGNED = "session.assigned", ["agent"], true, "{agent} has joined.";
    SESSION_TAKEN_OVER = "session.taken_over", ["agent", "former"], true, "{agent} has taken over from {former}.";
    SESSION_TRANSFERRED_AGENT = "session.transferred_agent", ["agent", "former"], true, "{former} has handed over to {agent}.";
    SESSION_TRANSFERRED_TEAM = "session.transferred_team", ["team", "former"], true, "{former} has handed over to another team.";
    SESSION_CLOSED = "session.closed", ["by"], true, "The conversation was closed.";
    SESSION_CLOSED_IDLE = "session.closed_idle", [], true, "The conversation was closed because nobody wrote for a while.";
    SESSION_IDLE_WARNING = "session.idle_warning", ["minutes"], true, "The conversation closes in {minutes} minutes unless you write.";
    SESSION_REOPENED = "session.reopened", ["agent"], true, "{agent} has reopened the conversation.";
    SESSION_UNATTENDED = "session.unattended", [], true, "Nobody is online at the moment. Your message is kept and will be answered.";
    BOT_WHY = "bot.why", ["article", "kind", "model", "question", "reason", "score", "seq", "title", "tokens", "took_ms", "words"], false, "Why the bot said this: {title} {score}";
    BOT_SUGGESTION = "bot.suggestion", ["article", "path", "score", "text", "title"], false, "The bot suggests: {text}";
    PARTICIPANT_JOINED = "participant.joined", ["name"], false, "{name} has joined.";
    PARTICIPANT_LEFT = "participant.left", ["name"], false, "{name} has left.";
}

/// Those that bots leave, for the team; all others are the fold's.
pub const OF_BOTS: [&SystemTextKey; 2] = [&BOT_WHY, &BOT_SUGGESTION];

/// Returns the line of this key.
pub fn find(key: &str) -> Option<&'static SystemTextKey> {
    ALL.iter().copied().find(|line| line.key == key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_parameters() {
        for line in ALL {
            for part in line.text.split('{').skip(1) {
                let name = part.split('}').next();
                assert!(name.is_some_and(|name| line.params.contains(&name)), "{}", line.key);
            }
            assert_eq!(find(line.key), Some(*line));
        }
    }
}
