//! Connections that come get the places of those that have gone.

use std::{
    sync::{Arc, Barrier},
    time::Duration,
};

use crossbeam_channel::{Sender, unbounded};
use frontdesk_gateway::edge::{
    CloseReason, ConnId, ConnMeta, ConnRef, EdgeLimits, EdgeLoop, Io, Kind, Message, Service,
    TimerKey,
};

enum Command {
    /// Holds the loop up, so that what follows is taken in one turn.
    Wait(Arc<Barrier>),
    Open,
    Lose(ConnId),
    End,
}

#[derive(Debug, PartialEq)]
enum Event {
    Opened(ConnId),
    Closed(ConnId),
}

struct Places {
    events: Sender<Event>,
    opened: u32,
}

impl Service for Places {
    type Command = Command;

    fn connected(&mut self, _: &mut Io<'_>, _: ConnId, _: ConnMeta) {}

    fn message(&mut self, _: &mut Io<'_>, _: ConnId, _: Message<'_>) {}

    fn closed(&mut self, _: &mut Io<'_>, conn: ConnId, _: CloseReason) {
        // The last one is closed with the loop, when nobody listens any more.
        drop(self.events.send(Event::Closed(conn)));
    }

    fn timer(&mut self, _: &mut Io<'_>, _: TimerKey) {}

    fn turn_end(&mut self, _: &mut Io<'_>) {}

    fn command(&mut self, io: &mut Io<'_>, command: Command) {
        match command {
            Command::Wait(barrier) => drop(barrier.wait()),
            Command::Lose(conn) => io.lose(conn),
            Command::End => io.stop(Duration::ZERO),
            Command::Open => {
                self.opened += 1;
                let home = ConnRef { loop_index: 1, conn: ConnId::from_parts(self.opened, 1) };
                let conn = io.open_tunnel(home, Kind::Binary).expect("there is room");
                self.events.send(Event::Opened(conn)).expect("the test listens");
            }
        }
    }
}

/// Who hears of a connection's end after another one has its place takes the new one for the old one.
#[test]
fn the_end_of_a_connection_is_told_before_another_one_gets_its_place() {
    let (edge, handle) = EdgeLoop::open(EdgeLimits::default()).expect("a loop");
    let (events, heard) = unbounded();
    let service = Places { events, opened: 0 };
    let thread = std::thread::spawn(move || edge.run(service).map(drop));
    let tell = |command| assert!(handle.send(command).is_ok());
    tell(Command::Open);
    let Ok(Event::Opened(first)) = heard.recv() else { panic!("it is open") };
    let barrier = Arc::new(Barrier::new(2));
    tell(Command::Wait(Arc::clone(&barrier)));
    tell(Command::Lose(first));
    tell(Command::Open);
    barrier.wait();
    assert_eq!(heard.recv(), Ok(Event::Closed(first)));
    let Ok(Event::Opened(second)) = heard.recv() else { panic!("it is open") };
    assert_eq!(second.index(), first.index(), "it is the same place");
    tell(Command::End);
    thread.join().expect("the loop ends well").expect("the loop ends well");
}
