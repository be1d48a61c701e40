//! What can go wrong, for machines: one table of error codes for the socket and the HTTP API. A code
//! never changes its meaning. `docs/protocol.md` repeats the table; a test compares them.

/// What trying again brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Nothing: the same request fails again.
    No,
    /// The same request may pass later; the answer says after how long where that is known.
    Later,
    /// The request may pass after reading the newer state.
    AfterReload,
    /// The same request may pass after signing in again or with a new ticket.
    AfterSignIn,
}

impl Retry {
    /// Returns the word the documents use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Later => "later",
            Self::AfterReload => "after reload",
            Self::AfterSignIn => "after sign-in",
        }
    }
}

/// One line of the table.
#[derive(Debug, PartialEq, Eq)]
pub struct ErrorCode {
    /// The stable code: in refusals, in error frames, in the problem documents of the HTTP API.
    pub code: &'static str,
    /// The HTTP status of the same failure.
    pub status: u16,
    /// What trying again brings.
    pub retry: Retry,
    /// What happened, for people who read logs.
    pub text: &'static str,
    /// What a client does about it.
    pub client: &'static str,
}

macro_rules! codes {
    ($($name:ident = $code:literal, $status:literal, $retry:ident, $text:literal, $client:literal;)+) => {
        $(
            #[doc = concat!("`", $code, "`: ", $text, ".")]
            pub const $name: ErrorCode = ErrorCode {
                code: $code,
                status: $status,
                retry: Retry::$retry,
                text: $text,
                client: $client,
            };
        )+
        /// Every error code, in the order of the documents.
        pub const ALL: &[&ErrorCode] = &[$(&$name),+];
    };
}

codes! {
    // The server itself.
    INTERNAL = "internal", 500, Later, "the server failed; its log has the reason", "shows a general error, may try again";
    OVERLOADED = "overloaded", 503, Later, "the server is busy", "waits and tries again";
    RESTARTING = "restarting", 503, Later, "the server is stopping", "reconnects";
    RATE_LIMITED = "rate_limited", 429, Later, "too many requests", "waits as long as the answer says";
    TIMEOUT = "timeout", 504, Later, "the answer did not come in time", "tries again with the same id";
    STORAGE_FULL = "storage.full", 507, Later, "the disk is almost full; nothing new is accepted", "keeps the message and tries again";
    STORAGE_UNAVAILABLE = "storage.unavailable", 503, Later, "the storage does not take writes", "keeps the message and tries again";
    POSITION_AHEAD = "position.ahead", 503, Later, "the history has not reached the asked position yet", "tries again";

    // The request as such.
    REQUEST_MALFORMED = "request.malformed", 400, No, "the request cannot be read", "is corrected";
    REQUEST_INVALID = "request.invalid", 422, No, "a field has a value that is not allowed", "shows the field";
    REQUEST_TOO_LARGE = "request.too_large", 413, No, "the body is larger than the limit", "sends less";
    MEDIA_TYPE_UNSUPPORTED = "request.media_type", 415, No, "the content type is not understood here", "is corrected";
    METHOD_NOT_ALLOWED = "request.method", 405, No, "the resource does not know this method", "is corrected";
    IDEMPOTENCY_REUSED = "request.key_reused", 409, No, "the idempotency key came with another request before", "uses a new key";
    IDEMPOTENCY_RUNNING = "request.key_running", 409, Later, "the first request with this idempotency key is still running", "waits and tries again";
    CURSOR_INVALID = "request.cursor", 400, No, "the page cursor is not one the server gave", "starts from the first page";
    RANGE_INVALID = "request.range", 416, No, "the file has no bytes in this range", "asks for a range within the size of the answer";
    PRECONDITION_FAILED = "request.precondition", 412, AfterReload, "somebody else changed it meanwhile", "reloads";
    NOT_FOUND = "not_found", 404, No, "there is no such thing, or not for this caller", "reloads its list";
    NAME_TAKEN = "name.taken", 409, No, "the name is in use", "asks for another name";
    IN_USE = "in_use", 409, No, "something still refers to it", "shows what";
    TOO_MANY = "too_many", 409, No, "there are as many of these as there may be", "removes one first";
    LAST_OWNER = "user.last_owner", 409, No, "an account keeps at least one owner", "names another owner first";
    EMAIL_TAKEN = "user.email_taken", 409, No, "the e-mail address belongs to a user already", "asks for another address";
    PASSWORD_WEAK = "user.password_weak", 422, No, "the password is too short or too common", "asks for another password";
    SETTING_UNKNOWN = "setting.unknown", 404, No, "there is no such setting", "is corrected";
    SETTING_INVALID = "setting.invalid", 422, No, "the setting does not take this value", "shows the setting";

    // Who asks.
    AUTH_REQUIRED = "auth.required", 401, AfterSignIn, "the request carries no valid identity", "signs in";
    AUTH_FAILED = "auth.failed", 401, No, "the e-mail address or the password is wrong", "asks again";
    AUTH_THROTTLED = "auth.throttled", 429, Later, "too many failed attempts", "waits as long as the answer says";
    AUTH_DISABLED = "auth.disabled", 403, No, "the user, inbox or account is disabled", "stops and says so";
    AUTH_INSECURE = "auth.insecure", 403, No, "signing in over plain http from another machine is not allowed here", "stops; the operator sets up https or server.insecure_http";
    TICKET_INVALID = "ticket.invalid", 401, AfterSignIn, "the ticket is not one the server signed", "gets a new ticket";
    TICKET_EXPIRED = "ticket.expired", 401, AfterSignIn, "the ticket is too old", "gets a new ticket";
    TICKET_USED = "ticket.used", 401, AfterSignIn, "the ticket was presented before", "gets a new ticket";
    RESUME_INVALID = "resume.invalid", 401, AfterSignIn, "the resume token is unknown or too old", "gets a new ticket";
    TOKEN_INVALID = "visitor.token_invalid", 401, No, "the visitor token is not one the server made", "begins as a new visitor";
    IDENTITY_INVALID = "identity.invalid", 401, No, "the identity token is not one the site signed for this inbox", "goes on without it; the site has to sign a right one";
    IDENTITY_EXPIRED = "identity.expired", 401, No, "the identity token is too old", "asks the site for a new one";
    IDENTITY_REQUIRED = "identity.required", 401, No, "this inbox serves only visitors with an identity the site signs", "waits until the site identifies the visitor";
    INBOX_UNKNOWN = "inbox.unknown", 404, No, "no inbox has this key", "stops and says so";
    ORIGIN_REFUSED = "origin.refused", 403, No, "the request comes from a page that is not on the list", "stops; the site has to be listed";
    RIGHT_MISSING = "right.missing", 403, No, "the caller has no right to do this", "hides the action";
    SETUP_DONE = "setup.done", 410, No, "the installation has been set up", "signs in";
    SETUP_INVALID = "setup.invalid", 403, No, "the set-up link is not the one the server printed", "uses the link in the server's output";
    INVITATION_INVALID = "invitation.invalid", 410, No, "the invitation is unknown, used, withdrawn or too old", "asks for a new invitation";
    INVITATIONS_FULL = "invitation.too_many", 429, Later, "more invitations are open than an account may have", "withdraws some first";

    // Frames.
    FRAME_MALFORMED = "frame.malformed", 400, No, "the frame cannot be read", "is corrected";
    FRAME_UNKNOWN = "frame.unknown", 400, No, "the frame's kind is unknown to this server", "does without it";
    FRAME_UNEXPECTED = "frame.unexpected", 409, No, "the frame is not allowed in this state", "is corrected";
    FRAME_TOO_LARGE = "frame.too_large", 413, No, "the frame is larger than the limit", "sends less";
    TOO_MANY_IN_FLIGHT = "frame.in_flight", 429, Later, "more messages wait for their ack than allowed", "waits for acks";
    HELD_TOO_MANY = "frame.held_too_many", 422, No, "more conversations are named than allowed", "names fewer";

    // Messages.
    MESSAGE_EMPTY = "message.empty", 422, No, "the message has no content", "does not send it";
    MESSAGE_TOO_LARGE = "message.too_large", 413, No, "the text is larger than the limit", "asks to shorten it";
    MESSAGE_UNSUPPORTED = "message.unsupported", 422, No, "clients may not send this kind of content", "is corrected";
    MESSAGE_INVALID = "message.invalid", 422, No, "its buttons, its form, the reply to one, or its sources are not as they may be; detail says which", "is corrected";
    MESSAGE_ID_INVALID = "message.id_invalid", 422, No, "a client_msg_id is exactly 16 bytes", "is corrected";
    MESSAGE_ID_REUSED = "message.id_reused", 409, No, "another message of this sender has the same client_msg_id", "sends it with a new id";
    MESSAGE_AUDIENCE = "message.audience", 403, No, "the caller may not speak to this audience", "is corrected";
    MESSAGE_QUOTE = "message.quote", 422, No, "the quoted entry does not exist", "sends it without the quote";
    MESSAGE_MENTION = "message.mention", 422, AfterReload, "a note mentions only members of the account who may read the conversation or can be brought into it; detail says who is none", "sends it without the mention";
    MESSAGE_REFUSED = "message.refused", 422, No, "a rule of the account refuses this content", "shows that it was not sent";
    MESSAGE_UNKNOWN = "message.unknown", 404, No, "there is no entry with this seq", "reloads the conversation";
    MESSAGE_NOT_AUTHOR = "message.not_author", 403, No, "only the author may take a message back", "hides the action";
    MESSAGE_GONE = "message.gone", 410, No, "the entry's content is gone already", "shows it as gone";
    DRAFT_TOO_LARGE = "draft.too_large", 413, No, "the draft is larger than the limit", "sends less of it";

    // Language models.
    LLM_OFF = "llm.off", 409, No, "no language model is set up for this", "hides the action";
    LLM_FAILED = "llm.failed", 502, Later, "the language model did not answer; detail says why", "says so, may try again";

    // Files.
    FILE_UNKNOWN = "file.unknown", 422, No, "no stored file of this sender has this id", "uploads it again";
    FILE_EMPTY = "file.empty", 422, No, "the file has no content", "says so";
    FILE_TOO_LARGE = "file.too_large", 413, No, "the file is larger than the limit", "says so";
    FILE_TYPE = "file.type", 415, No, "files of this type are not accepted", "says so";
    FILE_QUOTA = "file.quota", 429, Later, "the visitor or account has uploaded too much", "says so";
    FILE_UNREADABLE = "file.unreadable", 422, No, "the file is damaged or not what its name says", "says so";

    // Conversations and sessions.
    CONVERSATION_UNKNOWN = "conversation.unknown", 404, No, "there is no such conversation, or not for this caller", "removes it from its list";
    CONVERSATION_FULL = "conversation.too_many_open", 429, Later, "more conversations are open on this connection than allowed", "closes some";
    SESSION_NONE = "session.none", 409, AfterReload, "the conversation has no session yet", "waits for the visitor's first message";
    SESSION_VERSION = "session.version", 409, AfterReload, "the session changed meanwhile", "shows its new state";
    SESSION_TAKEN = "session.taken", 409, AfterReload, "somebody else has it; detail says who", "says who has it";
    SESSION_NOT_OWNER = "session.not_owner", 403, AfterReload, "only the owner may do this", "offers to take it over";
    SESSION_CLOSED = "session.closed", 409, AfterReload, "the session is closed", "offers to reopen it";
    SESSION_OPEN = "session.open", 409, AfterReload, "the session is open", "shows its new state";
    SESSION_NOT_QUEUED = "session.not_queued", 409, AfterReload, "the session is not in a queue", "shows its new state";
    SESSION_NOT_RATABLE = "session.not_ratable", 409, No, "there is no closed session to rate, it is rated, or the inbox asks for no ratings", "hides the question";
    SESSION_TARGET = "session.target", 422, AfterReload, "the agent or team to hand it to does not exist or may not have it", "reloads the list";
    SESSION_VALUE = "session.value", 422, No, "a priority, rating, label, intent or time is out of range", "is corrected";
    SESSION_NOT_PARTICIPANT = "session.not_participant", 409, AfterReload, "the caller does not take part", "shows its new state";
    PRESENCE_INVALID = "presence.invalid", 422, No, "an agent is online, away or offline", "is corrected";
}

/// Returns the line of this code.
pub fn find(code: &str) -> Option<&'static ErrorCode> {
    ALL.iter().copied().find(|line| line.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_words_with_a_client_error_or_server_error_status() {
        let mut seen = std::collections::BTreeSet::new();
        for line in ALL {
            assert!(seen.insert(line.code), "{} twice", line.code);
            assert!(line.code.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '.'));
            assert!((400..=599).contains(&line.status), "{}", line.code);
            assert!(!line.text.is_empty() && !line.text.ends_with('.'), "{}", line.code);
            assert_eq!(find(line.code), Some(*line));
        }
    }

    #[test]
    fn statuses_that_promise_another_try_agree_with_retry() {
        for line in ALL {
            let temporary = matches!(line.status, 429 | 500 | 503 | 504 | 507);
            assert_eq!(temporary && line.retry == Retry::Later, temporary, "{}", line.code);
            assert_eq!(
                line.retry == Retry::AfterSignIn,
                line.status == 401 && line.retry != Retry::No,
                "{}",
                line.code
            );
        }
    }
}
