//! A network of its own for a node: a Linux namespace with two cables to this machine, which tests pull.
//!
//! ```text
//! this machine                       namespace
//!   back.here   ==== the back ====   back.there     engines and other nodes
//!   front.here  ==== the front ===   front.there    whom the node serves
//! ```
//! It takes root. What a test process that was killed left behind is removed by the next one.

use std::{
    net::Ipv4Addr,
    path::Path,
    process::{self, Command},
    sync::atomic::{AtomicU8, Ordering},
};

/// What its namespaces and interfaces are called, before the process id.
const PREFIX: &str = "fdt";
/// Cables lie in 10.203.0.0/16, four addresses each.
const NETWORK: [u8; 2] = [10, 203];

/// A namespace; removed with its value.
#[derive(Debug)]
pub struct Namespace {
    name: String,
    /// To engines and other nodes.
    pub back: Cable,
    /// To whom the node serves.
    pub front: Cable,
}

/// A cable between this machine and a namespace.
#[derive(Debug)]
pub struct Cable {
    /// The interface here.
    interface: String,
    /// The address here.
    pub here: Ipv4Addr,
    /// The address in the namespace.
    pub there: Ipv4Addr,
}

impl Namespace {
    /// Makes one, or says why there can be none.
    pub fn create() -> Result<Self, String> {
        static NEXT: AtomicU8 = AtomicU8::new(0);
        sweep();
        let number = NEXT.fetch_add(1, Ordering::Relaxed) % 32;
        let name = format!("{PREFIX}{}-{number}", process::id());
        ip(&["netns", "add", &name])?;
        let cable = |place: u8| {
            // A process of another time or place may use the same ones: 128 x 64 of them.
            let [high, low] = [(process::id() % 256) as u8, number * 8 + place * 4];
            let address = |last| Ipv4Addr::from([NETWORK[0], NETWORK[1], high, low + last]);
            let interface = format!("{PREFIX}{}{}", process::id() % 10_000_000, number * 2 + place);
            Cable { interface, here: address(1), there: address(2) }
        };
        // From here on it is removed however this ends.
        let namespace = Self { name, back: cable(0), front: cable(1) };
        namespace.ip_there(&["link", "set", "lo", "up"])?;
        namespace.plug("back", &namespace.back)?;
        namespace.plug("front", &namespace.front)?;
        Ok(namespace)
    }

    /// What a program has to run under to be in it.
    pub fn wrapper(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.name]
    }

    fn ip_there(&self, arguments: &[&str]) -> Result<(), String> {
        ip(&[&["-n", &self.name], arguments].concat())
    }

    fn plug(&self, name: &str, cable: &Cable) -> Result<(), String> {
        let interface = cable.interface.as_str();
        let peer = ["type", "veth", "peer", "name", name, "netns", &self.name];
        ip(&[&["link", "add", interface], &peer[..]].concat())?;
        ip(&["address", "add", &format!("{}/30", cable.here), "dev", interface])?;
        // Without the cable this is where packets go: not to the next machine.
        ip(&["route", "replace", "unreachable", &cable.network(), "metric", "4000"])?;
        ip(&["link", "set", interface, "up"])?;
        self.ip_there(&["address", "add", &format!("{}/30", cable.there), "dev", name])?;
        self.ip_there(&["link", "set", name, "up"])
    }
}

impl Cable {
    /// Pulls it: what is sent into it from there on is gone, and nobody is told.
    pub fn pull(&self) {
        ip(&["link", "set", &self.interface, "down"]).expect("the cable is there");
    }

    /// Plugs it in again.
    pub fn plug_in(&self) {
        ip(&["link", "set", &self.interface, "up"]).expect("the cable is there");
    }

    fn network(&self) -> String {
        format!("{}/30", Ipv4Addr::from(self.here.to_bits() - 1))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        for cable in [&self.back, &self.front] {
            // Where it was not made, there is nothing to remove.
            drop(ip(&["link", "delete", &cable.interface]));
            drop(ip(&["route", "delete", "unreachable", &cable.network(), "metric", "4000"]));
        }
        drop(ip(&["netns", "delete", &self.name]));
    }
}

/// Removes the namespaces of test processes that are gone. Their cables go with them, once nothing runs in
/// there any more.
fn sweep() {
    let Ok(output) = Command::new("ip").args(["netns", "list"]).output() else { return };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let names = text.lines().filter_map(|line| line.split_whitespace().next());
    for name in names {
        let Some((pid, _)) = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-')) else {
            continue;
        };
        if !Path::new("/proc").join(pid).exists() {
            // Another test may be quicker.
            drop(ip(&["netns", "delete", name]));
        }
    }
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(arguments).output();
    let output = output.map_err(|error| format!("ip (Debian package iproute2): {error}"))?;
    let problem = String::from_utf8_lossy(&output.stderr);
    let words = || format!("ip {}: {}", arguments.join(" "), problem.trim());
    output.status.success().then_some(()).ok_or_else(words)
}
