//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Online customer service in one file.
#[derive(Debug, Parser)]
#[command(name = "frontdesk", version, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// End when the other end of standard input is gone; the benchmarks start their servers so.
    #[arg(long, hide = true)]
    pub(crate) ends_with_stdin: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server.
    Serve(Serve),
    /// Create an account with its first admin, without a browser.
    Init(Init),
    /// Check a data directory; exits 0 when it is sound.
    Doctor(Doctor),
    /// Look after users.
    #[command(subcommand)]
    User(User),
    /// Look after accounts.
    #[command(subcommand)]
    Account(Account),
    /// Look after the databases of a cluster.
    #[command(subcommand)]
    Shard(Shard),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Look after what visitors' messages are sorted by.
    #[command(subcommand)]
    Intent(IntentCommand),
    /// Look after what the articles of a help centre answer.
    #[command(subcommand)]
    Kb(KbCommand),
    /// Look after what bots do.
    #[command(subcommand)]
    Bot(BotCommand),
    /// Print the `OpenAPI` document of the HTTP API.
    Openapi,
    /// Measure this machine.
    Bench(Bench),
    /// A floor's process; the benchmarks start it.
    #[command(hide = true)]
    Floor(Floor),
    /// A process that holds connections; the benchmarks start it.
    #[command(hide = true)]
    CrowdGenerator(CrowdGenerator),
    /// What a benchmark becomes at Ctrl-C: waits for the processes it started, then removes their
    /// directory.
    #[command(hide = true)]
    Sweep {
        /// That directory.
        dir: PathBuf,
    },
    /// Fill an installation with conversations; the benchmarks measure what it is like then.
    #[command(hide = true)]
    Fill(Fill),
    /// Print the version.
    Version,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KbCommand {
    /// Judge by questions whose article is known how well articles are found.
    Eval {
        /// Lines of {"question", "lang", "article"}; "article" is a slug, or null where none answers.
        #[arg(long, value_name = "FILE")]
        data: PathBuf,
        /// Whose articles; without a directory or file those of the demo.
        #[command(flatten)]
        place: Place,
        /// Id of the account; the only one by default.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum BotCommand {
    /// Run the tests inside flows; exits 0 when all pass.
    Test {
        /// The flows (YAML).
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Whose articles; without a directory or file those of the demo.
        #[command(flatten)]
        place: Place,
        /// Id of the account; the only one by default.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum IntentCommand {
    /// Print the thresholds, rules and targets that are shipped, to change them (`ai_router.yaml`).
    Config,
    /// Check a file of thresholds, rules and targets.
    Check {
        /// The file.
        file: PathBuf,
    },
    /// Say what a text would be sorted as, and which step says so.
    Try {
        /// The text.
        text: String,
        #[command(flatten)]
        by: SortedBy,
    },
    /// Train a model on labelled texts.
    Train(IntentTrain),
    /// Judge a model by labelled texts it was not trained on.
    Eval {
        /// Lines of {"text", "label", "lang"}, or a directory of such files.
        #[arg(long, value_name = "FILE")]
        data: PathBuf,
        #[command(flatten)]
        by: SortedBy,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
        /// Draw how often the model is right at each confidence.
        #[arg(long, value_name = "FILE.svg")]
        plot: Option<PathBuf>,
    },
    /// Propose thresholds for a wanted precision.
    Calibrate {
        /// Lines of {"text", "label", "lang"}, or a directory of such files, none of them trained on.
        #[arg(long, value_name = "FILE")]
        data: PathBuf,
        #[command(flatten)]
        by: SortedBy,
        /// Share of the decisions for each label that shall be right.
        #[arg(long, value_name = "SHARE", default_value_t = 0.95)]
        precision: f64,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Show what a model, thresholds or rules would have done with past sessions of a running server.
    Replay {
        #[command(flatten)]
        past: PastSessions,
        #[command(flatten)]
        by: SortedBy,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Write what people corrected in a running server as lines to train on.
    Corrections {
        #[command(flatten)]
        past: PastSessions,
        /// Lines of {"text", "label", "lang"}.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

/// Which past sessions, and of which server.
#[derive(Debug, Args)]
pub(crate) struct PastSessions {
    /// Sessions that began in so many days until now, at most 90.
    #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=90))]
    pub(crate) days: u32,
    /// Address of the server.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub(crate) server: String,
    /// File that holds an API key; without it the key is in the variable `FRONTDESK_API_KEY`.
    #[arg(long, value_name = "FILE")]
    pub(crate) api_key_file: Option<PathBuf>,
    /// Authorities (PEM) the server's certificate is checked by; without it those of the system.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
}

/// What sorts.
#[derive(Debug, Args)]
pub(crate) struct SortedBy {
    /// Directory of the model; without it the one inside the program.
    #[arg(long, value_name = "DIR")]
    pub(crate) model_dir: Option<PathBuf>,
    /// Thresholds and rules (`ai_router.yaml`); without it those that are shipped.
    #[arg(long, value_name = "FILE")]
    pub(crate) router_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct IntentTrain {
    /// Lines of {"text", "label", "lang"}, or a directory of such files.
    #[arg(long, value_name = "FILE")]
    pub(crate) data: PathBuf,
    /// Directory of the model. A training that was interrupted goes on from what it finds there.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Model to begin with instead of random weights.
    #[arg(long, value_name = "DIR")]
    pub(crate) base: Option<PathBuf>,
    /// What everything random is drawn from: the same seed gives the same model on one machine.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Passes in which hidden words are guessed.
    #[arg(long, value_name = "PASSES")]
    pub(crate) pretrain_epochs: Option<usize>,
    /// Passes over the labels.
    #[arg(long, value_name = "PASSES")]
    pub(crate) epochs: Option<usize>,
    /// Networks from different seeds that are distilled into one.
    #[arg(long, value_name = "NETWORKS")]
    pub(crate) teachers: Option<usize>,
    /// Print one JSON object at the end.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where configuration and data are.
#[derive(Debug, Args, Clone)]
pub(crate) struct Place {
    /// Directory of all data.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Configuration file (TOML).
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Address and port to listen on; port 0 picks a free one.
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Option<String>,
    /// Seed an empty data directory with a demo account and serve it.
    #[arg(long)]
    pub(crate) demo: bool,
    /// Say how to enter the demo as one line of JSON: `shop`, `console`, `users`.
    #[arg(long, requires = "demo")]
    pub(crate) json: bool,
    /// An empty demo: no seeded conversations, nobody who comes by.
    #[arg(long, requires = "demo")]
    pub(crate) quiet_demo: bool,
    /// How many times faster than life the demo's visitors are.
    #[arg(long, value_name = "TIMES", requires = "demo", hide = true, default_value_t = 1)]
    pub(crate) demo_speed: u32,
    /// Also serve a WebSocket echo at /ws/echo, over the same edge loops: for conformance tests.
    #[arg(long, hide = true)]
    pub(crate) echo: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Name of the account.
    #[arg(long, value_name = "NAME")]
    pub(crate) account: String,
    /// E-mail address of its first admin.
    #[arg(long, value_name = "EMAIL")]
    pub(crate) admin_email: String,
    /// File that holds the admin's password.
    #[arg(long, value_name = "FILE")]
    pub(crate) admin_password_file: PathBuf,
    /// Print one JSON object instead of lines.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Shard {
    /// Show which partitions lie on which shard, and what is on its way.
    Status {
        #[command(flatten)]
        place: Place,
        /// Print one JSON object instead of lines.
        #[arg(long)]
        json: bool,
    },
    /// Move a partition to another shard while it is used; goes on with a move that was interrupted.
    Move {
        #[command(flatten)]
        place: Place,
        /// The partition's number.
        #[arg(long, value_name = "NUMBER")]
        partition: u16,
        /// The shard's number, from 1, as they stand in storage.cluster.mysql_urls.
        #[arg(long, value_name = "NUMBER")]
        to: u16,
    },
    /// Take an interrupted move back: the partition stays where it was.
    TakeBack {
        #[command(flatten)]
        place: Place,
        /// The partition's number.
        #[arg(long, value_name = "NUMBER")]
        partition: u16,
    },
}

impl Shard {
    /// Where the configuration is.
    pub(crate) fn place(&self) -> &Place {
        match self {
            Self::Status { place, .. }
            | Self::Move { place, .. }
            | Self::TakeBack { place, .. } => place,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Add a user to an account.
    Create {
        #[command(flatten)]
        place: Place,
        /// The account's id; may be left out where there is only one.
        #[arg(long)]
        account: Option<String>,
        /// E-mail address.
        #[arg(long)]
        email: String,
        /// Display name.
        #[arg(long)]
        name: String,
        /// Name of the role: agent, supervisor, admin or owner, or one of your own.
        #[arg(long, default_value = "agent")]
        role: String,
        /// File that holds the password.
        #[arg(long, value_name = "FILE")]
        password_file: PathBuf,
    },
    /// List the users of an account.
    List {
        #[command(flatten)]
        place: Place,
        /// The account's id; may be left out where there is only one.
        #[arg(long)]
        account: Option<String>,
    },
    /// Set a user's password and end its login sessions.
    Password {
        #[command(flatten)]
        place: Place,
        /// E-mail address.
        #[arg(long)]
        email: String,
        /// File that holds the new password.
        #[arg(long, value_name = "FILE")]
        password_file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Account {
    /// List the accounts.
    List {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check the configuration; exits 64 when it is refused.
    Check {
        #[command(flatten)]
        place: Place,
    },
    /// Print the configuration as merged from all sources.
    Print {
        #[command(flatten)]
        place: Place,
    },
    /// Print the default configuration with its explanations.
    Default,
}

#[derive(Debug, Args)]
pub(crate) struct Bench {
    #[command(flatten)]
    pub(crate) common: BenchCommon,
    #[command(subcommand)]
    pub(crate) scenario: Scenario,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Scenario {
    /// Text messages from visitors to agents through a server of its own.
    Text(BenchText),
    /// Memory of idle connections, by the slope between two counts; with --connections of several
    /// processes, while some of them chat.
    Idle(BenchIdle),
    /// A step in the load, and how long it is felt.
    Burst(BenchBurst),
    /// Handshakes per second, by ticket and by resume, beside the floor that only accepts.
    Connect(BenchConnect),
    /// Deliveries per second of one visitor's messages to a thousand tabs, beside the floor that only
    /// sends.
    Fanout(BenchFanout),
    /// Everybody drops and comes back at once; agents write meanwhile.
    Resume(BenchResume),
    /// Uploads of visitors, one on its way for each, and messages that name them, beside a bare loop that
    /// writes and syncs.
    Files(BenchFiles),
    /// Text with files, typing and cursors.
    Mixed(BenchMixed),
    /// Kill -9 under load, start again, read everything back.
    Crash(BenchCrash),
    /// The peak rate for so long that the history is merged many times: how long nobody gets an ack.
    Stall(BenchStall),
    /// What ten million stored messages cost: an empty and a full store at the same load, starts,
    /// conversations and lists of the full one.
    Size(BenchSize),
    /// Bytes of the same chat in both subprotocols.
    Trace,
    /// The bare floors in turns: what this machine gives at most, before any product.
    Floor(BenchFloor),
    /// The figures the reference design publishes, each beside what is measured here; a fifth of the
    /// visitors uploads files.
    Reference(BenchReference),
    /// The goals, each against its floor.
    Goals(BenchGoals),
}

/// Who takes part.
#[derive(Debug, Args)]
pub(crate) struct People<const VISITORS: u32> {
    /// Visitors.
    #[arg(long, default_value_t = VISITORS)]
    pub(crate) visitors: u32,
    /// Agents.
    #[arg(long, default_value_t = 20)]
    pub(crate) agents: u32,
}

/// For how long.
#[derive(Debug, Args)]
pub(crate) struct Measured<const SECONDS: u64> {
    /// Seconds of each run that are measured; text warms up for two before.
    #[arg(long, default_value_t = SECONDS)]
    seconds: u64,
}

impl<const SECONDS: u64> Measured<SECONDS> {
    pub(crate) fn duration(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

/// How often those that are compared take turns.
#[derive(Debug, Args)]
pub(crate) struct Rounds {
    /// Rounds.
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: u32,
}

/// What is measured.
#[derive(Debug, Args)]
pub(crate) struct Commit {
    /// What is measured, for whoever reads the result.
    #[arg(long, value_name = "TEXT")]
    pub(crate) commit: Option<String>,
}

/// What to offer, and for how long.
#[derive(Debug, Args)]
pub(crate) struct BenchText {
    /// One message at a time per visitor: finds the peak rate. The default without --rate.
    #[arg(long, conflicts_with = "rate")]
    pub(crate) closed: bool,
    /// Messages per second offered on a schedule: measures latency.
    #[arg(long, value_name = "PER_SECOND")]
    pub(crate) rate: Option<u32>,
    #[command(flatten)]
    pub(crate) time: Measured<10>,
    /// Visitors.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) visitors: u32,
    /// Agents; 20 without it, or one for 500 visitors.
    #[arg(long)]
    pub(crate) agents: Option<u32>,
    /// What answers: the product, or one of the bare floors.
    #[arg(long, value_enum, default_value_t = Subject::Product)]
    pub(crate) subject: Subject,
    /// Leave server and generator to the scheduler instead of giving each a core.
    #[arg(long)]
    pub(crate) unpinned: bool,
    #[command(flatten)]
    pub(crate) target: BenchTarget,
}

/// A server that runs already, measured over the network. What it uses of its machine is not known.
#[derive(Debug, Args)]
pub(crate) struct BenchTarget {
    /// Address of a running Frontdesk, for example http://10.0.0.2:8080 or https://chat.example.com, made
    /// for the test: the run adds agents to its account and writes conversations, and its limits have to allow the rate.
    #[arg(long, value_name = "URL", requires_all = ["admin_email", "inbox_key"])]
    pub(crate) target: Option<String>,
    /// E-mail address of one of its admins.
    #[arg(long, value_name = "EMAIL", requires = "target")]
    pub(crate) admin_email: Option<String>,
    /// Read the admin's password from standard input; else it is FRONTDESK_BENCH_ADMIN_PASSWORD.
    #[arg(long, requires = "target")]
    pub(crate) admin_password_stdin: bool,
    /// Key of the inbox visitors write to; its routing is automatic.
    #[arg(long, value_name = "KEY", requires = "target")]
    pub(crate) inbox_key: Option<String>,
    /// Certificates (PEM) of the authority that signed the target's, where the system does not know it.
    #[arg(long, value_name = "FILE", requires = "target")]
    pub(crate) ca: Option<PathBuf>,
}

/// How long the step.
#[derive(Debug, Args)]
pub(crate) struct BenchBurst {
    /// Seconds of a closed loop before, which finds the server's peak.
    #[arg(long, default_value_t = 5)]
    pub(crate) peak_seconds: u64,
    /// Seconds of the step, and of the level load before and after it.
    #[arg(long, default_value_t = 10)]
    pub(crate) seconds: u64,
    #[command(flatten)]
    pub(crate) people: People<1_000>,
}

/// How many handshakes.
#[derive(Debug, Args)]
pub(crate) struct BenchConnect {
    /// Connections.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) connections: u32,
    /// Handshakes on their way at a time.
    #[arg(long, default_value_t = 256)]
    pub(crate) at_once: usize,
}

/// How wide.
#[derive(Debug, Args)]
pub(crate) struct BenchFanout {
    /// Tabs that read.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) sockets: u32,
    /// Messages on their way at a time.
    #[arg(long, default_value_t = 2)]
    pub(crate) in_flight: u32,
    #[command(flatten)]
    pub(crate) time: Measured<10>,
}

/// Who drops.
#[derive(Debug, Args)]
pub(crate) struct BenchResume {
    #[command(flatten)]
    pub(crate) people: People<5_000>,
}

/// How much is written before the kill.
#[derive(Debug, Args)]
pub(crate) struct BenchCrash {
    #[command(flatten)]
    pub(crate) time: Measured<10>,
    #[command(flatten)]
    pub(crate) people: People<1_000>,
}

/// For how long.
#[derive(Debug, Args)]
pub(crate) struct BenchStall {
    #[command(flatten)]
    pub(crate) time: Measured<60>,
    #[command(flatten)]
    pub(crate) people: People<1_000>,
}

/// How full, and how long it is looked at.
#[derive(Debug, Args)]
pub(crate) struct BenchSize {
    /// Messages that are stored before anything is measured.
    #[arg(long, default_value_t = 10_000_000)]
    pub(crate) messages: u64,
    /// Conversations they are in.
    #[arg(long, default_value_t = 100_000)]
    pub(crate) conversations: u64,
    /// Where the full store is, to be used again: filled if it is not there yet. Each use leaves some
    /// million messages more. Without it there is a temporary one.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) rounds: Rounds,
    #[command(flatten)]
    pub(crate) time: Measured<8>,
    /// Seconds the full store is watched for stalls.
    #[arg(long, default_value_t = 180)]
    pub(crate) watched_seconds: u64,
    /// How often each list is read and a conversation opened, one request at a time.
    #[arg(long, default_value_t = 500)]
    pub(crate) requests: u64,
    #[command(flatten)]
    pub(crate) people: People<1_000>,
    #[command(flatten)]
    pub(crate) commit: Commit,
}

/// Who uploads.
#[derive(Debug, Args)]
pub(crate) struct BenchFiles {
    #[command(flatten)]
    pub(crate) time: Measured<10>,
    #[command(flatten)]
    pub(crate) people: People<200>,
}

/// How busy the day is.
#[derive(Debug, Args)]
pub(crate) struct BenchMixed {
    /// Messages per second.
    #[arg(long, default_value_t = 5_000)]
    pub(crate) rate: u32,
    #[command(flatten)]
    pub(crate) time: Measured<10>,
    #[command(flatten)]
    pub(crate) people: People<1_000>,
}

/// How often the floors have their turns.
#[derive(Debug, Args)]
pub(crate) struct BenchFloor {
    #[command(flatten)]
    pub(crate) rounds: Rounds,
    #[command(flatten)]
    pub(crate) time: Measured<10>,
}

/// How many connections.
#[derive(Debug, Args)]
pub(crate) struct BenchIdle {
    /// Connections at the first reading.
    #[arg(long, default_value_t = 2_000)]
    pub(crate) low: u32,
    /// Connections at the second reading.
    #[arg(long, default_value_t = 19_000)]
    pub(crate) high: u32,
    /// Seconds to hold all of them, to see what pings cost in CPU.
    #[arg(long, default_value_t = 0)]
    pub(crate) hold: u64,
    /// Connections of several servers and as many generators, instead of --low and --high of one.
    #[arg(long, conflicts_with_all = ["low", "high"])]
    pub(crate) connections: Option<u32>,
    /// How many of --connections write: a number, or a share such as 1%.
    #[arg(long, value_name = "COUNT", default_value = "0", value_parser = share, requires = "connections")]
    pub(crate) chatting: Share,
    /// Their messages per second, all together; one of each without it.
    #[arg(long, value_name = "PER_SECOND", requires = "chatting")]
    pub(crate) rate: Option<u32>,
    /// Seconds of writing that are measured.
    #[arg(long, default_value_t = 30, requires = "chatting")]
    pub(crate) seconds: u64,
    /// Connections of one process: each is one of the files it may open. As many as fit without it, and at
    /// most 17,000.
    #[arg(long, requires = "connections")]
    pub(crate) per_process: Option<u32>,
    #[command(flatten)]
    pub(crate) target: BenchTarget,
}

/// For how long.
#[derive(Debug, Args)]
pub(crate) struct BenchReference {
    #[command(flatten)]
    pub(crate) time: Measured<20>,
    #[command(flatten)]
    pub(crate) people: People<1_000>,
    #[command(flatten)]
    pub(crate) commit: Commit,
}

/// Some of a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Share {
    Count(u32),
    Percent(f64),
}

impl Share {
    /// How many that is.
    pub(crate) fn of(self, whole: u32) -> u32 {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => (f64::from(whole) * percent / 100.0).round() as u32,
        }
    }
}

fn share(text: &str) -> Result<Share, String> {
    let Some(percent) = text.strip_suffix('%') else {
        let count = text.parse().map(Share::Count);
        return count.map_err(|_| "give a number, or a share such as 1%".to_owned());
    };
    match percent.trim_end().parse() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(Share::Percent(percent)),
        _ => Err("give a share from 0% to 100%".to_owned()),
    }
}

/// Which goals.
#[derive(Debug, Args)]
pub(crate) struct BenchGoals {
    /// Ids, separated by commas; all without it.
    #[arg(long, value_delimiter = ',')]
    pub(crate) only: Vec<u8>,
    /// Configuration of a node of a cluster whose engines run here, for goal 16. It gets an account more.
    #[arg(long, value_name = "FILE")]
    pub(crate) cluster: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) commit: Commit,
    #[command(flatten)]
    pub(crate) rounds: Rounds,
    #[command(flatten)]
    pub(crate) time: Measured<10>,
}

/// What all benchmarks take.
#[derive(Debug, Args)]
pub(crate) struct BenchCommon {
    /// Source of the relay in Go that goal 11 compares with.
    #[arg(long, global = true, value_name = "DIR", default_value = "bench/g0", hide = true)]
    pub(crate) g0: PathBuf,
    /// Where temporary data goes: on the disk that is to be measured.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Subject {
    /// Frontdesk: an ack means that the message is on disk.
    Product,
    /// Frontdesk with durability = "async".
    ProductAsync,
    /// Bare relay without a log.
    F0,
    /// Bare relay with a group-commit log.
    F1,
    /// The same with O_DIRECT and O_DSYNC.
    F1Direct,
}

/// A floor's own process; the benchmarks start it.
#[derive(Debug, Args)]
pub(crate) struct Floor {
    /// f0, f1 or f1-direct.
    pub(crate) kind: String,
    /// Directory of its log.
    pub(crate) dir: PathBuf,
}

/// A process of a crowd; the benchmarks start it.
#[derive(Debug, Args)]
pub(crate) struct CrowdGenerator {
    /// Certificates of the authority that signed the server's, where that speaks https.
    #[arg(long)]
    pub(crate) ca: Option<PathBuf>,
}

/// How full an installation becomes.
#[derive(Debug, Args)]
pub(crate) struct Fill {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Messages in all.
    #[arg(long)]
    pub(crate) messages: u64,
    /// Conversations they are in.
    #[arg(long)]
    pub(crate) conversations: u64,
    /// Leave all of it in the message log, as a process killed before its history took anything.
    #[arg(long)]
    pub(crate) log_only: bool,
}
