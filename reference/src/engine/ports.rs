//! Ports as images and containers expose and publish them.

use std::{collections::BTreeSet, net::IpAddr};

use crate::settings::{Ports, Protocol};

/// `80`, `80/tcp` or `80/udp` as `PORT/PROTOCOL`.
#[must_use]
pub(super) fn exposed(text: &str) -> Option<String> {
    let ports = range(text)?;
    let (port, protocol) = (ports.first, ports.protocol.name());
    (ports.first == ports.last && !text.contains('-')).then(|| format!("{port}/{protocol}"))
}

/// `PORT[/PROTOCOL]` or `FIRST-LAST[/PROTOCOL]`.
#[must_use]
pub(super) fn range(text: &str) -> Option<Ports> {
    let (numbers, protocol) = match text.split_once('/') {
        None => (text, Protocol::Tcp),
        Some((numbers, "tcp")) => (numbers, Protocol::Tcp),
        Some((numbers, "udp")) => (numbers, Protocol::Udp),
        Some(_) => return None,
    };
    let (first, last) = span(numbers)?;
    Some(Ports {
        first,
        last,
        protocol,
    })
}

/// `PORT` or `FIRST-LAST`.
fn span(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (port(first)?, port(last)?);
    (0 < first && first <= last).then_some((first, last))
}

/// Digits alone: a sign is none.
fn port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

/// Whether a text is `[[IP:][HOST]:]CONTAINER[/PROTOCOL]`, with ranges of one length; the error says what is wrong.
pub(super) fn check_published(text: &str) -> Result<(), &'static str> {
    let (before, inside) = match text.rsplit_once(':') {
        Some((before, inside)) => (Some(before), inside),
        None => (None, text),
    };
    let inside =
        range(inside).ok_or("it holds no port of the container from 1 to 65535, of tcp or udp")?;
    let Some(before) = before else { return Ok(()) };
    let (address, host) = match before.rsplit_once(':') {
        Some((address, host)) => (Some(address), host),
        None => (None, before),
    };
    if address.is_some_and(|address| !is_address(address)) {
        return Err("it begins with no IP address");
    }
    if matches!(host, "" | "0") {
        return Ok(());
    }
    let (first, last) = span(host).ok_or("it holds no port of the host from 0 to 65535")?;
    if last - first == inside.last - inside.first {
        Ok(())
    } else {
        Err("its ranges differ in length")
    }
}

/// Where colons part the fields, those of version 6 stand in brackets.
fn is_address(text: &str) -> bool {
    let bracketed = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    match bracketed {
        Some(text) => text.parse().is_ok_and(|address: IpAddr| address.is_ipv6()),
        None => text.parse().is_ok_and(|address: IpAddr| address.is_ipv4()),
    }
}

/// Each port once, as `PORT/PROTOCOL`.
#[must_use]
pub(super) fn each(ports: &[Ports]) -> BTreeSet<String> {
    let single = |ports: &Ports| {
        let protocol = ports.protocol.name();
        (ports.first..=ports.last).map(move |port| format!("{port}/{protocol}"))
    };
    ports.iter().flat_map(single).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("80", Some("80/tcp"))]
    #[case("80/tcp", Some("80/tcp"))]
    #[case("65535/udp", Some("65535/udp"))]
    #[case("80-80", None)]
    #[case("80-81", None)]
    #[case("0", None)]
    #[case("+80", None)]
    fn one_port_is_exposed(#[case] text: &str, #[case] wanted: Option<&str>) {
        assert_eq!(exposed(text).as_deref(), wanted);
    }

    #[rstest]
    #[case("80", 80, 80, Protocol::Tcp)]
    #[case("1-65535/udp", 1, 65535, Protocol::Udp)]
    #[case("8000-8000/tcp", 8000, 8000, Protocol::Tcp)]
    fn a_range_has_a_first_a_last_and_a_protocol(
        #[case] text: &str,
        #[case] first: u16,
        #[case] last: u16,
        #[case] protocol: Protocol,
    ) {
        let wanted = Ports {
            first,
            last,
            protocol,
        };
        assert_eq!(range(text), Some(wanted));
    }

    #[rstest]
    #[case("")]
    #[case("x")]
    #[case("0")]
    #[case("65536")]
    #[case("-1")]
    #[case("+1")]
    #[case("80-")]
    #[case("-80")]
    #[case("81-80")]
    #[case("1-2-3")]
    #[case("80/")]
    #[case("80/sctp")]
    #[case("80/TCP")]
    #[case("80/tcp/udp")]
    #[case(" 80")]
    #[case("80:80")]
    fn other_text_is_no_range(#[case] text: &str) {
        assert_eq!(range(text), None);
    }

    #[rstest]
    #[case("80")]
    #[case("80/udp")]
    #[case("8080:80")]
    #[case("0:80")]
    #[case(":80")]
    #[case("127.0.0.1:8080:80/tcp")]
    #[case("127.0.0.1::80")]
    #[case("[::1]:8080:80")]
    #[case("8000-8002:80-82")]
    #[case(":80-82")]
    #[case("80-82")]
    fn ports_are_published(#[case] text: &str) {
        assert_eq!(check_published(text), Ok(()));
    }

    #[rstest]
    #[case("", "of the container")]
    #[case("8080:", "of the container")]
    #[case("8080:0", "of the container")]
    #[case("8080:65536", "of the container")]
    #[case("8080:80/sctp", "of the container")]
    #[case("8080/tcp:80", "of the host")]
    #[case("65536:80", "of the host")]
    #[case("0-2:80-82", "of the host")]
    #[case("x:80", "of the host")]
    #[case("x:8080:80", "IP address")]
    #[case("::1:8080:80", "IP address")]
    #[case("[127.0.0.1]:8080:80", "IP address")]
    #[case(":8080:80", "IP address")]
    #[case("8000-8001:80", "length")]
    #[case("8080:80-81", "length")]
    fn other_text_is_not_published(#[case] text: &str, #[case] why: &str) {
        let error = check_published(text).unwrap_err();
        assert!(error.contains(why), "{error}");
    }

    #[test]
    fn a_port_in_several_ranges_is_one() {
        let ports = ["80-82", "81", "81/udp"].map(|text| range(text).unwrap());
        let wanted = ["80/tcp", "81/tcp", "81/udp", "82/tcp"].map(str::to_owned);
        assert_eq!(each(&ports), BTreeSet::from(wanted));
    }
}
