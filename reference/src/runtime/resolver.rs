//! A container's /etc/resolv.conf: the host's, with what was asked for in the place of what the host has.

use std::fmt::Write;

use crate::settings::Network;

/// The text. Lines of the host's that nothing was asked for beside stay as they are, comments too.
pub(super) fn configuration(host: &str, network: &Network) -> String {
    let replaced = |line: &&str| match line.split_whitespace().next() {
        Some("nameserver") => !network.dns_servers.is_empty(),
        // The host's own domain is the only one that is searched where no others are given.
        Some("search" | "domain") => network.dns_search.is_some(),
        Some("options") => !network.dns_options.is_empty(),
        _ => false,
    };
    let kept = host.lines().filter(|line| !replaced(line));
    let mut text: String = kept.flat_map(|line| [line, "\n"]).collect();
    let search = network.dns_search.as_deref().unwrap_or_default();
    line(&mut text, "search", search);
    for server in &network.dns_servers {
        line(&mut text, "nameserver", &[server.to_string()]);
    }
    line(&mut text, "options", &network.dns_options);
    text
}

fn line(text: &mut String, keyword: &str, words: &[String]) {
    if !words.is_empty() {
        // Writing into a string does not fail.
        let _ = writeln!(text, "{keyword} {}", words.join(" "));
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const HOST: &str = "# made by hand\ndomain old.example\nsearch a.example b.example\nnameserver 192.0.2.1\n\
        nameserver 192.0.2.2\noptions ndots:2\nsortlist 192.0.2.0";

    fn network(servers: &[&str], search: Option<&[&str]>, options: &[&str]) -> Network {
        let list = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Network {
            dns_servers: servers.iter().map(|text| text.parse().unwrap()).collect(),
            dns_search: search.map(list),
            dns_options: list(options),
            ..Network::default()
        }
    }

    #[test]
    fn without_a_wish_it_is_the_hosts() {
        let text = configuration(HOST, &Network::default());
        assert_eq!(text, format!("{HOST}\n"));
        assert_eq!(configuration("", &Network::default()), "");
    }

    #[rstest]
    #[case::servers(
        network(&["2001:db8::1", "192.0.2.9"], None, &[]),
        "# made by hand\ndomain old.example\nsearch a.example b.example\noptions ndots:2\nsortlist 192.0.2.0\n\
         nameserver 2001:db8::1\nnameserver 192.0.2.9\n"
    )]
    #[case::search(
        network(&[], Some(&["c.example", "d"]), &[]),
        "# made by hand\nnameserver 192.0.2.1\nnameserver 192.0.2.2\noptions ndots:2\nsortlist 192.0.2.0\n\
         search c.example d\n"
    )]
    #[case::no_search(
        network(&[], Some(&[]), &[]),
        "# made by hand\nnameserver 192.0.2.1\nnameserver 192.0.2.2\noptions ndots:2\nsortlist 192.0.2.0\n"
    )]
    #[case::options(
        network(&[], None, &["ndots:1", "use-vc"]),
        "# made by hand\ndomain old.example\nsearch a.example b.example\nnameserver 192.0.2.1\n\
         nameserver 192.0.2.2\nsortlist 192.0.2.0\noptions ndots:1 use-vc\n"
    )]
    fn what_was_asked_for_takes_the_place_of_the_hosts(
        #[case] network: Network,
        #[case] wanted: &str,
    ) {
        assert_eq!(configuration(HOST, &network), wanted);
    }
}
