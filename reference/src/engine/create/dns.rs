//! Create's fields: dns_servers, dns_search, dns_opt and host_add.

use std::net::IpAddr;

use crate::settings::KnownHost;

/// The longest name of a host, in bytes.
const LONGEST: usize = 253;

/// Name servers.
pub(super) fn servers(given: &[String]) -> Result<Vec<IpAddr>, String> {
    let server = |text: &String| {
        text.parse()
            .map_err(|_| format!("dns_servers: {text:?} is no IP address"))
    };
    given.iter().map(server).collect()
}

/// Search domains; `None` if they are the host's. A single dot is none.
pub(super) fn search(given: &[String]) -> Result<Option<Vec<String>>, String> {
    match given {
        [] => return Ok(None),
        [dot] if dot == "." => return Ok(Some(Vec::new())),
        _ => {}
    }
    let wrong = |domain: &&String| !is_name(domain.strip_suffix('.').unwrap_or(domain));
    match given.iter().find(wrong) {
        Some(domain) => Err(format!("dns_search: {domain:?} is no domain")),
        None => Ok(Some(given.to_vec())),
    }
}

/// Options of the resolver: whatever is one word.
pub(super) fn options(given: &[String]) -> Result<Vec<String>, String> {
    let is_word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
    match given.iter().find(|option| !is_word(option)) {
        Some(option) => Err(format!("dns_opt: {option:?} is not one word")),
        None => Ok(given.to_vec()),
    }
}

/// `NAME:IP`.
pub(super) fn hosts(given: &[String]) -> Result<Vec<KnownHost>, String> {
    let host = |text: &String| {
        let refused = |why: &str| format!("host_add: {text:?}: {why}");
        let (name, address) = text
            .split_once(':')
            .ok_or_else(|| refused("it is not NAME:IP"))?;
        if !is_name(name) {
            return Err(refused("it begins with no name of a host"));
        }
        let address = address
            .parse()
            .map_err(|_| refused("what follows the name is no IP address"))?;
        Ok(KnownHost {
            name: name.to_owned(),
            address,
        })
    };
    given.iter().map(host).collect()
}

/// Labels with dots between them. Underscores are in use, though no standard has them.
fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(plain);
    text.len() <= LONGEST && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn list(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn servers_are_addresses_of_either_version() {
        let given = list(&["192.0.2.1", "2001:db8::1"]);
        let wanted: [IpAddr; 2] = ["192.0.2.1", "2001:db8::1"].map(|text| text.parse().unwrap());
        assert_eq!(servers(&given).unwrap(), wanted);
    }

    #[rstest]
    #[case("")]
    #[case("localhost")]
    #[case("192.0.2.1:53")]
    #[case("192.0.2.1/24")]
    #[case("192.0.2.256")]
    #[case("[2001:db8::1]")]
    #[case("192.0.2.1\nnameserver 192.0.2.2")]
    fn nothing_else_is_a_server(#[case] text: &str) {
        let error = servers(&list(&["192.0.2.1", text])).unwrap_err();
        assert!(error.starts_with("dns_servers: "), "{error}");
    }

    #[rstest]
    #[case::the_hosts(&[], None)]
    #[case::none(&["."], Some(&[][..]))]
    #[case::some(&["example", "a.b.example."], Some(&["example", "a.b.example."][..]))]
    fn domains_are_searched(#[case] given: &[&str], #[case] wanted: Option<&[&str]>) {
        assert_eq!(search(&list(given)).unwrap(), wanted.map(list));
    }

    #[rstest]
    #[case("")]
    #[case(".")]
    #[case(".example")]
    #[case("a..b")]
    #[case("two words")]
    #[case("a\nnameserver 192.0.2.1")]
    fn nothing_else_is_a_domain(#[case] text: &str) {
        let error = search(&list(&["example", text])).unwrap_err();
        assert!(error.starts_with("dns_search: "), "{error}");
    }

    #[rstest]
    #[case("")]
    #[case("ndots:1 debug")]
    #[case("a\nnameserver 192.0.2.1")]
    fn an_option_is_one_word(#[case] text: &str) {
        assert!(options(&list(&["ndots:1", "use-vc"])).is_ok());
        let error = options(&list(&[text])).unwrap_err();
        assert!(error.starts_with("dns_opt: "), "{error}");
    }

    #[test]
    fn a_host_has_a_name_and_an_address() {
        let hosts = hosts(&list(&["db.example:192.0.2.1", "six:2001:db8::1"])).unwrap();
        let told = hosts.iter().map(|host| (host.name.as_str(), host.address));
        let wanted = [("db.example", "192.0.2.1"), ("six", "2001:db8::1")];
        assert!(told.eq(wanted.map(|(name, text)| (name, text.parse().unwrap()))));
    }

    #[rstest]
    #[case("")]
    #[case("db")]
    #[case("db:")]
    #[case("db:x")]
    #[case(":192.0.2.1")]
    #[case("192.0.2.1")]
    #[case("two words:192.0.2.1")]
    #[case("a#b:192.0.2.1")]
    #[case("a\n192.0.2.2 b:192.0.2.1")]
    #[case("db:192.0.2.1\n192.0.2.2 b")]
    fn nothing_else_is_a_host(#[case] text: &str) {
        let error = hosts(&list(&[text])).unwrap_err();
        assert!(error.starts_with("host_add: "), "{error}");
    }
}
