//! What a broken intent model does to the chat (R27): nothing. One is missing, one has no numbers in it, one takes
//! seconds for a text and burns the CPU meanwhile. Sessions go to their inbox's own queue within two seconds, and
//! acks take as long as without any model. What a broken language model does is in [`llm`].

mod llm;

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use frontdesk_testkit::{
    ServerBuilder, TestAgent, TestServer, TestVisitor, checker::quantile, http::note,
    live::message_id,
};
use tempfile::TempDir;
use tokio::time::{interval, sleep};

use super::{Report, roomy};
use crate::heavy;

const VISITORS: usize = 40;
/// Of each visitor.
const MESSAGES: usize = 50;
/// 40 visitors, 200 messages a second.
const PACE: Duration = Duration::from_millis(200);
const ROUNDS: usize = 3;
/// What a session may wait for its intent, and a little for the way.
const ASSIGNED_WITHIN: Duration = Duration::from_millis(2_500);
/// As many tokens as are read of a text.
const LONG: &str =
    "where is my order it was due last week and the page says nothing but please wait";
/// An intent that leads somewhere: new sessions wait for theirs.
const RULES: &str = "intents: { sales: { team: Sales } }\n";

/// Sizes of BERT-large: 2 x 302 million multiplications and additions for each of 64 tokens.
const LAYERS: usize = 24;
const WIDTH: usize = 1_024;
const INNER: usize = 4_096;
const WORDS: [&str; 6] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "order"];

/// A sound model of zeros that is far too large for this: its file has no blocks on the disk.
fn large(dir: &Path) -> PathBuf {
    let model = dir.join("large");
    fs::create_dir(&model).expect("it is ours");
    let config = serde_json::json!({
        "model_type": "bert", "vocab_size": WORDS.len(), "hidden_size": WIDTH,
        "num_hidden_layers": LAYERS, "num_attention_heads": 16, "intermediate_size": INNER,
        "hidden_act": "gelu", "max_position_embeddings": 512,
    });
    fs::write(model.join("config.json"), config.to_string()).expect("it is ours");
    fs::write(model.join("vocab.txt"), WORDS.join("\n")).expect("it is ours");
    let mut tensors: Vec<(String, Vec<usize>)> = vec![
        ("embeddings.word_embeddings.weight".to_owned(), vec![WORDS.len(), WIDTH]),
        ("embeddings.position_embeddings.weight".to_owned(), vec![512, WIDTH]),
        ("embeddings.token_type_embeddings.weight".to_owned(), vec![2, WIDTH]),
        ("classifier.weight".to_owned(), vec![4, WIDTH]),
        ("classifier.bias".to_owned(), vec![4]),
    ];
    let mut norms = vec!["embeddings.LayerNorm".to_owned()];
    for layer in 0..LAYERS {
        let name = format!("encoder.layer.{layer}");
        for (part, from, to) in [
            ("attention.self.query", WIDTH, WIDTH),
            ("attention.self.key", WIDTH, WIDTH),
            ("attention.self.value", WIDTH, WIDTH),
            ("attention.output.dense", WIDTH, WIDTH),
            ("intermediate.dense", WIDTH, INNER),
            ("output.dense", INNER, WIDTH),
        ] {
            tensors.push((format!("{name}.{part}.weight"), vec![to, from]));
            tensors.push((format!("{name}.{part}.bias"), vec![to]));
        }
        norms.extend(["attention.output", "output"].map(|at| format!("{name}.{at}.LayerNorm")));
    }
    for norm in norms {
        tensors.push((format!("{norm}.weight"), vec![WIDTH]));
        tensors.push((format!("{norm}.bias"), vec![WIDTH]));
    }
    // A safetensors file: the length of a header, the header, and the numbers behind it.
    let mut header = String::from("{");
    let mut end = 0;
    for (name, shape) in &tensors {
        let begin = end;
        end += shape.iter().product::<usize>() * 2;
        let comma = if begin == 0 { "" } else { "," };
        let offsets = format!("[{begin},{end}]");
        write!(
            header,
            r#"{comma}"{name}":{{"dtype":"F16","shape":{shape:?},"data_offsets":{offsets}}}"#
        )
        .expect("a String takes everything");
    }
    header.push('}');
    header.push_str(&" ".repeat(header.len().next_multiple_of(8) - header.len()));
    let mut file = File::create(model.join("model.safetensors")).expect("it is ours");
    file.write_all(&(header.len() as u64).to_le_bytes()).expect("it is ours");
    file.write_all(header.as_bytes()).expect("it is ours");
    file.set_len((8 + header.len() + end) as u64).expect("it is ours");
    model
}

/// The shipped model, where a weight is no number.
fn without_numbers(dir: &Path) -> PathBuf {
    let shipped = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../intent/model"));
    let model = dir.join("nan");
    fs::create_dir(&model).expect("it is ours");
    for file in ["config.json", "vocab.txt", "calibration.json", "ngrams.safetensors"] {
        fs::copy(shipped.join(file), model.join(file)).expect("it is there");
    }
    let mut weights = fs::read(shipped.join("model.safetensors")).expect("it is there");
    let last = weights.len() - 2;
    weights[last..].copy_from_slice(&0x7E00_u16.to_le_bytes());
    fs::write(model.join("model.safetensors"), weights).expect("it is ours");
    model
}

fn server(rules: &Path) -> ServerBuilder {
    roomy().set("intent.router_file", rules.display())
}

/// New visitors write for ten seconds; how long each ack took, sorted.
async fn acks(server: &TestServer) -> Vec<Duration> {
    let mut visitors = Vec::new();
    for _ in 0..VISITORS {
        visitors.push(TestVisitor::connect(server).await);
    }
    acks_of(visitors).await
}

/// The same of visitors who are there.
async fn acks_of(visitors: Vec<TestVisitor>) -> Vec<Duration> {
    let mut writers = Vec::new();
    for mut visitor in visitors {
        writers.push(tokio::spawn(async move {
            let mut pace = interval(PACE);
            let mut took = Vec::with_capacity(MESSAGES);
            for number in 0..MESSAGES {
                pace.tick().await;
                let began = Instant::now();
                let text = format!("{LONG} {LONG} {LONG} {LONG} {number}");
                visitor.try_say(&message_id(), &text).await.expect("acked");
                took.push(began.elapsed());
            }
            took
        }));
    }
    let mut all = Vec::new();
    for writer in writers {
        all.extend(writer.await.expect("it does not panic"));
    }
    all.sort_unstable();
    all
}

/// How long a new session waits for somebody, while others write.
async fn assigned_after(server: &TestServer, agent: &mut TestAgent) -> Duration {
    let mut visitor = TestVisitor::connect(server).await;
    let began = Instant::now();
    visitor.say(LONG).await;
    let conversation = visitor.conversation.clone();
    let owned = |row: &frontdesk_protocol::wire::Row| {
        row.conversation == conversation
            && row.session.as_ref().is_some_and(|session| session.owner.is_some())
    };
    agent.row("somebody has it", owned).await;
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; make test-long"]
async fn r27_a_broken_model_is_not_felt() {
    let _alone = heavy().await;
    let mut report = Report::begin(
        "r27",
        &format!(
            "{VISITORS} visitors in new sessions write {MESSAGES} messages each, 200 a second, to a server whose intents lead \
             to a team, so that new sessions wait for theirs. The model is off, missing, has a weight that is no number, or \
             is a sound BERT of {LAYERS} layers and width {WIDTH} on two threads of the same 2 cores. {ROUNDS} rounds in turns."
        ),
    );
    let dir: TempDir = tempfile::tempdir().expect("a directory");
    let rules = dir.path().join("ai_router.yaml");
    fs::write(&rules, RULES).expect("it is ours");
    let (large, nan) = (large(dir.path()), without_numbers(dir.path()));
    for (what, model) in [("missing", dir.path().join("nowhere")), ("no numbers", nan)] {
        let server = server(&rules)
            .set("intent.model_dir", model.display())
            .allow_error("there is no intent model");
        let server = server.start().await;
        let mut agent = TestAgent::online(&server, "Mei").await;
        let took = assigned_after(&server, &mut agent).await;
        report.figure(
            &format!("{what}: a new session is somebody's after"),
            format!("{took:.1?}"),
            "2 s, and 0.5 s for the way",
            took <= ASSIGNED_WITHIN,
        );
    }
    let (mut without, mut with): (Vec<Duration>, Vec<Duration>) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let off = server(&rules).set("intent.enabled", "false").start().await;
        without.extend(acks(&off).await);
        drop(off);
        let slow = server(&rules).set("intent.model_dir", large.display()).start().await;
        // Everybody who writes may be hers: a session waits for its intent, and for nothing else.
        slow.admin().set("routing.capacity", serde_json::json!(1_000)).await;
        let mut agent = TestAgent::online(&slow, "Mei").await;
        let writing = acks(&slow);
        let waiting = async {
            sleep(Duration::from_secs(2)).await;
            assigned_after(&slow, &mut agent).await
        };
        let (took, waited) = tokio::join!(writing, waiting);
        with.extend(took);
        let what = format!("slow, round {round}: a new session is somebody's after");
        let held = waited <= ASSIGNED_WITHIN;
        report.figure(&what, format!("{waited:.1?}"), "2 s, and 0.5 s for the way", held);
        let failed = slow.metric("frontdesk_intent_failures_total").await;
        let open = slow.metric("frontdesk_intent_circuit_open").await;
        let what = format!("slow, round {round}: failures, circuit open");
        report.figure(
            &what,
            format!("{failed}, {open}"),
            "5 or more, 1",
            failed >= 5.0 && open > 0.5,
        );
    }
    without.sort_unstable();
    with.sort_unstable();
    let (before, after) = (quantile(&without, 99), quantile(&with, 99));
    note(&format!("r27: p50 {:?} and {:?}", quantile(&without, 50), quantile(&with, 50)));
    report.figure("ack p99 without a model", format!("{before:.2?}"), "no figure", true);
    report.figure(
        "ack p99 with the slow one",
        format!("{after:.2?}"),
        AS_LONG,
        as_long(before, after),
    );
    report.finish();
}

/// What two rounds of the same server differ by.
const AS_LONG: &str = "1.25 times that, or 2 ms more";

fn as_long(before: Duration, after: Duration) -> bool {
    after <= before.mul_f64(1.25).max(before + Duration::from_millis(2))
}
