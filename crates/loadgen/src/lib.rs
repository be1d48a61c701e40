//! Load on a server by the thousand, and the floors it is compared with.
//!
//! ```text
//! scenario (text, burst, files, mixed, fanout, connect, resume, crash, stall,
//!           size, trace, idle, floor, reference, goals)
//!     -> launch: a server process of its own, pinned to core 0
//!     -> generator: one thread on core 1, level-triggered epoll
//!            raw frames to a baseline | the public protocol to the product
//!     -> tracker: lost, doubled, out of order; histograms -> report
//! ```
//! The baselines F0 and F1 (`baseline`) do the least that any chat server has to do; results are
//! ratios to them, measured in the same run. The generator checks every ack and every delivery, and
//! says itself when a run does not count.

mod activity;
mod baseline;
mod burst;
mod child;
mod connect;
mod cpu;
mod crash;
mod crowd;
mod descriptors;
mod error;
mod fanout;
mod files;
mod floor;
mod gaps;
mod generator;
mod goals;
mod herd;
mod histogram;
mod http;
mod idle;
mod launch;
mod link;
mod machine;
mod meter;
mod mixed;
mod outcome;
mod poll;
mod product;
mod progress;
mod raw;
mod reference;
mod relay;
mod report;
mod resume;
mod schedule;
mod size;
mod source;
mod spread;
mod stall;
mod storm;
mod stream;
mod text;
mod trace;
mod tracker;
mod void;
mod websocket;
mod windows;

pub use activity::Activity;
pub use baseline::{BaselineKind, BaselineOptions, run_baseline, serve_baseline};
pub use burst::{BurstOptions, BurstReport, burst};
pub use child::{end_with_stdin, sweep};
pub use connect::{ConnectOptions, ConnectReport, Handshakes, accept_floor, connect};
pub use crash::{CrashOptions, CrashReport, crash};
pub use crowd::{CrowdOptions, CrowdReport, crowd, crowd_worker, text_by_several};
pub use descriptors::{connections_max, raise_open_files};
pub use error::Error;
pub use fanout::{FanoutOptions, FanoutReport, fanout};
pub use files::{FilesFloor, FilesOptions, FilesReport, files};
pub use floor::{FloorFigures, FloorOptions, FloorReport, floor};
pub use gaps::Stall;
pub use goals::{GOALS, Goal, Goals, GoalsOptions, Known, Run, goals};
pub use idle::{IdleOptions, idle};
pub use launch::{
    Endpoint, ProductAccess, ProductLaunch, Server, launch_baseline, launch_g0, launch_nodes,
    launch_product, server_env, temporary,
};
pub use mixed::{MixedOptions, MixedReport, mixed};
pub use reference::{
    Published, ReferenceOptions, ReferenceReport, ReferenceRow, ReferenceRun, reference,
};
pub use report::{CostReport, Counts, Faults, IdleCost, IdleReport, Latency, Report};
pub use resume::{ResumeOptions, ResumeReport, resume};
pub use size::{Figure, Read, Size, SizeOptions, SizeReport, size};
pub use spread::Spread;
pub use stall::{StallOptions, StallReport, stall};
pub use text::{Load, Placement, Subject, TextOptions, text};
pub use trace::{TraceReport, trace};
