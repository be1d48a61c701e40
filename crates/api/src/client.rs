//! Who is on the other end and how the outside sees us: address, scheme, host and path prefix.
//!
//! The front door puts a [`Peer`] into each request. Forwarded headers count only where the
//! peer is one of `server.trusted_proxies`, and then the last hop that is not trusted is the client.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::FromRequestParts;
use frontdesk_gateway::edge::front::Peer;
use http::{Extensions, HeaderMap, header, request::Parts};

use crate::{config::ApiConfig, elsewhere, origin, problem::Problem};

/// What a request says about its client, as far as it is believed.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// The client's address.
    pub(crate) ip: IpAddr,
    /// The TCP peer itself is this machine and no proxy forwards for anybody else.
    pub(crate) loopback: bool,
    /// The client speaks TLS to the outside.
    pub(crate) https: bool,
    /// Our own origin as this client sees it.
    pub(crate) origin: String,
    /// Path in front of ours as this client sees it; empty or `/like/this`.
    pub(crate) prefix: String,
    /// Another node passed the request on: it is answered here.
    pub(crate) passed_on: bool,
}

impl Client {
    pub(crate) fn of(config: &ApiConfig, headers: &HeaderMap, extensions: &Extensions) -> Self {
        // Always there behind the front door; without it nobody is trusted with anything.
        let peer = extensions.get::<Peer>().copied().unwrap_or(Peer {
            address: SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0),
            tls: false,
        });
        let peer_ip = peer.address.ip().to_canonical();
        let passed_on = elsewhere::is_passed_on(config.node_token.as_deref(), headers);
        let trusted = passed_on || config.trusts(peer_ip);
        let ip = if trusted { forwarded_for(config, headers).unwrap_or(peer_ip) } else { peer_ip };
        let host = trusted
            .then(|| first(headers, "x-forwarded-host"))
            .flatten()
            .or_else(|| headers.get(header::HOST).and_then(|value| value.to_str().ok()))
            .unwrap_or_default();
        let forwarded_https = trusted
            && first(headers, "x-forwarded-proto").is_some_and(|p| p.eq_ignore_ascii_case("https"));
        let https = peer.tls || forwarded_https;
        let own = origin::write(https, host);
        let named = config.public_url.as_ref().filter(|url| {
            trusted
                || url.origin().split_once("://").is_some_and(|(_, name)| {
                    own.split_once("://").is_some_and(|(_, own)| own == name)
                })
        });
        let (https, own, prefix) = match named {
            Some(url) => (url.is_https(), url.origin(), url.prefix().to_owned()),
            None => (https, own, String::new()),
        };
        Self { ip, loopback: ip.is_loopback(), https, origin: own, prefix, passed_on }
    }

    /// Signing in over this connection gives the password to whoever listens on the way.
    pub(crate) fn is_exposed(&self) -> bool {
        !self.https && !self.loopback
    }

    /// The name of the login cookie: the prefix makes browsers insist on TLS, path and host.
    pub(crate) fn cookie_name(&self) -> &'static str {
        if self.https { "__Host-frontdesk" } else { "frontdesk" }
    }

    /// What limits count as one address: a home or an office usually owns a whole IPv6 /64.
    pub(crate) fn bucket(&self) -> IpAddr {
        match self.ip {
            IpAddr::V4(_) => self.ip,
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        }
    }
}

/// The headers layer put it there; it is outside of every route.
impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Problem::internal("a route without the headers layer"))
    }
}

/// The nearest hop that is no proxy of ours, read from the right: what lies left of it anybody could
/// have written.
fn forwarded_for(config: &ApiConfig, headers: &HeaderMap) -> Option<IpAddr> {
    let mut client = None;
    let lines: Vec<&str> =
        headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        let hop = hop.trim();
        let ip = hop
            .parse::<IpAddr>()
            .or_else(|_| hop.parse::<SocketAddr>().map(|address| address.ip()))
            .ok()?
            .to_canonical();
        client = Some(ip);
        if !config.trusts(ip) {
            break;
        }
    }
    client
}

fn first<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let text = headers.get(name)?.to_str().ok()?;
    text.split(',').next().map(str::trim).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(config: &ApiConfig, peer: &str, headers: &[(&'static str, &str)]) -> Client {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("a header value"));
        }
        let mut extensions = Extensions::new();
        extensions.insert(Peer { address: peer.parse().expect("an address"), tls: false });
        Client::of(config, &map, &extensions)
    }

    fn behind_proxy(public_url: Option<&str>) -> ApiConfig {
        ApiConfig {
            trusted_proxies: vec!["10.0.0.0/8".parse().expect("a network")],
            public_url: public_url.map(|url| url.parse().expect("a URL")),
            ..ApiConfig::default()
        }
    }

    #[test]
    fn s21_forwarded_headers_count_only_from_proxies_and_from_the_right() {
        let config = behind_proxy(None);
        let spoof = [("x-forwarded-for", "127.0.0.1"), ("x-forwarded-proto", "https")];
        let outsider = client(&config, "203.0.113.9:1000", &spoof);
        assert_eq!(outsider.ip.to_string(), "203.0.113.9");
        assert!(!outsider.https && !outsider.loopback && outsider.is_exposed());
        let chain = [
            ("host", "help.example"),
            ("x-forwarded-for", "127.0.0.1, 198.51.100.7, 10.0.0.3"),
            ("x-forwarded-proto", "https"),
        ];
        let through = client(&config, "10.0.0.2:1000", &chain);
        assert_eq!(through.ip.to_string(), "198.51.100.7");
        assert_eq!(through.origin, "https://help.example");
        let broken = client(&config, "10.0.0.2:1000", &[("x-forwarded-for", "nonsense")]);
        assert_eq!(broken.ip.to_string(), "10.0.0.2");
    }

    #[test]
    fn the_public_url_names_us_where_it_fits() {
        let config = behind_proxy(Some("https://help.example/chat/"));
        let through = client(&config, "10.0.0.2:1", &[("host", "127.0.0.1:8080")]);
        assert_eq!(
            (through.origin.as_str(), through.prefix.as_str()),
            ("https://help.example", "/chat")
        );
        let beside = client(&config, "127.0.0.1:1", &[("host", "127.0.0.1:8080")]);
        assert_eq!((beside.origin.as_str(), beside.prefix.as_str()), ("http://127.0.0.1:8080", ""));
        assert!(!beside.is_exposed());
    }

    #[test]
    fn an_ipv6_network_is_one_bucket() {
        let config = ApiConfig::default();
        let one = client(&config, "[2001:db8:1:2:aaaa::1]:1", &[]);
        let two = client(&config, "[2001:db8:1:2:bbbb::1]:1", &[]);
        assert_eq!(one.bucket(), two.bucket());
        assert_eq!(client(&config, "[::ffff:192.0.2.1]:1", &[]).ip.to_string(), "192.0.2.1");
    }
}
