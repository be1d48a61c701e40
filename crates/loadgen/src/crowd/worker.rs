//! A process of a crowd: it holds as many connections as it may have files, answers their pings, and
//! does what the parent asks for.

use std::{
    io::{BufRead, Write},
    os::fd::AsFd,
    sync::Arc,
};

use rustls::ClientConfig;

use super::pipe::{self, Answer, Begin, Command};
use crate::{
    child::end_with_stdin,
    cpu::Process,
    error::Error,
    generator::Generator,
    herd::{Herd, Members},
    launch::ProductAccess,
    link::Peer,
    product::{Product, begin, random, tickets_door},
};

const OUT_OF_TURN: Error = Error::Malformed { what: "a command in its turn" };

/// Serves the parent on standard input and output until it is gone or has what it wanted. `tls` is what
/// certificates of servers are checked with, where they speak https.
pub fn crowd_worker(tls: Option<Arc<ClientConfig>>) -> Result<(), Error> {
    end_with_stdin()?;
    let (mut commands, mut answers) = (std::io::stdin().lock(), std::io::stdout().lock());
    match serve(&mut commands, &mut answers, tls) {
        Ok(()) => Ok(()),
        Err(error) => pipe::write(&mut answers, &Answer::Failed(chain(&error))),
    }
}

fn serve(
    commands: &mut (impl BufRead + AsFd),
    answers: &mut impl Write,
    tls: Option<Arc<ClientConfig>>,
) -> Result<(), Error> {
    let to = match pipe::read(commands)? {
        None => return Ok(()),
        Some(Command::Begin(to)) => to,
        Some(_) => return Err(OUT_OF_TURN),
    };
    let server = Process::new(to.server_pid);
    let mut herd = gather(to, tls)?;
    let generator = loop {
        pipe::write(answers, &Answer::Done)?;
        herd.rest_until(&*commands)?;
        match pipe::read(commands)? {
            None => return Ok(()),
            Some(Command::Grow { to }) => herd.grow(to)?,
            Some(Command::Open { chatting }) => break open(herd.apart(), chatting, server)?,
            Some(_) => return Err(OUT_OF_TURN),
        }
    };
    pipe::write(answers, &Answer::Done)?;
    match pipe::read(commands)? {
        None => Ok(()),
        Some(Command::Run(plan)) => {
            let outcome = generator.run(plan)?;
            pipe::write(answers, &Answer::Found(Box::new(outcome)))
        }
        Some(_) => Err(OUT_OF_TURN),
    }
}

/// The agents, and nobody else yet.
fn gather(to: Begin, tls: Option<Arc<ClientConfig>>) -> Result<Herd, Error> {
    let mut access = ProductAccess {
        base_url: to.base_url,
        others: Vec::new(),
        admin_email: to.admin_email,
        admin_password: to.admin_password,
        inbox_key: to.inbox_key,
        tls,
    };
    let mut team = Vec::new();
    if to.agents > 0 {
        let mut door = tickets_door(&access)?;
        if to.apart {
            (team, access.inbox_key) = door.agents_apart(&access, to.agents, to.chatting)?;
        } else {
            team = door.agents(&access, to.agents, to.chatting)?;
        }
    }
    Herd::new(&access, Product::fresh(to.text_bytes)?, team)
}

/// Some visitors, chosen by chance, begin to talk to the agents; all others stay connected.
fn open(herd: Members, chatting: u32, server: Process) -> Result<Generator<Product>, Error> {
    let Members { mut product, team, mut links, mut visitor_of } = herd;
    let count = (chatting as usize).min(links.len());
    for place in 0..count {
        let chosen = place + random()? as usize % (links.len() - place);
        links.swap(place, chosen);
        visitor_of.swap(place, chosen);
    }
    let silent = links.split_off(count);
    visitor_of.truncate(count);
    for (number, link) in (0..).zip(&mut links) {
        link.peer = Peer::Visitor(number);
    }
    let mut cast = begin(&mut product, links, visitor_of, team)?;
    cast.links.extend(silent);
    Generator::new(product, cast.links, count as u32, server)
}

/// An error with its causes.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.extend([": ", &cause.to_string()]);
        source = cause.source();
    }
    text
}
