//! What a crowd's processes say to each other: one JSON object a line, the parent on the generator's
//! standard input, the generator on its standard output. Every command has one answer.

use std::io::{BufRead, Write};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    error::{Error, io},
    generator::Plan,
    outcome::Outcome,
};

/// The parent asks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Command {
    /// Lets agents in. Comes first.
    Begin(Begin),
    /// Holds so many visitors.
    Grow { to: u32 },
    /// Has the conversations of so many of them, chosen by chance, begun and answered.
    Open { chatting: u32 },
    /// Has those write. The generator ends behind its answer.
    Run(Plan),
}

/// Whose server, and who is to be there.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Begin {
    pub(super) base_url: String,
    pub(super) admin_email: String,
    pub(super) admin_password: String,
    pub(super) inbox_key: String,
    /// Whose CPU time is read, where the server is on this machine.
    pub(super) server_pid: Option<u32>,
    pub(super) agents: u32,
    /// How many visitors will write to them.
    pub(super) chatting: u32,
    /// Other generators have agents at the same server: visitors and agents here are for each other.
    pub(super) apart: bool,
    pub(super) text_bytes: usize,
}

/// The generator answers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// Begun, grown or opened.
    Done,
    /// Run.
    Found(Box<Outcome>),
    /// It gave up; why.
    Failed(String),
}

pub(super) fn write(to: &mut impl Write, what: &impl Serialize) -> Result<(), Error> {
    let mut line = serde_json::to_vec(what).expect("names and numbers are JSON");
    line.push(b'\n');
    to.write_all(&line).and_then(|()| to.flush()).map_err(io("write to a process of the run"))
}

/// `None` when the other end is gone.
pub(super) fn read<T: DeserializeOwned>(from: &mut impl BufRead) -> Result<Option<T>, Error> {
    let mut line = String::new();
    if from.read_line(&mut line).map_err(io("read from a process of the run"))? == 0 {
        return Ok(None);
    }
    let malformed = |_| Error::Malformed { what: "a line of a process of the run" };
    serde_json::from_str(&line).map(Some).map_err(malformed)
}
