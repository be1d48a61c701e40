//! What stands in front of several nodes: takes connections and gives each to the next node that accepts
//! one, like a proxy in front of a real cluster.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A running balancer; ends when it is dropped.
#[derive(Debug)]
pub struct Balancer {
    /// Where it listens.
    pub address: SocketAddr,
    nodes: Arc<Mutex<Vec<SocketAddr>>>,
    task: JoinHandle<()>,
}

impl Balancer {
    /// Starts one without nodes.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("it has an address");
        let nodes = Arc::new(Mutex::new(Vec::new()));
        let known = Arc::clone(&nodes);
        let task = tokio::spawn(async move {
            let turn = Arc::new(AtomicUsize::new(0));
            while let Ok((client, _)) = listener.accept().await {
                let (known, turn) = (Arc::clone(&known), Arc::clone(&turn));
                tokio::spawn(async move { carry(client, &known, &turn).await });
            }
        });
        Self { address, nodes, task }
    }

    /// Gives connections to this node as well.
    pub fn add(&self, node: SocketAddr) {
        self.nodes.lock().push(node);
    }

    /// Gives it no more connections; those it has stay.
    pub fn remove(&self, node: SocketAddr) {
        self.nodes.lock().retain(|known| *known != node);
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Carries a connection to its end; one that no node takes is closed.
async fn carry(mut client: TcpStream, nodes: &Mutex<Vec<SocketAddr>>, turn: &AtomicUsize) {
    let known = nodes.lock().clone();
    let first = turn.fetch_add(1, Ordering::Relaxed);
    for next in 0..known.len() {
        let address = known[(first + next) % known.len()];
        if let Ok(mut node) = TcpStream::connect(address).await {
            // Either side may cut it at any time.
            client.set_nodelay(true).unwrap_or_default();
            node.set_nodelay(true).unwrap_or_default();
            drop(copy_bidirectional(&mut client, &mut node).await);
            return;
        }
    }
}
