//! Kafka is away for a minute while people write (R16): what is sent waits, nothing is acked that is not
//! kept, and all of it arrives once the broker answers again.

use frontdesk_testkit::services::{OwnServices, Signal};

use super::cluster::{Away, Meanwhile, fault_time};
use crate::heavy;

async fn kafka_away(
    id: &'static str,
    how: &str,
    fault: impl FnOnce(&OwnServices),
    heal: impl FnOnce(&OwnServices),
) {
    let _alone = heavy().await;
    let own = OwnServices::start();
    let away = Away {
        id,
        setup: format!("one broker of Kafka 4.1, Redis, two MariaDB; the broker has {how}"),
        nodes: 3,
        min_insync: None,
        meanwhile: Meanwhile::NothingIsAcked,
    };
    let fault = async |own: &OwnServices| {
        fault(own);
        // How long it is away is the test.
        tokio::time::sleep(fault_time()).await;
    };
    away.run(&own, &own.addresses(), fault, heal).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; make test-long"]
async fn r16_kafka_stopped_for_a_minute_delivers_everything_once_it_answers() {
    kafka_away(
        "r16",
        "SIGSTOP, then SIGCONT",
        |own| own.signal("kafka-1", Signal::STOP),
        |own| own.signal("kafka-1", Signal::CONT),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; make test-long"]
async fn r16_kafka_killed_for_a_minute_delivers_everything_once_it_answers() {
    kafka_away(
        "r16-killed",
        "kill -9, then is started again",
        |own| own.signal("kafka-1", Signal::KILL),
        OwnServices::start_again,
    )
    .await;
}
