//! `/ws/echo`: the peer of the WebSocket conformance suite, on an edge loop of its own. Only with the
//! hidden flag `--echo`.

use anyhow::Context as _;
use axum::{Router, response::Response, routing::get};
use frontdesk_gateway::edge::{
    EdgeLimits, EdgeLoop,
    echo::{EchoCommand, EchoService, EchoUpgrade},
};
use frontdesk_protocol::close;

/// Starts the loop and gives the route to it. The loop ends with the process.
pub(crate) fn route() -> anyhow::Result<Router> {
    let limits = EdgeLimits {
        // The suite sends messages of 16 MiB in many fragments.
        message_bytes_max: 16 << 20,
        frame_bytes_max: 16 << 20,
        out_queue_bytes_max: 32 << 20,
        fragments_max: 1 << 20,
        ..EdgeLimits::default()
    };
    let (edge, handle) =
        EdgeLoop::<EchoCommand>::open(limits).context("cannot open the echo loop")?;
    std::thread::Builder::new()
        .name("edge-echo".to_owned())
        .spawn(move || edge.run(EchoService).map(drop))
        .context("cannot start the echo loop")?;
    let echo = async move |upgrade: EchoUpgrade| -> Response {
        let handle = handle.clone();
        upgrade.accept(move |socket| {
            if let Err(refused) = handle.connect(socket) {
                refused.into_inner().refuse(&close::OVERLOADED);
            }
        })
    };
    Ok(Router::new().route("/ws/echo", get(echo)))
}
