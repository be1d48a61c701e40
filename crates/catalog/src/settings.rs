//! The registry of settings: every figure an account may change, with its type, default, bounds,
//! where it may be set, the right that takes, and its help text in both languages. The API, the
//! forms and the documentation are made from this table.
//!
//! A setting is looked up from the nearest place outwards: the team or the inbox where the key
//! allows it, then the account, then the default.

mod store;

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::id::{InboxId, TeamId};
use frontdesk_core::rights::Right;
use serde_json::Value;

use crate::error::Error;

pub(crate) use self::store::forget;

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// On or off.
    Switch {
        /// Where nothing is set.
        default: bool,
    },
    /// A whole number; its unit ends the key (`_s`, `_mib`), none where it counts things.
    Number {
        /// Where nothing is set.
        default: i64,
        /// Least.
        min: i64,
        /// Most.
        max: i64,
    },
}

/// Beside the account itself, where a key may be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// For one inbox.
    Inbox,
    /// For one team.
    Team,
}

/// One line of the registry.
#[derive(Debug)]
pub struct Spec {
    /// Its name: `area.what_unit`.
    pub name: &'static str,
    /// Its type, default and bounds.
    pub kind: Kind,
    /// Where it may be set beside the account.
    pub scopes: &'static [Scope],
    /// What changing it for the account takes.
    pub right: Right,
    /// What it does, in English.
    pub help_en: &'static str,
    /// What it does, in Simplified Chinese.
    pub help_zh: &'static str,
}

/// A key whose value has the type `T`.
#[derive(Debug)]
pub struct Key<T> {
    spec: &'static Spec,
    value: PhantomData<fn() -> T>,
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> Key<T> {
    const fn new(spec: &'static Spec) -> Self {
        Self { spec, value: PhantomData }
    }

    /// Its line of the registry.
    pub const fn spec(self) -> &'static Spec {
        self.spec
    }
}

/// How a checked value becomes a Rust value. Bounds of the registry keep every conversion exact.
pub trait SettingType {
    /// From a switch (0, 1) or a number.
    fn from_checked(number: i64) -> Self;
}

impl SettingType for bool {
    fn from_checked(number: i64) -> Self {
        number != 0
    }
}

impl SettingType for u16 {
    fn from_checked(number: i64) -> Self {
        Self::try_from(number).expect("the registry's bounds fit the key's type; a test checks it")
    }
}

impl SettingType for u64 {
    fn from_checked(number: i64) -> Self {
        Self::try_from(number).expect("the registry's bounds fit the key's type; a test checks it")
    }
}

impl SettingType for Duration {
    fn from_checked(number: i64) -> Self {
        Self::from_secs(u64::from_checked(number))
    }
}

macro_rules! registry {
    ($($(#[$doc:meta])* $const:ident : $type:ty = $name:literal, $kind:expr, [$($scope:ident),*],
        $right:ident, $en:literal, $zh:literal;)+) => {
        /// All settings, in the order forms show them.
        pub const REGISTRY: &[&Spec] = &[$($const.spec),+];
        $($(#[$doc])* pub const $const: Key<$type> = Key::new(&Spec {
            name: $name,
            kind: $kind,
            scopes: &[$(Scope::$scope),*],
            right: Right::$right,
            help_en: $en,
            help_zh: $zh,
        });)+
        /// Converts every default and bound, so that a bound that does not fit its type is found.
        #[cfg(test)]
        fn convert_all(convert: &mut dyn FnMut(&'static Spec, fn(i64))) {
            $(convert($const.spec, |number| { drop_value(<$type>::from_checked(number)); });)+
        }
    };
}

#[cfg(test)]
fn drop_value<T>(value: T) {
    drop(std::hint::black_box(Box::new(value)));
}

const fn on() -> Kind {
    Kind::Switch { default: true }
}

const fn off() -> Kind {
    Kind::Switch { default: false }
}

const fn number(default: i64, min: i64, max: i64) -> Kind {
    Kind::Number { default, min, max }
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

registry! {
    /// Sessions an agent takes at a time.
    CAPACITY: u16 = "routing.capacity", number(5, 0, 1_000), [], SettingsAccount,
        "How many sessions an agent is given at a time, unless the agent has a number of their own.",
        "每位坐席同时接待的会话数上限；坐席单独设置的数值优先。";
    /// Next agent when the first is silent.
    FIRST_ANSWER: Duration = "routing.first_answer_s", number(120, 10, DAY), [Inbox, Team], SettingsAccount,
        "An assigned session without a first answer goes to the next agent after this many seconds.",
        "会话分配后超过此秒数仍未首次回复，将转给下一位坐席。";
    /// How long an agent without a socket keeps its state.
    OFFLINE_GRACE: Duration = "routing.offline_grace_s", number(60, 5, HOUR), [], SettingsAccount,
        "An agent whose last connection is lost counts as offline after this many seconds.",
        "坐席最后一个连接断开后，超过此秒数视为离线。";
    /// Whether a returning visitor meets the last agent.
    LAST_AGENT: bool = "routing.last_agent", on(), [Inbox], SettingsAccount,
        "A visitor who writes again after the end of a session goes to the last agent if that agent is free.",
        "访客在会话结束后再次留言时，若上次接待的坐席空闲，则优先分配给该坐席。";
    /// The deadline of a session nobody was online for.
    UNATTENDED_DEADLINE: Duration = "routing.unattended_deadline_s", number(DAY, MINUTE, 30 * DAY), [Inbox, Team], SettingsAccount,
        "A session that began while nobody was online must be taken within this many seconds; after that it is shown as overdue.",
        "无人在线时开始的会话须在此秒数内接待，超时将标记为逾期。";
    /// The deadline of a session that waits in a queue.
    QUEUE_DEADLINE: Duration = "routing.queue_deadline_s", number(10 * MINUTE, 30, 7 * DAY), [Inbox, Team], SettingsAccount,
        "A queued session must be taken within this many seconds; after that it is shown as overdue.",
        "排队中的会话须在此秒数内接待，超时将标记为逾期。";
    /// Self-closing.
    IDLE_CLOSE: Duration = "session.idle_close_s", number(30 * MINUTE, MINUTE, 30 * DAY), [Inbox, Team], SettingsAccount,
        "A session closes by itself when the visitor is silent for this many seconds after the last message of an agent.",
        "坐席最后一条消息之后，访客沉默超过此秒数，会话自动结束。";
    /// The warning before self-closing.
    IDLE_WARN: Duration = "session.idle_warn_s", number(5 * MINUTE, 0, DAY), [Inbox, Team], SettingsAccount,
        "The visitor is told this many seconds before the session closes by itself; 0 tells nothing.",
        "会话自动结束前，提前此秒数提醒访客；0 表示不提醒。";
    /// Whether visitors may end their session.
    VISITOR_MAY_CLOSE: bool = "session.visitor_may_close", on(), [Inbox], SettingsAccount,
        "Visitors may end the session themselves.",
        "允许访客自行结束会话。";
    /// Whether visitors are asked for a rating.
    RATING: bool = "session.rating", on(), [Inbox], SettingsAccount,
        "Visitors are asked for a rating when a session ends.",
        "会话结束时邀请访客评价。";
    /// Typing notices.
    TYPING: bool = "chat.typing", on(), [Inbox], SettingsAccount,
        "Both sides see that the other one is typing.",
        "双方可看到对方正在输入。";
    /// Sneak peek.
    SNEAK_PEEK: bool = "chat.sneak_peek", off(), [Inbox], SettingsAccount,
        "Agents see what a visitor types before it is sent. Off by default: tell your visitors when you use it.",
        "坐席可预览访客尚未发送的文字。默认关闭；启用时请告知访客。";
    /// The visible place in the queue.
    QUEUE_PLACE: bool = "chat.queue_place", on(), [Inbox], SettingsAccount,
        "A waiting visitor sees the own place in the queue.",
        "排队中的访客可看到自己的排队位置。";
    /// Asking for an address.
    ASK_CONTACT: bool = "chat.ask_contact", on(), [Inbox], SettingsAccount,
        "While nobody is online, visitors are asked once for an e-mail address or a phone number.",
        "无人在线时，向访客询问一次邮箱或电话。";
    /// Uploads by visitors.
    VISITOR_FILES: bool = "files.visitors", on(), [Inbox], SettingsAccount,
        "Visitors may send files.",
        "允许访客发送文件。";
    /// The largest file.
    FILE_MIB: u64 = "files.size_mib", number(20, 1, 1_024), [Inbox], SettingsAccount,
        "The largest file that may be sent, in MiB; never more than the server allows.",
        "单个文件大小上限（MiB），不超过服务器的上限。";
    /// The daily quota of a visitor.
    VISITOR_MIB: u64 = "files.visitor_day_mib", number(100, 1, 10_240), [Inbox], SettingsAccount,
        "How much one visitor may upload in 24 hours, in MiB; never more than the server allows.",
        "每位访客 24 小时内的上传总量上限（MiB），不超过服务器的上限。";
    /// The quota of the account.
    ACCOUNT_MIB: u64 = "files.account_mib", number(10_240, 10, 10_485_760), [], SettingsAccount,
        "How much the account may store in files, in MiB; never more than the server allows.",
        "本账户文件存储总量上限（MiB），不超过服务器的上限。";
}

/// Where a value is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// For the account.
    Account,
    /// For one inbox.
    Inbox(InboxId),
    /// For one team.
    Team(TeamId),
}

impl Place {
    fn columns(self) -> (&'static str, String) {
        match self {
            Self::Account => ("account", String::new()),
            Self::Inbox(id) => ("inbox", id.to_string()),
            Self::Team(id) => ("team", id.to_string()),
        }
    }

    /// What changing `spec` here takes.
    pub fn right(self, spec: &Spec) -> Right {
        match self {
            Self::Account => spec.right,
            Self::Inbox(_) => Right::SettingsInboxes,
            Self::Team(_) => Right::SettingsTeams,
        }
    }

    fn allowed(self, spec: &Spec) -> bool {
        match self {
            Self::Account => true,
            Self::Inbox(_) => spec.scopes.contains(&Scope::Inbox),
            Self::Team(_) => spec.scopes.contains(&Scope::Team),
        }
    }
}

/// From where a value is looked up: the team and inbox of a session, as far as they are known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct At {
    /// The nearest place.
    pub team: Option<TeamId>,
    /// The place behind it.
    pub inbox: Option<InboxId>,
}

impl At {
    /// The account alone.
    pub const ACCOUNT: Self = Self { team: None, inbox: None };
}

/// All settings of one account at one moment: read once, then asked without a wait.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    set: Arc<HashMap<(&'static str, Place), i64>>,
}

impl Settings {
    /// The value that holds at a place.
    pub fn get<T: SettingType>(&self, key: Key<T>, at: At) -> T {
        T::from_checked(self.number(key.spec, at))
    }

    /// The value that holds at a place, as JSON.
    pub fn value(&self, spec: &'static Spec, at: At) -> Value {
        json(spec, self.number(spec, at))
    }

    /// The value set at exactly this place, as JSON; None where it comes from further out.
    pub fn own(&self, spec: &'static Spec, place: Place) -> Option<Value> {
        self.set.get(&(spec.name, place)).map(|number| json(spec, *number))
    }

    /// The value somebody set for a place or further out; None where the default holds.
    pub fn chosen<T: SettingType>(&self, key: Key<T>, at: At) -> Option<T> {
        self.set_number(key.spec, at).map(T::from_checked)
    }

    /// Whether somebody set it for a place or further out.
    pub fn is_set(&self, spec: &'static Spec, at: At) -> bool {
        self.set_number(spec, at).is_some()
    }

    fn number(&self, spec: &'static Spec, at: At) -> i64 {
        self.set_number(spec, at).unwrap_or_else(|| spec.default_number())
    }

    fn set_number(&self, spec: &'static Spec, at: At) -> Option<i64> {
        let places = [at.team.map(Place::Team), at.inbox.map(Place::Inbox), Some(Place::Account)];
        places.into_iter().flatten().find_map(|place| self.set.get(&(spec.name, place))).copied()
    }
}

impl Spec {
    /// The value where nothing is set, as JSON.
    pub fn default_value(&'static self) -> Value {
        json(self, self.default_number())
    }

    fn default_number(&self) -> i64 {
        match self.kind {
            Kind::Switch { default } => i64::from(default),
            Kind::Number { default, .. } => default,
        }
    }

    fn checked(&self, value: &Value) -> Result<i64, Error> {
        match (self.kind, value) {
            (Kind::Switch { .. }, Value::Bool(on)) => Ok(i64::from(*on)),
            (Kind::Number { min, max, .. }, Value::Number(number)) => {
                let number =
                    number.as_i64().ok_or_else(|| Error::invalid(self.name, "not_whole"))?;
                match number {
                    _ if number < min => Err(Error::invalid(self.name, "too_small")),
                    _ if number > max => Err(Error::invalid(self.name, "too_large")),
                    _ => Ok(number),
                }
            }
            _ => Err(Error::invalid(self.name, "type")),
        }
    }
}

/// Finds a line of the registry.
pub fn spec(name: &str) -> Result<&'static Spec, Error> {
    REGISTRY
        .iter()
        .copied()
        .find(|spec| spec.name == name)
        .ok_or(Error::NotFound { what: "setting" })
}

fn json(spec: &Spec, number: i64) -> Value {
    match spec.kind {
        Kind::Switch { .. } => Value::Bool(number != 0),
        Kind::Number { .. } => Value::from(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_registry_is_complete_and_fits_its_type() {
        let mut names: Vec<_> = REGISTRY.iter().map(|spec| spec.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), REGISTRY.len(), "a name stands twice");
        let mut converted = 0;
        convert_all(&mut |spec, convert| {
            converted += 1;
            assert!(spec.name.split_once('.').is_some(), "{}", spec.name);
            assert!(spec.help_en.ends_with('.'), "{}", spec.name);
            assert!(spec.help_zh.ends_with('。'), "{}", spec.name);
            if let Kind::Number { default, min, max } = spec.kind {
                assert!((min..=max).contains(&default), "{}", spec.name);
                convert(min);
                convert(max);
            }
            convert(spec.default_number());
            assert!(spec.checked(&spec.default_value()).is_ok(), "{}", spec.name);
        });
        assert_eq!(converted, REGISTRY.len());
    }

    #[test]
    fn the_figures_of_a_session_are_those_of_the_design() {
        let settings = Settings::default();
        for (key, seconds) in
            [(IDLE_CLOSE, 1_800), (IDLE_WARN, 300), (OFFLINE_GRACE, 60), (FIRST_ANSWER, 120)]
        {
            let name = key.spec().name;
            assert_eq!(settings.get(key, At::ACCOUNT), Duration::from_secs(seconds), "{name}");
        }
        assert_eq!(settings.get(CAPACITY, At::ACCOUNT), 5);
    }

    #[test]
    fn values_of_the_wrong_type_or_size_are_refused() {
        for (key, value, reason) in [
            (CAPACITY.spec(), Value::Bool(true), "type"),
            (CAPACITY.spec(), Value::from("5"), "type"),
            (CAPACITY.spec(), Value::from(1.5), "not_whole"),
            (CAPACITY.spec(), Value::from(-1), "too_small"),
            (CAPACITY.spec(), Value::from(1_001), "too_large"),
            (CAPACITY.spec(), Value::from(u64::MAX), "not_whole"),
            (TYPING.spec(), Value::from(1), "type"),
            (TYPING.spec(), Value::Null, "type"),
            (TYPING.spec(), serde_json::json!({ "$gt": 0 }), "type"),
        ] {
            let error = key.checked(&value).expect_err("the value is not of this setting");
            assert!(
                matches!(&error, Error::Invalid { field, reason: r } if field == key.name && *r == reason),
                "{value}: {error}"
            );
        }
    }
}
