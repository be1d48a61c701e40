//! Which addresses are public: reachable over the internet, and nobody's own network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks of IPv4 that are not the internet, or not a place one person may send another to: network and prefix.
const NOT_PUBLIC: [(Ipv4Addr, u32); 17] = [
    (Ipv4Addr::UNSPECIFIED, 8), // This network; Linux takes 0.0.0.0 for this machine.
    (Ipv4Addr::new(10, 0, 0, 0), 8), // Private.
    (Ipv4Addr::new(100, 64, 0, 0), 10), // Behind a carrier's NAT; clouds keep metadata there.
    (Ipv4Addr::new(127, 0, 0, 0), 8), // This machine.
    (Ipv4Addr::new(168, 63, 129, 16), 32), // Azure's platform, which answers each machine for itself.
    (Ipv4Addr::new(169, 254, 0, 0), 16),   // Link local, with the metadata of clouds.
    (Ipv4Addr::new(172, 16, 0, 0), 12),    // Private.
    (Ipv4Addr::new(192, 0, 0, 0), 24),     // Protocol assignments.
    (Ipv4Addr::new(192, 0, 2, 0), 24),     // Documentation.
    (Ipv4Addr::new(192, 31, 196, 0), 24),  // AS112, answered by whoever is nearest.
    (Ipv4Addr::new(192, 88, 99, 0), 24),   // Relays of 6to4.
    (Ipv4Addr::new(192, 168, 0, 0), 16),   // Private.
    (Ipv4Addr::new(198, 18, 0, 0), 15),    // Benchmarks; proxies that fake names use it, too.
    (Ipv4Addr::new(198, 51, 100, 0), 24),  // Documentation.
    (Ipv4Addr::new(203, 0, 113, 0), 24),   // Documentation.
    (Ipv4Addr::new(224, 0, 0, 0), 4),      // Multicast.
    (Ipv4Addr::new(240, 0, 0, 0), 4),      // Reserved, and broadcast.
];

/// Networks within IPv6's global unicast that are not public, beside those that carry an IPv4 address.
const NOT_PUBLIC_V6: [(Ipv6Addr, u32); 3] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // Protocol assignments, benchmarks, ORCHID.
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // Documentation.
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // Documentation.
];
/// All that is routed between networks today.
const GLOBAL: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
const NAT64: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);
const SIX_TO_FOUR: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16);
const TEREDO: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32);

/// The address that a connection really goes to: IPv4 written as IPv6 is IPv4.
pub(crate) fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// Whether everybody may be sent there.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match canonical(address) {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !NOT_PUBLIC
        .iter()
        .any(|&(network, prefix)| (address.to_bits() ^ network.to_bits()) >> (32 - prefix) == 0)
}

/// What is not known to be public is not: new special networks come up outside of global unicast.
fn is_public_v6(address: Ipv6Addr) -> bool {
    if within(address, NAT64) {
        return is_public_v4(Ipv4Addr::from_bits(address.to_bits() as u32));
    }
    if !within(address, GLOBAL) {
        return false;
    }
    if within(address, SIX_TO_FOUR) {
        return is_public_v4(Ipv4Addr::from_bits((address.to_bits() >> 80) as u32));
    }
    if within(address, TEREDO) {
        // The server stands in the clear, the client with every bit turned.
        let server = Ipv4Addr::from_bits((address.to_bits() >> 64) as u32);
        let client = Ipv4Addr::from_bits(!(address.to_bits() as u32));
        return is_public_v4(server) && is_public_v4(client);
    }
    !NOT_PUBLIC_V6.iter().any(|&network| within(address, network))
}

fn within(address: Ipv6Addr, (network, prefix): (Ipv6Addr, u32)) -> bool {
    (address.to_bits() ^ network.to_bits()) >> (128 - prefix) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect(text)
    }

    #[test]
    fn addresses_of_the_internet_are_public() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "168.63.129.17",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "198.51.101.0",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2400:3200::1",
            "2001:4860:4860::8888",
            "2001:200::1",
            "2001:200::1",
            "2003::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
            // Teredo by the server 8.8.8.8 for the client 1.1.1.1.
            "2001:0:808:808::fefe:fefe",
        ] {
            assert!(is_public(address(text)), "{text}");
        }
    }

    #[test]
    fn addresses_of_ones_own_networks_are_not_public() {
        for text in [
            "0.0.0.0",
            "0.255.255.255",
            "10.0.0.0",
            "10.255.255.255",
            "100.64.0.0",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "168.63.129.16",
            "169.254.0.0",
            "169.254.169.254",
            "169.254.255.255",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.31.196.1",
            "192.88.99.1",
            "192.168.0.0",
            "192.168.255.255",
            "198.18.0.0",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            // IPv6's own.
            "::",
            "::1",
            "100::1",
            "fc00::1",
            "fd00:ec2::254",
            "fdff::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "2001:1::1",
            "2001:2::1",
            "2001:1ff::1",
            "2001:10::1",
            "2001:20::1",
            "2001:2f::1",
            "2001:db8::1",
            "3fff::1",
            "3fff:fff::1",
            "4000::1",
            "64:ff9b:1::1",
            // IPv4 inside: mapped, compatible, translated, 6to4, NAT64, Teredo's client and server.
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:198.18.0.1",
            "::127.0.0.1",
            "::8.8.8.8",
            "::ffff:0:127.0.0.1",
            "2002:7f00:1::1",
            "2002:a00:1::1",
            "2002:a9fe:a9fe::",
            "2002:c612:1::1",
            "64:ff9b::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::169.254.169.254",
            "2001:0:808:808::80ff:fffe",
            "2001:0:808:808::f5ff:fffe",
            "2001:0:7f00:1::fefe:fefe",
        ] {
            assert!(!is_public(address(text)), "{text}");
        }
    }
}
