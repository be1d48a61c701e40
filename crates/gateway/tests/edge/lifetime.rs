//! Slow, silent, paused, moved and drained connections.

use std::time::Duration;

use frontdesk_gateway::edge::{CloseReason, EdgeLimits};
use frontdesk_protocol::close;

use super::{
    client::{CLOSE, Client, TEXT, frame},
    server::{Command, Event, Server},
};

fn quick() -> EdgeLimits {
    EdgeLimits {
        silence_max: Duration::from_millis(300),
        close_timeout: Duration::from_millis(300),
        tick: Duration::from_millis(10),
        ..EdgeLimits::default()
    }
}

#[test]
fn r09_slow_consumer_is_closed_with_the_slow_code_and_a_bounded_queue() {
    let server = Server::start(&EdgeLimits::default());
    let mut client = Client::connect(server.address);
    assert!(matches!(server.event(), Event::Connected(_)));
    // 64 KiB per order, nothing read: the kernel's buffers fill, then the queue.
    let mut most = 0;
    let orders: Vec<u8> = std::iter::repeat_n(frame(TEXT, b"block"), 400).flatten().collect();
    client.send(&orders);
    loop {
        match server.event() {
            Event::Queued(bytes) => most = most.max(bytes),
            Event::Closed { on: 0, why } => {
                assert_eq!(why, CloseReason::Slow);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(most <= (1 << 20) + (64 << 10) + 10, "{most} bytes were queued");
    assert_eq!(server.counters(0).slow_closes, 1);
    // What was queued behind the frame under way is dropped: the code comes soon.
    let mut bytes = 0;
    loop {
        let (first, payload) = client.frame();
        if first == CLOSE {
            assert_eq!(payload[..2], close::SLOW.code.to_be_bytes());
            break;
        }
        bytes += payload.len();
    }
    println!("r09: {bytes} bytes lay in the kernel, {most} in the queue");
}

#[test]
fn a_reader_who_keeps_up_is_not_slow_however_much_one_turn_queues() {
    let server = Server::start(&EdgeLimits::default());
    let mut client = Client::connect(server.address);
    let orders: Vec<u8> = std::iter::repeat_n(frame(TEXT, b"block"), 12).flatten().collect();
    for _ in 0..20 {
        client.send(&orders);
        for _ in 0..12 {
            assert_eq!(client.frame().1.len(), 64 << 10);
        }
    }
    assert_eq!(server.counters(0).slow_closes, 0);
}

#[test]
fn r09_one_frame_longer_than_the_queue_is_sent_whole() {
    let server = Server::start(&EdgeLimits::default());
    let mut client = Client::connect(server.address);
    assert!(matches!(server.event(), Event::Connected(_)));
    // Nothing is read: most of the page stays in the queue, and what follows waits behind it.
    client.send(&frame(TEXT, b"page"));
    let Event::Queued(queued) = server.event() else { panic!("nothing was queued") };
    assert!(queued > EdgeLimits::default().out_queue_bytes_max, "only {queued} bytes wait");
    client.send(&frame(TEXT, b"block"));
    assert!(matches!(server.event(), Event::Queued(_)));
    assert_eq!(client.frame().1.len(), 4 << 20);
    assert_eq!(client.frame().1.len(), 64 << 10);
    assert_eq!(server.counters(0).slow_closes, 0);
}

#[test]
fn an_emptied_queue_is_told_once() {
    let server = Server::start(&EdgeLimits::default());
    let mut client = Client::connect(server.address);
    assert!(matches!(server.event(), Event::Connected(_)));
    client.send(&frame(TEXT, b"drain"));
    let Event::Queued(queued) = server.event() else { panic!("nothing was queued") };
    assert!(queued > 4 << 20);
    // The timer fires while the page waits to be read.
    assert_eq!(server.any_event(), Event::Timer(7));
    assert_eq!(client.frame().1.len(), 4 << 20);
    assert_eq!(server.event(), Event::Drained { queued: 0 });
    client.send(&frame(TEXT, b"block"));
    assert!(matches!(server.event(), Event::Queued(_)), "told a second time");
}

#[test]
fn r08_half_open_connection_is_noticed_and_its_socket_dropped() {
    let server = Server::start(&quick());
    let mut client = Client::connect(server.address);
    assert!(matches!(server.event(), Event::Connected(_)));
    let why = CloseReason::Silent;
    assert_eq!(server.event(), Event::Closed { on: 0, why });
    // The close frame is not answered; the socket goes after the close timeout.
    let (first, payload) = client.frame();
    assert_eq!((first, &payload[..2]), (CLOSE, &close::SILENT.code.to_be_bytes()[..]));
    client.ended();
    assert_eq!(server.counters(0).silent_closes, 1);
}

#[test]
fn a_socket_that_just_ends_is_lost() {
    let server = Server::start(&EdgeLimits::default());
    let client = Client::connect(server.address);
    assert!(matches!(server.event(), Event::Connected(_)));
    drop(client);
    assert_eq!(server.event(), Event::Closed { on: 0, why: CloseReason::Lost });
}

#[test]
fn timers_of_a_connection_fire_once_and_go_with_it() {
    let server = Server::start(&EdgeLimits { tick: Duration::from_millis(10), ..quick() });
    let client = Client::connect(server.address);
    assert!(matches!(server.any_event(), Event::Connected(_)));
    assert_eq!(server.any_event(), Event::Timer(7));
    assert_eq!(server.any_event(), Event::Closed { on: 0, why: CloseReason::Silent });
    drop(client);
}

#[test]
fn r10_a_paused_connection_is_not_read_and_loses_nothing() {
    let server = Server::start(&EdgeLimits::default());
    let mut client = Client::connect(server.address);
    let mut other = Client::connect(server.address);
    for _ in 0..2 {
        assert!(matches!(server.event(), Event::Connected(_)));
    }
    let mut bytes = [frame(TEXT, b"a"), frame(TEXT, b"pause"), frame(TEXT, b"b")].concat();
    let half = frame(TEXT, b"cut in two");
    bytes.extend_from_slice(&half[..8]);
    client.send(&bytes);
    assert_eq!(client.hear(), "a");
    let Event::Paused(conn) = server.event() else { panic!("paused comes next") };
    client.send(&half[8..]);
    client.say("pause");
    // The other one gets its answer, so the loop has had its turns.
    for _ in 0..3 {
        other.say("x");
        assert_eq!(other.hear(), "x");
    }
    assert_eq!(server.counters(0).messages_in, 2 + 3);
    assert!(server.loops[0].send(Command::Resume(conn)).is_ok());
    assert_eq!(client.hear(), "b");
    assert_eq!(client.hear(), "cut in two");
    assert!(matches!(server.event(), Event::Paused(_)));
    // An end that comes during the pause is seen after it, messages first.
    client.say("last");
    drop(client);
    assert!(server.loops[0].send(Command::Resume(conn)).is_ok());
    assert_eq!(server.event(), Event::Closed { on: 0, why: CloseReason::Lost });
}

#[test]
fn a_connection_begins_anew_under_another_id_and_keeps_its_bytes_in_flight() {
    let server = Server::start(&quick());
    for round in 0..10 {
        let mut client = Client::connect(server.address);
        assert!(matches!(server.event(), Event::Connected(_)));
        let cut = frame(TEXT, b"cut in two");
        let at = round % cut.len();
        let mut bytes: Vec<u8> = ["a", "renew", "b", "renew", "c"]
            .iter()
            .flat_map(|of| frame(TEXT, of.as_bytes()))
            .collect();
        bytes.extend_from_slice(&cut[..at]);
        client.send(&bytes);
        for expected in ["a", "before", "after", "b", "before", "after", "c"] {
            assert_eq!(client.hear(), expected);
        }
        client.send(&cut[at..]);
        assert_eq!(client.hear(), "cut in two");
        assert_eq!([server.event(), server.event()], [Event::Renewed, Event::Renewed]);
        let why = if round % 2 == 0 {
            // The end of the stream, read together with what stood before it, is met all the same.
            client.say("renew");
            drop(client);
            assert_eq!(server.event(), Event::Renewed);
            CloseReason::Lost
        } else {
            // Silence is noticed as before.
            CloseReason::Silent
        };
        assert_eq!(server.event(), Event::Closed { on: 0, why });
    }
}

#[test]
fn a_move_between_loops_keeps_order_with_bytes_in_flight() {
    let server = Server::start(&EdgeLimits::default());
    for round in 0..20 {
        let mut client = Client::connect(server.address);
        assert!(matches!(server.event(), Event::Connected(_)));
        // Answers queued before the move, messages behind it, one of them cut, all in one write.
        let cut = frame(TEXT, b"cut in two");
        let at = round % cut.len();
        let mut bytes = [&b"a"[..], b"b", b"move", b"c"]
            .iter()
            .flat_map(|text| frame(TEXT, text))
            .collect::<Vec<_>>();
        bytes.extend(frame(0x01, "frag—".as_bytes()));
        bytes.extend(frame(0x80, b"ment"));
        bytes.extend_from_slice(&cut[..at]);
        client.send(&bytes);
        for expected in ["a", "b", "c", "frag—ment"] {
            assert_eq!(client.hear(), expected);
        }
        assert_eq!(server.event(), Event::Adopted { on: 1 });
        client.send(&cut[at..]);
        assert_eq!(client.hear(), "cut in two");
        client.say("close");
        assert_eq!(client.closed(), 3500);
        let why = CloseReason::Service(3500);
        assert_eq!(server.event(), Event::Closed { on: 1, why });
    }
    assert_eq!(server.counters(0).moved, 20);
    assert_eq!(server.counters(1).adopted, 20);
}

#[test]
fn r14_a_drained_loop_says_goodbye_to_all_and_ends() {
    let server = Server::start(&EdgeLimits::default());
    let mut clients: Vec<_> = (0..20).map(|_| Client::connect(server.address)).collect();
    for _ in 0..20 {
        assert!(matches!(server.event(), Event::Connected(_)));
    }
    assert!(server.loops[0].send(Command::CloseAll(3000)).is_ok());
    for client in &mut clients {
        assert_eq!(client.closed(), 3000);
    }
    for _ in 0..20 {
        let why = CloseReason::Service(3000);
        assert_eq!(server.event(), Event::Closed { on: 0, why });
    }
}

#[test]
fn a_loop_without_room_or_time_says_so_to_who_arrives() {
    let server = Server::start(&EdgeLimits { connections_max: 1, ..EdgeLimits::default() });
    let mut first = Client::connect(server.address);
    assert!(matches!(server.event(), Event::Connected(_)));
    assert_eq!(Client::connect(server.address).closed(), close::OVERLOADED.code);
    first.say("still served");
    assert_eq!(first.hear(), "still served");
    assert_eq!(server.counters(0).dropped, 1);
    // The first does not answer its close frame, so the loop goes on until it is stopped again.
    assert!(server.loops[0].send(Command::CloseAll(3000)).is_ok());
    assert_eq!(first.frame().0, CLOSE);
    assert_eq!(Client::connect(server.address).closed(), close::RESTART.code);
}

#[test]
fn r07_after_a_stall_of_the_loop_nobody_who_spoke_is_called_silent() {
    // Few events a turn, so that most of what was sent is read late.
    let server = Server::start(&EdgeLimits {
        silence_max: Duration::from_millis(800),
        events_per_turn_max: 2,
        ..quick()
    });
    let mut clients: Vec<_> = (0..20).map(|_| Client::connect(server.address)).collect();
    for _ in 0..20 {
        assert!(matches!(server.event(), Event::Connected(_)));
    }
    clients[0].say("stall");
    for client in &mut clients {
        client.say("here");
    }
    for client in &mut clients {
        assert_eq!(client.hear(), "here");
    }
}
