//! Under which address this machine appears to another one.

use std::net::{IpAddr, ToSocketAddrs as _, UdpSocket};

/// The addresses, in CIDR form, from which a guest will see this machine, judged by the way to the cloud's own API. A
/// private address is what is seen only without address translation in between: `None` then, unless `direct` says that
/// the guest is in the same network.
pub fn runner(auth_url: &str, direct: bool) -> Option<String> {
    let local = local_address(auth_url)?;
    match local {
        IpAddr::V4(v4) if direct || v4.is_loopback() || !is_translated(v4) => Some(format!("{v4}/32")),
        _ => None,
    }
}

fn is_translated(address: std::net::Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    // RFC 6598: addresses of carriers, translated like private ones.
    address.is_private() || address.is_link_local() || (first == 100 && (64..128).contains(&second))
}

/// The local end of a way to the URL's host. Nothing is sent: connecting a datagram socket only chooses the way.
fn local_address(url: &str) -> Option<IpAddr> {
    let rest = url.split_once("://")?.1;
    let authority = rest.split('/').next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let target = if host.contains(':') {
        host.to_owned()
    } else {
        format!("{host}:443")
    };
    let target = target.to_socket_addrs().ok()?.find(std::net::SocketAddr::is_ipv4)?;
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect(target).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_over_loopback_is_known_and_nonsense_is_not() {
        assert_eq!(
            runner("http://127.0.0.1:5000/v3", false).as_deref(),
            Some("127.0.0.1/32")
        );
        assert_eq!(runner("no url", true), None);
        assert!(is_translated([10, 0, 0, 1].into()) && is_translated([100, 64, 0, 1].into()));
        assert!(!is_translated([198, 51, 100, 7].into()));
    }
}
