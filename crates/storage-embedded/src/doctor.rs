//! Checks logs and history of a stopped installation, and names everything that is wrong.
//!
//! Unlike a start it goes on after a finding where it can, reads every table and every entry, and
//! compares states with what is stored. Opening the history may cut a torn end of its journal, as
//! a start would; nothing else is changed.

use std::fmt;
use std::path::{Path, PathBuf};

use frontdesk_core::id::ConversationId;
use frontdesk_core::store::ConversationState;
use frontdesk_storage::{History, Offset};
use prost::Message;

use crate::history::keys::{self, Order, Parsed};
use crate::history::{check_files, mark, run};
use crate::{EmbeddedHistory, Engine, HistoryOptions, log};

/// Findings reported at most: a history damaged all over would fill the screen.
const FINDINGS_MAX: usize = 100;
/// Keys between two reports of progress.
const PROGRESS_KEYS: u64 = 4096;

/// Something wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where: a file, or a directory if it concerns all of it.
    pub path: PathBuf,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.what)
    }
}

/// How far a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// What is being checked.
    pub part: &'a str,
    /// Done so far.
    pub done: u64,
    /// In all; 0 if it is not known beforehand.
    pub total: u64,
}

/// What a check found.
#[derive(Debug, Default)]
pub struct Report {
    /// What is wrong; empty for a sound directory.
    pub findings: Vec<Finding>,
    /// What is not wrong but worth saying.
    pub notes: Vec<String>,
}

impl Report {
    fn add(&mut self, path: &Path, what: impl Into<String>) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding { path: path.to_owned(), what: what.into() });
        }
    }

    fn add_error(&mut self, path: &Path, error: &dyn std::error::Error) {
        let mut what = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            what.push_str(": ");
            what.push_str(&cause.to_string());
            source = cause.source();
        }
        self.add(path, what);
    }
}

/// Checks all logs below `logs` (one directory each, named by its number), the history, and that
/// they meet.
pub fn check(logs: &Path, history: &Path, progress: &mut dyn FnMut(Progress<'_>)) -> Report {
    let mut report = Report::default();
    let mut ranges = Vec::new();
    match log_dirs(logs) {
        Ok(dirs) => {
            for (number, dir) in dirs {
                if let Some(range) = check_log(&dir, &mut report, progress) {
                    ranges.push((number, dir, range));
                }
            }
        }
        Err(error) => report.add_error(logs, &error),
    }
    if let Some(history) = check_history(history, &mut report, progress) {
        for (number, dir, (first, next)) in ranges {
            match history.applied(number) {
                Ok(applied) if applied + 1 >= first && applied < next => {}
                Ok(applied) => report.add(
                    &dir,
                    format!(
                        "the history has applied offset {applied}, but this log holds {first} to {}",
                        next.saturating_sub(1)
                    ),
                ),
                Err(error) => report.add_error(&dir, &error),
            }
        }
    }
    report
}

fn log_dirs(logs: &Path) -> std::io::Result<Vec<(u16, PathBuf)>> {
    let mut dirs = Vec::new();
    if !logs.exists() {
        return Ok(dirs);
    }
    for entry in std::fs::read_dir(logs)? {
        let path = entry?.path();
        let number = path.file_name().and_then(|name| name.to_str()?.parse().ok());
        if let Some(number) = number.filter(|_| path.is_dir()) {
            dirs.push((number, path));
        }
    }
    dirs.sort_unstable();
    Ok(dirs)
}

/// Checks every record of one log; returns its first and next offset if it is whole.
pub fn check_log(
    dir: &Path,
    report: &mut Report,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Option<(Offset, Offset)> {
    let part = format!("log {}", dir.display());
    let inspected = log::inspect(dir, log::Access::Read, &mut |done, total| {
        progress(Progress { part: &part, done, total });
    });
    match inspected {
        Ok(inspected) => {
            if inspected.torn_bytes() > 0 {
                report.notes.push(format!(
                    "{}: {} bytes of an append that was never acknowledged are cut on the next start",
                    dir.join(log::MARK_FILE).display(),
                    inspected.torn_bytes()
                ));
            }
            Some(inspected.range())
        }
        Err(error) => {
            report.add_error(dir, &error);
            None
        }
    }
}

/// What the entries, ids and events of one conversation must agree with.
#[derive(Default)]
struct Expected {
    last_seq: u64,
    session_events: u64,
}

/// Checks every file, key and state of the history; returns it opened if that was possible.
pub fn check_history(
    dir: &Path,
    report: &mut Report,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Option<EmbeddedHistory> {
    let engine = match Engine::of(dir) {
        Ok(engine) => engine.unwrap_or_default(),
        Err(error) => {
            report.add_error(dir, &error);
            return None;
        }
    };
    let options =
        HistoryOptions { engine, verify_bytes_max: u64::MAX, ..HistoryOptions::default() };
    let checked = mark::read(dir).and_then(|marked| {
        check_files(dir, options, marked, &mut |done, total| {
            progress(Progress { part: "history tables", done, total });
        })
    });
    match checked {
        Ok(journals) => {
            if let Some((path, at)) = journals.torn_at() {
                report.notes.push(format!("{}: torn end at byte {at} is cut", path.display()));
            }
        }
        Err(error) => {
            report.add_error(dir, &error);
            return None;
        }
    }
    let options = HistoryOptions { verify_bytes_max: 0, ..options };
    let history = match EmbeddedHistory::open(dir, options) {
        Ok(history) => history,
        Err(error) => {
            report.add_error(dir, &error);
            return None;
        }
    };
    let mut scan = Scan::new(dir, history.order(), report);
    let mut keys_seen = 0;
    let scanned = history.scan(|key, value| {
        keys_seen += 1;
        if keys_seen % PROGRESS_KEYS == 0 {
            progress(Progress { part: "history entries", done: keys_seen, total: 0 });
        }
        scan.key(key, value);
    });
    scan.finish();
    if let Err(error) = scanned {
        report.add_error(dir, &error);
    }
    Some(history)
}

/// One pass over all keys: states come first, then entries, sent ids and events, each kind of a conversation
/// in one piece, so only the states' counts are kept in memory.
struct Scan<'a> {
    dir: &'a Path,
    order: Order,
    report: &'a mut Report,
    expected: hashbrown::HashMap<ConversationId, Expected>,
    /// The run being read: key space tag, conversation, last number.
    run: Option<(u8, ConversationId, u64)>,
    /// Conversations whose entries and events were seen.
    met: u64,
    due: u64,
}

impl<'a> Scan<'a> {
    fn new(dir: &'a Path, order: Order, report: &'a mut Report) -> Self {
        Self { dir, order, report, expected: hashbrown::HashMap::new(), run: None, met: 0, due: 0 }
    }

    fn find(&mut self, conversation: &ConversationId, what: &str) {
        self.report.add(self.dir, format!("conversation {conversation}: {what}"));
    }

    fn key(&mut self, key: &[u8], value: &[u8]) {
        let Some(Parsed { space, conversation, number }) = self.order.parse(key) else {
            self.report.add(self.dir, format!("unknown key with first byte {:?}", key.first()));
            return;
        };
        if !space.fits(value) {
            self.report
                .add(self.dir, format!("a value of `{}` has {} bytes", space.name, value.len()));
            return;
        }
        let Some(conversation) = conversation else { return };
        if space == keys::STATE {
            self.state(conversation, value);
        } else if space == keys::SENT {
            let seq = crate::history::read_u64(value, 0).unwrap_or(0);
            let last = self.expected.get(&conversation).map_or(0, |expected| expected.last_seq);
            if seq == 0 || seq > last {
                self.find(&conversation, &format!("a sent id points to seq {seq} of {last}"));
            }
        } else if space == keys::SENT_RUN {
            self.sent_run(conversation, number.unwrap_or(0), value);
        } else if let Some(number) = number {
            let count = if space == keys::ENTRY { run::count(value) } else { Some(1) };
            match count {
                Some(count) => self.numbered(space.tag, conversation, number, count),
                None => self.find(&conversation, &format!("the row of entry {number} is damaged")),
            }
        }
    }

    fn state(&mut self, conversation: ConversationId, value: &[u8]) {
        match ConversationState::decode(value) {
            Ok(state) => {
                self.due += u64::from(state.last_seq > 0) + u64::from(state.session_events > 0);
                let expected =
                    Expected { last_seq: state.last_seq, session_events: state.session_events };
                self.expected.insert(conversation, expected);
            }
            Err(error) => self.find(&conversation, &format!("its state cannot be read: {error}")),
        }
    }

    fn sent_run(&mut self, conversation: ConversationId, first: u64, value: &[u8]) {
        let last = self.expected.get(&conversation).map_or(0, |expected| expected.last_seq);
        let ids = (value.len() / run::ID_BYTES) as u64;
        if first == 0
            || ids == 0
            || !value.len().is_multiple_of(run::ID_BYTES)
            || first + ids - 1 > last
        {
            self.find(&conversation, &format!("{ids} sent ids begin at seq {first} of {last}"));
        }
    }

    /// `count` entries or events that begin with this number.
    fn numbered(&mut self, tag: u8, conversation: ConversationId, number: u64, count: u64) {
        let last = match self.run {
            Some((run_tag, run, last)) if (run_tag, run) == (tag, conversation) => last,
            _ => {
                self.end_run();
                self.met += 1;
                0
            }
        };
        if number != last + 1 {
            self.find(&conversation, &format!("{} {} is missing", name_of(tag), last + 1));
        }
        self.run = Some((tag, conversation, number + count - 1));
    }

    fn end_run(&mut self) {
        let Some((tag, conversation, last)) = self.run.take() else { return };
        let Some(expected) = self.expected.get(&conversation) else {
            self.find(&conversation, &format!("there is a {} but no state", name_of(tag)));
            return;
        };
        let due = if tag == keys::ENTRY.tag { expected.last_seq } else { expected.session_events };
        if last != due {
            let what = format!("the last {} is {last}, its state says {due}", name_of(tag));
            self.find(&conversation, &what);
        }
    }

    fn finish(&mut self) {
        self.end_run();
        if self.met < self.due {
            let missing = self.due - self.met;
            let what = format!("{missing} conversations have a state but no entries or events");
            self.report.add(self.dir, what);
        }
    }
}

fn name_of(tag: u8) -> &'static str {
    if tag == keys::ENTRY.tag { keys::ENTRY.name } else { keys::EVENT.name }
}
