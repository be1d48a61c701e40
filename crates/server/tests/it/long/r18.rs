//! Three real brokers, of which some are away for a minute while people write (R18). What brokers say only
//! when they are made to (injected errors) is in the tests of the log itself.

use std::time::Duration;

use frontdesk_testkit::services::{OwnServices, Signal};

use super::cluster::{Away, Meanwhile, fault_time};
use crate::heavy;

/// Half of a round trip of 2 s.
const ONE_WAY: Duration = Duration::from_secs(1);

fn away(id: &'static str, how: &str, meanwhile: Meanwhile) -> Away {
    let setup = format!("three brokers of Kafka 4.1, Redis, two MariaDB; {how}");
    Away { id, setup, nodes: 2, min_insync: None, meanwhile }
}

/// How long it lasts is the test.
async fn lasts() {
    tokio::time::sleep(fault_time()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; make test-long"]
async fn r18_a_leader_killed_for_a_minute_loses_nothing() {
    let _alone = heavy().await;
    let own = OwnServices::start_with_brokers(3);
    let how = "kill -9 of one, which leads a third of the partitions, then it is started again";
    let fault = async |own: &OwnServices| {
        own.signal("kafka-2", Signal::KILL);
        lasts().await;
    };
    let heal = OwnServices::start_again;
    away("r18", how, Meanwhile::MessagesGoOn).run(&own, &own.addresses(), fault, heal).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; make test-long"]
async fn r18_fewer_than_min_insync_for_a_minute_acks_nothing_wrong() {
    let _alone = heavy().await;
    let own = OwnServices::start_with_brokers(3);
    let how = "min.insync.replicas is 3 and one broker is killed, so that two still elect a leader, which says \
               NOT_ENOUGH_REPLICAS; then it is started again";
    let fault = async |own: &OwnServices| {
        own.signal("kafka-2", Signal::KILL);
        lasts().await;
    };
    let mut away = away("r18-insync", how, Meanwhile::NothingIsAcked);
    away.min_insync = Some(3);
    away.run(&own, &own.addresses(), fault, OwnServices::start_again).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; make test-long"]
async fn r18_most_brokers_stopped_for_a_minute_acks_nothing_wrong() {
    let _alone = heavy().await;
    let own = OwnServices::start_with_brokers(3);
    let each = |signal| {
        move |own: &OwnServices| {
            for broker in ["kafka-2", "kafka-3"] {
                own.signal(broker, signal);
            }
        }
    };
    let how = "two of them have SIGSTOP, then SIGCONT";
    let fault = async |own: &OwnServices| {
        each(Signal::STOP)(own);
        lasts().await;
    };
    let heal = each(Signal::CONT);
    let away = away("r18-most", how, Meanwhile::NothingIsAcked);
    away.run(&own, &own.addresses(), fault, heal).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; make test-long"]
async fn r18_brokers_down_and_up_one_after_the_other_lose_nothing() {
    let _alone = heavy().await;
    let own = OwnServices::start_with_brokers(3);
    let how = "each of them in turn is killed for a sixth of the time, started again, and left alone for as long";
    let fault = async |own: &OwnServices| {
        for broker in ["kafka-1", "kafka-2", "kafka-3"] {
            own.signal(broker, Signal::KILL);
            tokio::time::sleep(fault_time() / 6).await;
            tokio::task::block_in_place(|| own.start_again());
            // Until it is in sync again: two of three may not be missing.
            tokio::time::sleep((fault_time() / 6).max(Duration::from_secs(10))).await;
        }
    };
    let away = away("r18-turns", how, Meanwhile::MessagesGoOn);
    away.run(&own, &own.addresses(), fault, |_| ()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; make test-long"]
async fn r18_brokers_two_seconds_away_for_a_minute_lose_nothing() {
    let _alone = heavy().await;
    let (own, proxies) = OwnServices::start_behind_proxies(3).await;
    let how = "between nodes and brokers, which advertise it, stands the fault proxy: a round trip takes 2 s";
    let latency = |latency: Duration| {
        for proxy in &proxies {
            proxy.change(|weather| weather.latency = latency);
        }
    };
    let fault = async |_: &OwnServices| {
        latency(ONE_WAY);
        lasts().await;
    };
    let heal = |_: &OwnServices| latency(Duration::ZERO);
    let away = away("r18-far", how, Meanwhile::MessagesGoOn);
    away.run(&own, &own.addresses(), fault, heal).await;
}
