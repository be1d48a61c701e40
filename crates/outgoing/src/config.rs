//! The `[outgoing]` table of the configuration file.

use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// Where this server may connect to beside the public internet's ports 80 and 443.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutgoingConfig {
    /// Addresses that are not public and may be dialled all the same: a model on this machine, a server in the
    /// company's network.
    pub allow: Vec<IpNet>,
    /// Ports that may be dialled, at any address that may.
    pub ports: Vec<u16>,
    /// Every port may be dialled.
    pub any_port: bool,
    /// PEM file with the certificates others are checked against; empty for those of the system. Whoever makes the
    /// client reads it.
    pub ca_file: PathBuf,
}

impl Default for OutgoingConfig {
    fn default() -> Self {
        Self { allow: Vec::new(), ports: vec![443, 80], any_port: false, ca_file: PathBuf::new() }
    }
}
