//! Address ranges, as far as a firewall rule needs them.

use std::net::{IpAddr, Ipv4Addr};

/// An IPv4 range such as `198.51.100.7/32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cidr {
    network: Ipv4Addr,
    bits: u32,
}

impl Cidr {
    /// Reads a range. Neutron takes a host's address without a length, and refuses bits beyond the length.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/').unwrap_or((text, "32"));
        let (network, bits): (Ipv4Addr, u32) = (address.parse().ok()?, bits.parse().ok()?);
        let range = Self { network, bits };
        (bits <= 32 && network.to_bits() & !range.mask() == 0).then_some(range)
    }

    /// Whether an address is inside.
    pub(crate) fn contains(self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => address.to_bits() & self.mask() == self.network.to_bits(),
            IpAddr::V6(_) => false,
        }
    }

    fn mask(self) -> u32 {
        u32::MAX.checked_shl(32 - self.bits).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_what_they_should() {
        let inside = |range: &str, address: &str| Cidr::parse(range).unwrap().contains(address.parse().unwrap());
        assert!(inside("127.0.0.1/32", "127.0.0.1"));
        assert!(!inside("127.0.0.1/32", "127.0.0.2"));
        assert!(inside("0.0.0.0/0", "203.0.113.9"));
        assert!(inside("127.0.0.0/8", "127.9.9.9"));
        assert!(inside("10.0.0.1", "10.0.0.1"));
        assert_eq!(Cidr::parse("127.0.0.1/8"), None, "bits beyond the length");
        assert_eq!(Cidr::parse("127.0.0.1/33"), None);
        assert_eq!(Cidr::parse("::/0"), None);
    }
}
