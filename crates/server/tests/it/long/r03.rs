//! Power loss (R3): the server runs in a virtual machine that is killed while people write. The
//! guest's page cache goes with it, and with it all that was written and not flushed.

use std::{net::TcpListener, process::Command, time::Duration};

use frontdesk_testkit::{
    Rng, ServerBuilder, TestVisitor, http::note, live::message_id, server::ADMIN_EMAIL,
};

use super::{Report, roomy};
use crate::{ENGINE, MIB, crash::Crowd, heavy};

const GUEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/long/guest");
const CUTS: usize = 10;
/// Messages of the run that shows the fault.
const UNSAFE: usize = 200;

/// A server in a guest; its data directory and image lie in `dir`.
fn in_guest(dir: &tempfile::TempDir) -> ServerBuilder {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    roomy()
        .under(&[GUEST])
        .port(port.expect("a free port").port())
        .data_dir(&dir.path().join("data"))
        .set("storage.embedded.engine", ENGINE)
        .set("storage.embedded.segment_bytes", 8 * MIB)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes, and a virtual machine; make test-long"]
async fn r03_power_loss_takes_nothing_that_was_acked() {
    let _alone = heavy().await;
    let mut report = Report::begin(
        "r03",
        &format!(
            "The binary in a qemu guest (translated, 2 cores, ext4 on a virtio disk of 1 GiB), 20 visitors and 2 \
             agents on the host write 160 messages a second; {CUTS} times, at a random moment 3 to 8 s after all are \
             back, qemu is killed with signal 9 and started again on the same image. The host's cache \
             survives: this is the loss of the guest's power, not of the host's."
        ),
    );
    let prepared = Command::new(GUEST).arg("prepare").output().expect("a shell");
    if !prepared.status.success() {
        return report.skip(String::from_utf8_lossy(&prepared.stderr).trim());
    }
    let dir = tempfile::tempdir().expect("a directory");
    let mut rng = Rng::announced("r03");
    let mut server = in_guest(&dir).start().await;
    let crowd = Crowd::start(&server, 20, 2, Duration::from_millis(250)).await;
    let mut slowest = Duration::ZERO;
    for cut in 1..=CUTS {
        crowd.recorder.live_since_fault(crowd.robots.len()).await;
        // The moment is the test: whatever is under way then, is cut.
        tokio::time::sleep(Duration::from_millis(rng.pick(3_000..8_000))).await;
        crowd.recorder.fault(&format!("power loss, number {cut}"));
        server.kill9().await;
        slowest = slowest.max(server.restart().await);
    }
    let checker = crowd.finish().await;
    report.figure("power losses", CUTS, "10", true);
    report.figure("boot to ready, at most", format!("{slowest:.1?}"), "no figure", true);
    report.verdict(&server, &checker).await;
    drop(server);

    // The same fault where nobody waits for the disk: it has to show.
    let dir = tempfile::tempdir().expect("a directory");
    let mut server = in_guest(&dir).set("storage.embedded.durability", "async").start().await;
    let named =
        server.log().iter().any(|line| line.contains("durability") && line.contains("async"));
    report.figure("start log names durability async", named, "true", named);
    let ready = server.http.get("/readyz").await.json();
    let told = ready["durability"] == "async";
    report.figure("/readyz names it", &ready["durability"], "\"async\"", told);
    let mut visitor = TestVisitor::connect(&server).await;
    for number in 0..UNSAFE {
        let said = visitor.try_say(&message_id(), &format!("unsafe {number}")).await;
        said.expect("acked");
    }
    server.kill9().await;
    server.restart().await;
    let reader = server.http.sign_in(ADMIN_EMAIL).await;
    let path = format!("/api/v1/conversations/{}/entries?limit=200", visitor.conversation);
    let answer = reader.get(&path).await;
    note(&format!("r03: after the loss: {} {}", answer.status, answer.text.len()));
    let kept = answer.json()["items"].as_array().map_or(0, Vec::len);
    report.figure(
        &format!("with async, messages left of {UNSAFE} acked"),
        kept,
        "fewer: the fault is one",
        kept < UNSAFE,
    );
    report.finish();
}
