//! What the demo account has lived through: conversations as scripts, with times told backwards from
//! now.
//!
//! A scene begins with `== name`; several names, split by ` / `, are taken in turn when a later start
//! plays the scene again. One line of facts follows, then who said what:
//!
//! ```text
//! zh support closed=chen ago=3h rated=5 phone page=/orders/2256 from=https://... labels=a,b
//! comment  of the rating                  v  the visitor writes
//! a  the owner answers                    n  the owner leaves a note for the team
//! i  the visitor sends a picture          end visitor|idle  who ends it, if not the owner
//! r  what the visitor comes back with once Lin is online
//! ```

use std::str::FromStr;

const OPEN: &str = include_str!("scenes/open.txt");
const CLOSED: [&str; 2] =
    [include_str!("scenes/closed_zh.txt"), include_str!("scenes/closed_en.txt")];

/// One conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scene {
    pub(super) names: Vec<&'static str>,
    pub(super) language: Language,
    pub(super) team: TeamName,
    pub(super) state: State,
    pub(super) when: When,
    /// Whether the owner has read all of it.
    pub(super) read: bool,
    pub(super) phone: bool,
    pub(super) page: &'static str,
    pub(super) referrer: &'static str,
    pub(super) labels: Vec<&'static str>,
    /// The visitor's 1 to 5, and what was said with it.
    pub(super) rating: u32,
    pub(super) comment: &'static str,
    /// How many messages lie before the lines.
    pub(super) before: u32,
    pub(super) lines: Vec<Line>,
    /// What the visitor comes back with; empty for nothing.
    pub(super) returns: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Chinese,
    English,
}

/// Which of the two teams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TeamName {
    Sales,
    Support,
}

/// How the conversation stands now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Queued,
    Assigned(Colleague),
    Pending(Colleague),
    Closed(Colleague, End),
}

/// Who ended it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Owner,
    Visitor,
    Idle,
}

/// Those who serve in the scenes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colleague {
    Lin,
    Mei,
    Chen,
    Ada,
}

/// To what the times of the scene are tied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// The visitor waits since then: the first message.
    WaitsMs(i64),
    /// The newest message.
    AgoMs(i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Visitor(&'static str),
    Owner(&'static str),
    Note(&'static str),
    Picture(&'static str),
}

/// Why a scene cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("scene {scene:?}: {line:?} is not understood")]
pub(super) struct BadScene {
    scene: String,
    line: String,
}

/// Scenes whose conversation is open, in the order they are written.
pub(super) fn open() -> Result<Vec<Scene>, BadScene> {
    parse(OPEN)
}

/// Scenes that are over.
pub(super) fn closed() -> Result<Vec<Scene>, BadScene> {
    let mut scenes = Vec::new();
    for text in CLOSED {
        scenes.extend(parse(text)?);
    }
    Ok(scenes)
}

fn parse(text: &'static str) -> Result<Vec<Scene>, BadScene> {
    let mut scenes = Vec::new();
    for part in text.split("\n== ").skip(1) {
        let mut lines = part.lines().map(str::trim).filter(|line| !line.is_empty());
        let title = lines.next().unwrap_or_default();
        let bad = |line: &str| BadScene { scene: title.to_owned(), line: line.to_owned() };
        let facts = lines.next().unwrap_or_default();
        let mut scene = Scene::new(title, facts).ok_or_else(|| bad(facts))?;
        for line in lines {
            scene.read_line(line).ok_or_else(|| bad(line))?;
        }
        scenes.push(scene);
    }
    Ok(scenes)
}

impl Scene {
    /// A scene without lines; `None` where the facts are not understood.
    pub(super) fn new(title: &'static str, facts: &'static str) -> Option<Self> {
        let mut scene = Self {
            names: title.split(" / ").collect(),
            language: Language::English,
            team: TeamName::Sales,
            state: State::Queued,
            when: When::AgoMs(0),
            read: false,
            phone: false,
            page: "/",
            referrer: "",
            labels: Vec::new(),
            rating: 0,
            comment: "",
            before: 0,
            lines: Vec::new(),
            returns: "",
        };
        for fact in facts.split(' ') {
            match fact.split_once('=').unwrap_or((fact, "")) {
                ("zh", _) => scene.language = Language::Chinese,
                ("en", _) => scene.language = Language::English,
                ("sales", _) => scene.team = TeamName::Sales,
                ("support", _) => scene.team = TeamName::Support,
                ("queued", _) => scene.state = State::Queued,
                ("assigned", who) => scene.state = State::Assigned(who.parse().ok()?),
                ("pending", who) => scene.state = State::Pending(who.parse().ok()?),
                ("closed", who) => scene.state = State::Closed(who.parse().ok()?, End::Owner),
                ("wait", time) => scene.when = When::WaitsMs(span_ms(time)?),
                ("ago", time) => scene.when = When::AgoMs(span_ms(time)?),
                ("rated", stars) => scene.rating = stars.parse().ok()?,
                ("read", _) => scene.read = true,
                ("phone", _) => scene.phone = true,
                ("desktop", _) => scene.phone = false,
                ("page", page) => scene.page = page,
                ("from", page) => scene.referrer = page,
                ("labels", list) => scene.labels = list.split(',').collect(),
                ("long", count) => scene.before = count.parse().ok()?,
                _ => return None,
            }
        }
        Some(scene)
    }

    fn read_line(&mut self, line: &'static str) -> Option<()> {
        let (kind, text) = line.split_once(' ')?;
        match kind {
            "comment" => self.comment = text,
            "r" => self.returns = text,
            "v" => self.lines.push(Line::Visitor(text)),
            "a" => self.lines.push(Line::Owner(text)),
            "n" => self.lines.push(Line::Note(text)),
            "i" => self.lines.push(Line::Picture(text)),
            "end" => {
                let State::Closed(who, _) = self.state else { return None };
                let end = match text {
                    "visitor" => End::Visitor,
                    "idle" => End::Idle,
                    _ => return None,
                };
                self.state = State::Closed(who, end);
            }
            _ => return None,
        }
        Some(())
    }

    /// The owner, if it has or had one.
    pub(super) fn owner(&self) -> Option<Colleague> {
        match self.state {
            State::Queued => None,
            State::Assigned(who) | State::Pending(who) | State::Closed(who, _) => Some(who),
        }
    }
}

impl FromStr for Colleague {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Ok(match name {
            "lin" => Self::Lin,
            "mei" => Self::Mei,
            "chen" => Self::Chen,
            "ada" => Self::Ada,
            _ => return Err(()),
        })
    }
}

impl Language {
    /// The language of a tag.
    pub(super) fn of(tag: &str) -> Self {
        if tag.starts_with("zh") { Self::Chinese } else { Self::English }
    }

    /// BCP 47.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }
}

/// `1d5h`, `50m`, `40s` as milliseconds.
pub(super) fn span_ms(text: &str) -> Option<i64> {
    let mut total = 0;
    let mut number = 0;
    for character in text.chars() {
        let unit_s = match character {
            'd' => 86_400,
            'h' => 3_600,
            'm' => 60,
            's' => 1,
            digit => {
                number = number * 10 + i64::from(digit.to_digit(10)?);
                continue;
            }
        };
        total += number * unit_s * 1_000;
        number = 0;
    }
    (number == 0 && total > 0).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scene_can_be_read_and_played() {
        let (open, closed) = (open().expect("scenes"), closed().expect("scenes"));
        assert_eq!(open.len() + closed.len(), 60);
        for scene in open.iter().chain(&closed) {
            let name = scene.names[0];
            assert!(matches!(scene.lines.first(), Some(Line::Visitor(_))), "{name}");
            assert_eq!(scene.rating > 0 && scene.rating <= 5, scene.rating != 0, "{name}");
            assert!(scene.comment.is_empty() || scene.rating > 0, "{name}");
            let is_closed = matches!(scene.state, State::Closed(..));
            assert!(is_closed || scene.rating == 0, "{name}");
            assert_eq!(closed.contains(scene), is_closed, "{name}");
            for line in &scene.lines {
                if let Line::Picture(picture) = line {
                    assert!(super::super::pictures::draw(picture).is_some(), "{name}: {picture}");
                }
                let answered = matches!(line, Line::Owner(_) | Line::Note(_));
                assert!(!answered || scene.owner().is_some(), "{name}");
            }
            if scene.state == State::Queued {
                assert!(matches!(scene.when, When::WaitsMs(_)), "{name}");
            }
        }
        for wait_ms in [40_000, 370_000] {
            assert!(open.iter().any(|scene| scene.when == When::WaitsMs(wait_ms)), "{wait_ms}");
        }
        assert!(open.iter().any(|scene| scene.before == 10_000));
        let chinese = |scene: &&Scene| scene.language == Language::Chinese;
        let all = open.iter().chain(&closed);
        assert!((20..40).contains(&all.filter(chinese).count()), "both languages");
    }

    #[test]
    fn spans_are_read_in_days_hours_minutes_and_seconds() {
        for (text, seconds) in [
            ("40s", Some(40)),
            ("1d5h", Some(104_400)),
            ("1h50m", Some(6_600)),
            ("5", None),
            ("", None),
        ] {
            assert_eq!(span_ms(text), seconds.map(|seconds| seconds * 1_000), "{text}");
        }
    }
}
