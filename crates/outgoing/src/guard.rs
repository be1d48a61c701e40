//! Says which URLs may be asked and which addresses may be dialled.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use ipnet::IpNet;
use url::{Host, Url};

use crate::{OutgoingConfig, address};

/// The longest URL that is asked: browsers and proxies cut not far above.
pub const URL_BYTES_MAX: usize = 2_048;

/// Why a URL is not asked, or an address is not dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Neither http nor https.
    #[error("only http and https may be asked")]
    Scheme,
    /// A name or a password in front of the host.
    #[error("the URL carries a user name or a password")]
    UserInfo,
    /// No host, more bytes than [`URL_BYTES_MAX`], or two readers that disagree about what it says.
    #[error("the URL cannot be used")]
    Url,
    /// A port that is not opened in `[outgoing] ports`.
    #[error("port {0} is not among those that may be dialled")]
    Port(u16),
    /// The host is, or its name leads to, an address that is neither public nor in `[outgoing] allow`. The address is
    /// for operators; the text does not tell whoever named the host what stands behind it.
    #[error("the host's address is not one that may be dialled")]
    Address(IpAddr),
}

impl Refused {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Scheme => "outgoing.scheme",
            Self::UserInfo => "outgoing.user_info",
            Self::Url => "outgoing.url",
            Self::Port(_) => "outgoing.port",
            Self::Address(_) => "outgoing.address",
        }
    }
}

/// Which addresses and ports may be dialled. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Guard {
    config: Arc<OutgoingConfig>,
}

impl Guard {
    /// A guard that allows the public internet and what the configuration adds.
    pub fn new(config: OutgoingConfig) -> Self {
        Self { config: Arc::new(config) }
    }

    /// Checks all of a URL that can be known without asking for its name's addresses. For when it is saved; when it is
    /// used, the client checks it again, and every address besides.
    ///
    /// # Errors
    /// With the reason. Of an unknown name nothing is said here.
    pub fn check_url(&self, url: &Url) -> Result<(), Refused> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refused::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::UserInfo);
        }
        if url.as_str().len() > URL_BYTES_MAX {
            return Err(Refused::Url);
        }
        self.check_port(url.port_or_known_default().ok_or(Refused::Url)?)?;
        match url.host().ok_or(Refused::Url)? {
            Host::Ipv4(address) => self.check_address(address.into()),
            Host::Ipv6(address) => self.check_address(address.into()),
            Host::Domain(name) => self.check_name(name),
        }
    }

    /// The name every machine has for itself is told at once; any other only shows its addresses when it is dialled.
    fn check_name(&self, name: &str) -> Result<(), Refused> {
        let name = name.trim_end_matches('.');
        if name.is_empty() {
            return Err(Refused::Url);
        }
        let itself = name == "localhost" || name.ends_with(".localhost");
        let four = self.check_address(Ipv4Addr::LOCALHOST.into());
        if itself && self.check_address(Ipv6Addr::LOCALHOST.into()).is_err() {
            four
        } else {
            Ok(())
        }
    }

    pub(crate) fn check_port(&self, port: u16) -> Result<(), Refused> {
        let known = port != 0 && (self.config.any_port || self.config.ports.contains(&port));
        if known { Ok(()) } else { Err(Refused::Port(port)) }
    }

    /// Checks one address.
    ///
    /// # Errors
    /// When it is neither public nor allowed by the configuration.
    pub fn check_address(&self, address: IpAddr) -> Result<(), Refused> {
        if address::is_public(address) || self.allows(address) {
            return Ok(());
        }
        Err(Refused::Address(address))
    }

    fn allows(&self, address: IpAddr) -> bool {
        let canonical = address::canonical(address);
        let holds = |net: &IpNet| net.contains(&address) || net.contains(&canonical);
        self.config.allow.iter().any(holds)
    }
}

impl Default for Guard {
    fn default() -> Self {
        Self::new(OutgoingConfig::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(toml: &str) -> Guard {
        Guard::new(toml::from_str(toml).expect(toml))
    }

    fn code(guard: &Guard, url: &str) -> &'static str {
        let url = Url::parse(url).expect(url);
        guard.check_url(&url).err().map_or("", Refused::code)
    }

    #[test]
    fn every_way_to_write_an_address_is_read_before_it_is_checked() {
        let guard = Guard::default();
        for (url, expected) in [
            ("https://api.deepseek.com/v1", ""),
            ("http://example.com/sitemap.xml?page=2", ""),
            ("https://8.8.8.8/", ""),
            ("https://[2606:4700:4700::1111]/", ""),
            ("https://例子.测试/", ""),
            // The scheme.
            ("file:///etc/passwd", "outgoing.scheme"),
            ("gopher://127.0.0.1:6379/_INFO", "outgoing.scheme"),
            ("ftp://example.com/", "outgoing.scheme"),
            ("ws://example.com/", "outgoing.scheme"),
            ("data:text/plain,hello", "outgoing.scheme"),
            ("unix:/run/docker.sock", "outgoing.scheme"),
            // User info, which hides the host from a person's eye.
            ("https://api.deepseek.com@127.0.0.1/", "outgoing.user_info"),
            ("https://name:word@example.com/", "outgoing.user_info"),
            ("https://:word@example.com/", "outgoing.user_info"),
            // Ports.
            ("http://example.com:6379/", "outgoing.port"),
            ("https://example.com:22/", "outgoing.port"),
            ("https://example.com:0/", "outgoing.port"),
            ("https://example.com:80/", ""),
            ("http://example.com:443/", ""),
            // Plain.
            ("http://127.0.0.1/", "outgoing.address"),
            ("http://10.1.2.3/", "outgoing.address"),
            ("http://172.16.0.1/", "outgoing.address"),
            ("http://192.168.1.1/", "outgoing.address"),
            ("http://169.254.169.254/latest/meta-data/", "outgoing.address"),
            ("http://100.100.100.200/latest/meta-data/", "outgoing.address"),
            ("http://198.18.0.1/", "outgoing.address"),
            ("http://0.0.0.0/", "outgoing.address"),
            ("http://255.255.255.255/", "outgoing.address"),
            ("http://224.0.0.1/", "outgoing.address"),
            // Decimal, octal, hexadecimal, short, mixed, with a dot at the end, in other digits.
            ("http://2130706433/", "outgoing.address"),
            ("http://017700000001/", "outgoing.address"),
            ("http://0x7f000001/", "outgoing.address"),
            ("http://0x7f.1/", "outgoing.address"),
            ("http://0177.0.0.01/", "outgoing.address"),
            ("http://127.1/", "outgoing.address"),
            ("http://0/", "outgoing.address"),
            ("http://127.0.0.1./", "outgoing.address"),
            ("http://0xa9fea9fe/", "outgoing.address"),
            ("http://①②⑦.⓪.⓪.①/", "outgoing.address"),
            ("http://127。0。0。1/", "outgoing.address"),
            ("http://%31%32%37.0.0.1/", "outgoing.address"),
            ("http:\\\\127.0.0.1\\", "outgoing.address"),
            ("http:127.0.0.1", "outgoing.address"),
            // IPv6, and IPv4 inside it.
            ("http://[::1]/", "outgoing.address"),
            ("http://[::]/", "outgoing.address"),
            ("http://[::ffff:127.0.0.1]/", "outgoing.address"),
            ("http://[::ffff:7f00:1]/", "outgoing.address"),
            ("http://[0:0:0:0:0:ffff:a9fe:a9fe]/", "outgoing.address"),
            ("http://[fc00::1]/", "outgoing.address"),
            ("http://[fd00:ec2::254]/", "outgoing.address"),
            ("http://[fe80::1]/", "outgoing.address"),
            ("http://[ff02::1]/", "outgoing.address"),
            ("http://[2002:7f00:1::]/", "outgoing.address"),
            ("http://[64:ff9b::7f00:1]/", "outgoing.address"),
            ("http://[2001:0:808:808::80ff:fffe]/", "outgoing.address"),
            // Names of this machine.
            ("http://localhost/", "outgoing.address"),
            ("http://LocalHost./", "outgoing.address"),
            ("http://x.localhost/", "outgoing.address"),
        ] {
            assert_eq!(code(&guard, url), expected, "{url}");
        }
    }

    #[test]
    fn a_host_no_one_could_mean_is_no_url_at_all() {
        for text in [
            "http://",
            "http://[fe80::1%25eth0]/",
            "http://256.1.1.1/",
            "http://1.2.3.4.5/",
            "http://a b/",
        ] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
        let long = format!("https://example.com/{}", "a".repeat(URL_BYTES_MAX));
        assert_eq!(code(&Guard::default(), &long), "outgoing.url");
        assert_eq!(code(&Guard::default(), "http://./"), "outgoing.url");
    }

    #[test]
    fn the_configuration_opens_networks_and_ports_and_nothing_beside_them() {
        let guard = guard(
            r#"allow = ["127.0.0.1/32", "10.1.0.0/16", "fd12::/16"]
                             ports = [443, 80, 11434]"#,
        );
        for (url, expected) in [
            ("http://127.0.0.1:11434/v1", ""),
            ("http://2130706433:11434/v1", ""),
            ("http://localhost:11434/v1", ""),
            ("http://[::ffff:127.0.0.1]:11434/v1", ""),
            ("http://[::1]:11434/v1", "outgoing.address"),
            ("http://127.0.0.2/", "outgoing.address"),
            ("http://10.1.255.255/", ""),
            ("http://10.2.0.0/", "outgoing.address"),
            ("http://[fd12::7]/", ""),
            ("http://[fd13::7]/", "outgoing.address"),
            ("http://127.0.0.1:11435/v1", "outgoing.port"),
            ("http://example.com:11434/", ""),
        ] {
            assert_eq!(code(&guard, url), expected, "{url}");
        }
    }

    #[test]
    fn any_port_opens_ports_but_no_addresses() {
        let guard = guard("any_port = true");
        assert_eq!(code(&guard, "http://example.com:8080/"), "");
        assert_eq!(code(&guard, "http://127.0.0.1:8080/"), "outgoing.address");
    }

    #[test]
    fn a_key_nobody_knows_is_no_configuration() {
        let wrong = toml::from_str::<OutgoingConfig>("allowed = []");
        assert!(wrong.is_err(), "{wrong:?}");
        let wrong = toml::from_str::<OutgoingConfig>(r#"allow = ["127.0.0.1/33"]"#);
        assert!(wrong.is_err(), "{wrong:?}");
    }

    #[test]
    fn a_refusal_does_not_tell_the_address() {
        let refused = Refused::Address(Ipv4Addr::new(10, 9, 8, 7).into());
        assert!(!refused.to_string().contains("10.9.8.7"), "{refused}");
    }
}
