//! The long tier: tests that take minutes or need what few machines have. `make test` leaves them
//! out (they are ignored), `make test-long` runs them one after the other on the release binary.
//!
//! Each ends with a section of the dated result file: its set-up, every figure beside what is wanted,
//! and how it ended. A tool that is not there makes a test skipped, never passed.

mod cluster;
mod r03;
mod r06;
mod r07;
mod r12;
mod r15;
mod r16;
mod r17;
mod r18;
mod r19;
mod r20;
mod r21;
mod r22;
mod r23;
mod r26;
mod r27;
mod r30;

use std::{
    fmt::{Display, Write as _},
    fs,
    path::PathBuf,
    sync::OnceLock,
    time::Instant,
};

use frontdesk_testkit::{
    Checker, ServerBuilder, TestServer, Verdict, checker::ACKED_MIN, http::note, robot::histories,
    server::ADMIN_EMAIL,
};

use crate::FRONTDESK;

/// The binary of the long tier: `FRONTDESK_BIN`, else the one under test anyway.
pub(crate) fn binary() -> &'static str {
    static BINARY: OnceLock<String> = OnceLock::new();
    BINARY.get_or_init(|| std::env::var("FRONTDESK_BIN").unwrap_or_else(|_| FRONTDESK.to_owned()))
}

/// A server without the limits that one address reaches when it plays hundreds of people.
fn roomy() -> ServerBuilder {
    TestServer::builder(binary())
        .set("limits.visitor_rate_per_s", 100_000)
        .set("limits.visitor_burst", 100_000)
        .set("limits.agent_rate_per_s", 100_000)
        .set("limits.agent_burst", 100_000)
        .set("limits.ip_rate_per_s", 100_000)
        .set("limits.ip_burst", 100_000)
        .set("limits.http_per_address_per_minute", 1_000_000)
        .set("limits.http_per_account_per_minute", 1_000_000)
}

/// What a test of the long tier found.
struct Report {
    id: &'static str,
    setup: String,
    began: Instant,
    figures: Vec<Figure>,
    skipped: Option<String>,
    finished: bool,
}

struct Figure {
    what: String,
    measured: String,
    wanted: String,
    holds: bool,
}

impl Report {
    fn begin(id: &'static str, setup: &str) -> Self {
        note(&format!("{id} begins, on {}", binary()));
        let setup = setup.to_owned();
        Self { id, setup, began: Instant::now(), figures: vec![], skipped: None, finished: false }
    }

    /// Notes a figure beside what is wanted of it. All are looked at before the test fails.
    fn figure(&mut self, what: &str, measured: impl Display, wanted: &str, holds: bool) {
        let measured = measured.to_string();
        let sign = if holds { "holds" } else { "DOES NOT HOLD" };
        note(&format!("{}: {what}: {measured} (wanted: {wanted}) {sign}", self.id));
        let (what, wanted) = (what.to_owned(), wanted.to_owned());
        self.figures.push(Figure { what, measured, wanted, holds });
    }

    /// Ends the test, which needs something that is not here.
    fn skip(mut self, reason: &str) {
        note(&format!("\n*** {} SKIPPED: {reason} ***\n", self.id));
        self.skipped = Some(reason.to_owned());
        self.finished = true;
    }

    /// Reads all conversations of the record back and notes what the checker finds (I1-I6).
    async fn verdict(&mut self, server: &TestServer, checker: &Checker) {
        let reader = server.http.sign_in(ADMIN_EMAIL).await;
        let histories = histories(&reader, checker.conversations()).await;
        let verdict = checker.verdict(&histories);
        let Verdict { lost, dup, order, phantom, acked, .. } = &verdict;
        self.figure("messages acked", acked, "at least 1,000, else void", *acked >= ACKED_MIN);
        let found =
            [("lost", lost), ("doubled", dup), ("out of order", order), ("invented", phantom)];
        for (what, count) in found {
            self.figure(&format!("acked messages {what}"), count, "0", *count == 0);
        }
        for finding in verdict.findings() {
            note(finding);
        }
    }

    /// Ends the test; it fails unless every figure is as wanted.
    fn finish(mut self) {
        self.finished = true;
        let missed = self.figures.iter().filter(|figure| !figure.holds);
        let missed: Vec<&str> = missed.map(|figure| figure.what.as_str()).collect();
        assert!(!self.figures.is_empty(), "{} measured nothing", self.id);
        assert!(missed.is_empty(), "{}: {} not as wanted", self.id, missed.join(", "));
    }

    /// The section of the result file.
    fn section(&self) -> String {
        let held = self.figures.iter().all(|figure| figure.holds) && self.finished;
        let outcome = match &self.skipped {
            Some(reason) => format!("skipped: {reason}"),
            None if held => "passed".to_owned(),
            None => "failed".to_owned(),
        };
        let commit = std::env::var("FRONTDESK_COMMIT").unwrap_or_else(|_| "unknown".to_owned());
        let minutes = self.began.elapsed().as_secs_f64() / 60.0;
        let mut text = format!(
            "## {}: {outcome}\n{}\n\nCommit `{commit}`, {minutes:.1} minutes.\n\n",
            self.id.to_uppercase(),
            self.setup
        );
        if !self.figures.is_empty() {
            text.push_str("| | measured | wanted | holds |\n|---|---|---|---|\n");
        }
        for Figure { what, measured, wanted, holds } in &self.figures {
            let holds = if *holds { "yes" } else { "**no**" };
            writeln!(text, "| {what} | {measured} | {wanted} | {holds} |").expect("a String grows");
        }
        text
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        // Written however the test ends; without the variable a person reads the output.
        let Some(dir) = std::env::var_os("FRONTDESK_RESULTS").map(PathBuf::from) else { return };
        fs::write(dir.join(self.id).with_extension("md"), self.section())
            .expect("the section can be written");
    }
}
