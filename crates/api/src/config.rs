//! What the HTTP side needs to know from the configuration file: the `[server]` names of the outside,
//! request limits and file limits. The server merges it; nothing here reads the environment.

use std::net::IpAddr;

use frontdesk_core::limits;
use http::Uri;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// Options of the HTTP side.
#[derive(Debug, Clone, Default)]
pub struct ApiConfig {
    /// How the outside reaches this installation; absent: as the request says.
    pub public_url: Option<PublicUrl>,
    /// Proxies whose forwarded headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Sign-in over plain http from other machines is allowed.
    pub insecure_http: bool,
    /// `/demo` exists.
    pub demo: bool,
    /// `/docs` is off.
    pub docs_off: bool,
    /// Lets `/metrics` and `/docs` be read from elsewhere than loopback, as a bearer token.
    pub operator_token: Option<OperatorToken>,
    /// What other nodes show when they pass a request on; none where this node is alone.
    pub node_token: Option<String>,
    /// What this node answers beside how it is.
    pub serves: Serves,
    /// Request limits.
    pub limits: RequestLimits,
    /// File limits.
    pub files: FileLimits,
}

/// What a node answers: everything where it is alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Serves {
    /// Sockets.
    pub sockets: bool,
    /// Pages and requests.
    pub requests: bool,
}

impl Default for Serves {
    fn default() -> Self {
        Self { sockets: true, requests: true }
    }
}

/// The outside's name of this installation: scheme, host and path prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    https: bool,
    authority: String,
    prefix: String,
}

/// The text is no URL this installation could have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an http or https URL without query: {0}")]
pub struct BadPublicUrl(String);

impl std::str::FromStr for PublicUrl {
    type Err = BadPublicUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadPublicUrl(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| bad())?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(bad()),
        };
        let authority = uri.authority().ok_or_else(bad)?.as_str();
        if uri.query().is_some() || authority.contains('@') {
            return Err(bad());
        }
        Ok(Self {
            https,
            authority: authority.to_ascii_lowercase(),
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

impl PublicUrl {
    /// The outside speaks TLS.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// `scheme://host[:port]`, without the scheme's own port, as a browser writes an origin.
    pub fn origin(&self) -> String {
        crate::origin::write(self.https, &self.authority)
    }

    /// The path in front of everything, without the last slash; empty at the root.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

/// A bearer token of the operator; hidden in Debug.
#[derive(Clone)]
pub struct OperatorToken(String);

impl std::fmt::Debug for OperatorToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OperatorToken(hidden)")
    }
}

impl OperatorToken {
    /// Takes the token as configured.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Compares in constant time.
    pub(crate) fn is(&self, presented: &str) -> bool {
        use subtle::ConstantTimeEq;
        self.0.as_bytes().ct_eq(presented.as_bytes()).into()
    }
}

/// Requests and sizes. A burst may use a whole minute's or second's worth at once.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RequestLimits {
    /// Sockets a second, of everybody together.
    pub handshakes_per_s: u32,
    /// Requests a minute of one address (an IPv6 /64 counts as one).
    pub per_ip_per_minute: u32,
    /// Requests a minute of one login, key or visitor.
    pub per_principal_per_minute: u32,
    /// Requests a minute of one account.
    pub per_account_per_minute: u32,
    /// Sign-in and set-up attempts a minute of one address.
    pub sign_in_per_ip_per_minute: u32,
    /// Uploads a minute by the visitors of one address.
    pub visitor_uploads_per_ip_per_minute: u32,
    /// Invitations a minute of one account.
    pub invitations_per_account_per_minute: u32,
    /// Largest JSON body in bytes.
    pub body_bytes_max: usize,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self {
            handshakes_per_s: limits::HANDSHAKES_PER_S,
            per_ip_per_minute: 1_200,
            per_principal_per_minute: 600,
            per_account_per_minute: 12_000,
            sign_in_per_ip_per_minute: 60,
            visitor_uploads_per_ip_per_minute: 60,
            invitations_per_account_per_minute: 120,
            body_bytes_max: limits::BODY_BYTES_MAX,
        }
    }
}

/// Sizes and quotas of files.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FileLimits {
    /// Largest file in bytes.
    pub file_bytes_max: u64,
    /// Most pixels of an image, over all its frames.
    pub image_pixels_max: u64,
    /// Longest side of a thumbnail in pixels.
    pub thumbnail_side: u32,
    /// Images worked on at the same time.
    pub image_workers: usize,
    /// Bytes one visitor may store.
    pub visitor_bytes_max: u64,
    /// Files one visitor may store.
    pub visitor_files_max: u64,
    /// Bytes one account may store.
    pub account_bytes_max: u64,
    /// Files one account may store.
    pub account_files_max: u64,
}

impl Default for FileLimits {
    fn default() -> Self {
        Self {
            file_bytes_max: limits::FILE_BYTES_MAX,
            image_pixels_max: limits::IMAGE_PIXELS_MAX,
            thumbnail_side: limits::THUMBNAIL_PIXELS_MAX,
            image_workers: 2,
            visitor_bytes_max: 200 * 1024 * 1024,
            visitor_files_max: limits::VISITOR_FILES_MAX,
            account_bytes_max: 20 * 1024 * 1024 * 1024,
            account_files_max: limits::ACCOUNT_FILES_MAX,
        }
    }
}

impl ApiConfig {
    /// Whether a hop with this address may say whom it forwards for.
    pub(crate) fn trusts(&self, hop: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|net| net.contains(&hop))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_gives_origin_and_prefix() {
        let url: PublicUrl = "https://Help.Example.com:443/chat/".parse().expect("a URL");
        assert_eq!(url.origin(), "https://help.example.com");
        assert_eq!(url.prefix(), "/chat");
        let url: PublicUrl = "http://10.0.0.2:8080".parse().expect("a URL");
        assert_eq!((url.origin().as_str(), url.prefix()), ("http://10.0.0.2:8080", ""));
        for bad in ["ftp://x", "example.com", "https://a@b/", "https://x/?q=1", ""] {
            assert!(bad.parse::<PublicUrl>().is_err(), "{bad}");
        }
    }
}
