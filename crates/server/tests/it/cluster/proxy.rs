//! The nginx that is shipped (`deploy/nginx`) in front of nodes that do different things.

use std::{
    cell::Cell,
    net::TcpListener,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use frontdesk_protocol::wire::Hello;
use frontdesk_testkit::{Cluster, TestAgent, TestServer, TestVisitor, http::note, services};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{all_owned, calm};
use crate::{FRONTDESK, eventually, heavy};

/// Enough that none of three nodes is left out by chance.
const VISITORS: usize = 24;

/// As people fill it in.
const TEMPLATE: &str = include_str!("../../../../../deploy/nginx/frontdesk.conf");

/// Debian keeps it where not everybody looks.
fn nginx_binary() -> Option<PathBuf> {
    ["/usr/sbin/nginx", "/usr/bin/nginx"].into_iter().map(PathBuf::from).find(|path| path.exists())
}

/// A running nginx; ends with its value.
struct Nginx {
    process: Child,
    _dir: TempDir,
}

impl Nginx {
    /// Fills in the template and serves on a socket that listens already: whoever comes earlier, waits.
    fn start(
        binary: &Path,
        listener: TcpListener,
        gateways: &[&TestServer],
        apis: &[&TestServer],
    ) -> Self {
        let address = listener.local_addr().expect("it listens");
        let site = TEMPLATE
            .replace("${FRONTDESK_LISTEN}", &address.to_string())
            .replace("${FRONTDESK_TLS}", "")
            .replace("${FRONTDESK_GATEWAYS}", &servers(gateways))
            .replace("${FRONTDESK_APIS}", &servers(apis))
            .replace("${FRONTDESK_NODES}", &numbered(gateways));
        let dir = tempfile::Builder::new().prefix("frontdesk-nginx-").tempdir();
        let dir = dir.expect("there is a temporary directory");
        let place = dir.path().display();
        std::fs::write(dir.path().join("site.conf"), site).expect("it can be written");
        let user = if rustix::process::getuid().is_root() { "user root;" } else { "" };
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {place}/{name};"))
            .join(" ");
        let main = format!(
            "{user} daemon off; worker_processes 1; pid {place}/pid; error_log stderr warn;\n\
             events {{ worker_connections 512; }}\n\
             http {{ access_log off; {temporary} include {place}/site.conf; }}\n"
        );
        let file = dir.path().join("nginx.conf");
        std::fs::write(&file, main).expect("it can be written");
        // How nginx hands its sockets to the next nginx: here its first one comes from the test, so that the
        // nodes know its address before it knows theirs.
        let process = Command::new(binary)
            .arg("-p")
            .arg(dir.path())
            .arg("-c")
            .arg(&file)
            .env("NGINX", "0;")
            .stdin(Stdio::from(OwnedFd::from(listener)))
            .spawn();
        Self { process: process.expect("nginx starts"), _dir: dir }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its workers go with it, unlike after a kill.
        if kill_process(Pid::from_child(&self.process), Signal::TERM).is_ok() {
            self.process.wait().map(drop).unwrap_or_default();
        }
    }
}

/// A list of the template.
fn servers(nodes: &[&TestServer]) -> String {
    let servers: Vec<_> =
        nodes.iter().map(|node| format!("server {};", node.own_address())).collect();
    servers.join(" ")
}

/// The list of those that take sockets by their numbers, of the first nodes of a cluster.
fn numbered(gateways: &[&TestServer]) -> String {
    let nodes =
        (1..).zip(gateways).map(|(number, node)| format!("{number} {};", node.own_address()));
    nodes.collect::<Vec<_>>().join(" ")
}

/// No socket is led on by a node that does not serve it. Without a word about the node one of three would be right by
/// chance.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_come_to_the_node_that_serves_them_behind_the_shipped_nginx() {
    let Some(binary) = nginx_binary() else {
        note(
            "\n*** nodes behind nginx SKIPPED: nginx is not here (scripts/install-tools nginx) ***\n",
        );
        return;
    };
    let _alone = heavy().await;
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let front = listener.local_addr().expect("it listens");
    let mut cluster = Cluster::start(FRONTDESK, &services::shared(), 3, |node| {
        node.set("server.trusted_proxies", r#"["127.0.0.0/8"]"#).behind(front)
    })
    .await;
    let all: Vec<&TestServer> = cluster.nodes.iter().collect();
    let _nginx = Nginx::start(&binary, listener, &all, &all);
    calm(&cluster).await;
    let mut visitors = Vec::new();
    for _ in 0..VISITORS {
        visitors.push(TestVisitor::connect(&cluster.nodes[0]).await);
    }
    let mut connections = 0.0;
    for node in &cluster.nodes {
        let here = node.metric("frontdesk_connections").await;
        assert!(here > 0.5, "a third of the conversations is served here");
        connections += here;
        assert_close(node.metric("frontdesk_tunnels").await, 0.0);
    }
    assert_close(connections, VISITORS as f64);
    // At each node without the proxy: two of the three lead it on.
    let (mut tabs, mut tunnels) = (Vec::new(), 0.0);
    for node in &cluster.nodes {
        let mut tab = visitors[0].another_tab();
        tab.address = node.own_address();
        tab.connect_by_ticket().await;
        tabs.push(tab);
    }
    for node in &cluster.nodes {
        tunnels += node.metric("frontdesk_tunnels").await;
    }
    assert_close(tunnels, 2.0);
    // Nobody has to know that a node is gone: what their tickets say leads to another one then.
    cluster.nodes[2].kill9().await;
    for visitor in &mut visitors {
        eventually(Duration::from_secs(30), "a visitor is served again", async || {
            let ticket = visitor.ticket().await;
            let hello = Hello { ticket, ..visitor.hello() };
            Box::pin(visitor.try_hello(hello)).await.is_ok()
        })
        .await;
    }
}

/// Three nodes of one role each: sockets and requests come to those that take them, though people know one
/// address only, and no node is asked for what it refuses. Without the one that answers requests they talk on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_of_one_role_each_serve_behind_the_shipped_nginx() {
    let Some(binary) = nginx_binary() else {
        note(
            "\n*** roles behind nginx SKIPPED: nginx is not here (scripts/install-tools nginx) ***\n",
        );
        return;
    };
    let _alone = heavy().await;
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let front = listener.local_addr().expect("it listens");
    let roles = [r#"["gateway"]"#, r#"["api"]"#, r#"["worker"]"#];
    let number = Cell::new(0);
    let mut cluster = Cluster::start(FRONTDESK, &services::shared(), 3, |node| {
        node.set("cluster.roles", roles[number.replace(number.get() + 1)])
            .set("server.trusted_proxies", r#"["127.0.0.0/8"]"#)
            .behind(front)
    })
    .await;
    let [gateway, api, worker] = &cluster.nodes[..] else { panic!("three nodes") };
    let _nginx = Nginx::start(&binary, listener, &[gateway], &[api]);
    all_owned(&cluster).await;
    assert_eq!(gateway.http.get("/").await.status, 200);
    let mut agent = TestAgent::online(gateway, "Lin").await;
    let mut visitor = TestVisitor::connect(gateway).await;
    visitor.say("hello").await;
    let conversation = visitor.conversation.clone();
    agent.listed(&conversation, &agent.id.clone()).await;
    agent.open(&conversation).await.expect("it may be read");
    agent.sees(&conversation, "hello").await;
    agent.say(&conversation, "welcome").await;
    visitor.sees("welcome").await;
    for (node, admitted, owned) in [(gateway, 2.0, 0.0), (api, 0.0, 0.0), (worker, 0.0, 12.0)] {
        assert_close(node.metric("frontdesk_handshakes_admitted_total").await, admitted);
        assert_close(node.metric("frontdesk_partitions").await, owned);
    }
    cluster.nodes[1].kill9().await;
    visitor.say("and now?").await;
    agent.sees(&conversation, "and now?").await;
}

#[track_caller]
fn assert_close(counted: f64, expected: f64) {
    assert!((counted - expected).abs() < 0.5, "{counted} instead of {expected}");
}
