//! Create's fields: network, ports, and the names that the container knows.

use oci_spec::image::Config;

use super::{dns, join::CONTAINER};
use crate::{
    engine::{ports, request::NetworkRequest},
    settings::{Network, Ports},
};

/// What was asked for, checked, and what the image says beside it; the error names the field and the value.
pub(super) fn check(request: &NetworkRequest, image: &Config) -> Result<Network, String> {
    check_name(request.network.as_deref())?;
    check_publish(&request.publish)?;
    let mode = request.net_mode.as_deref().unwrap_or_default();
    let network = Network {
        container: mode.strip_prefix(CONTAINER).map(str::to_owned),
        exposed_ports: exposed_ports(&request.exposed_ports, image)?,
        dns_servers: dns::servers(&request.dns_servers)?,
        dns_search: dns::search(&request.dns_search)?,
        dns_options: dns::options(&request.dns_opt)?,
        hosts: dns::hosts(&request.host_add)?,
    };
    if network.container.is_some() {
        refuse_names(request)?;
    }
    refuse_publishing(request)?;
    Ok(network)
}

/// `none`, `host` or `container:ID`: another container is named by its id already.
pub(super) fn mode(given: Option<&str>) -> Result<&str, String> {
    match given {
        Some(mode) if matches!(mode, "none" | "host") || mode.starts_with(CONTAINER) => Ok(mode),
        None | Some("" | "bridge") => Err(format!(
            "net_mode: bridge, the default, is not supported yet: give none, host or {CONTAINER}NAME"
        )),
        Some(other) => Err(format!(
            "net_mode: {other:?} is not none, host or {CONTAINER}NAME"
        )),
    }
}

/// The files that they would stand in are another container's.
fn refuse_names(request: &NetworkRequest) -> Result<(), String> {
    let fields = [
        ("dns_servers", &request.dns_servers),
        ("dns_search", &request.dns_search),
        ("dns_opt", &request.dns_opt),
        ("host_add", &request.host_add),
    ];
    let mut given = fields
        .iter()
        .filter_map(|(field, list)| Some((field, list.first()?)));
    match given.next() {
        Some((field, first)) => Err(format!(
            "{field}: {first:?}: with this net_mode the file is another container's"
        )),
        None => Ok(()),
    }
}

/// The service's own bridge is the only network, and with another mode none is joined.
fn check_name(given: Option<&str>) -> Result<(), String> {
    match given {
        None | Some("" | "bridge" | "default") => Ok(()),
        Some(other) => Err(format!("network: there is no network {other:?}")),
    }
}

fn check_publish(given: &[String]) -> Result<(), String> {
    for entry in given {
        ports::check_published(entry).map_err(|why| format!("publish: {entry:?}: {why}"))?;
    }
    Ok(())
}

/// A port that is not mapped must not look as if it were.
fn refuse_publishing(request: &NetworkRequest) -> Result<(), String> {
    let wish = match request.publish.first() {
        Some(entry) => format!("publish: {entry:?}"),
        None if request.publish_all => "publish_all".to_owned(),
        None => return Ok(()),
    };
    match request.net_mode.as_deref() {
        None | Some("" | "bridge") => Err(format!("{wish}: this service cannot publish ports yet")),
        Some(mode) => Err(format!(
            "{wish}: with net_mode {mode} there is nothing to publish"
        )),
    }
}

/// Those that were asked for and the image's, in order. What the image says wrongly is no fault of the caller's.
fn exposed_ports(given: &[String], image: &Config) -> Result<Vec<Ports>, String> {
    let of_image = image.exposed_ports().iter().flatten();
    let mut all: Vec<Ports> = of_image.filter_map(|text| ports::range(text)).collect();
    for text in given {
        let ports = ports::range(text).ok_or_else(|| {
            format!("exposed_ports: {text:?} holds no port from 1 to 65535, of tcp or udp")
        })?;
        all.push(ports);
    }
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn with(change: impl FnOnce(&mut NetworkRequest)) -> Result<Network, String> {
        let mut request = NetworkRequest {
            net_mode: Some("none".into()),
            ..NetworkRequest::default()
        };
        change(&mut request);
        let image = r#"{"ExposedPorts": {"80/tcp": {}, "53/udp": {}, "x": {}, "9/sctp": {}}}"#;
        check(&request, &serde_json::from_str(image).unwrap())
    }

    #[test]
    fn ports_are_exposed_beside_the_images() {
        let network = with(|r| r.exposed_ports = vec!["8000-8001/udp".into(), "80".into()]);
        let told = ports::each(&network.unwrap().exposed_ports);
        let wanted = ["53/udp", "80/tcp", "8000/udp", "8001/udp"];
        assert!(told.iter().map(String::as_str).eq(wanted));
    }

    #[rstest]
    #[case("bridge", true)]
    #[case("default", true)]
    #[case("other", false)]
    fn there_is_one_network(#[case] name: &str, #[case] known: bool) {
        let checked = with(|r| r.network = Some(name.into()));
        assert_eq!(checked.is_ok(), known, "{checked:?}");
    }

    #[rstest]
    #[case::text("8080", "80:x", "publish: \"80:x\": it holds no port")]
    #[case::right("none", "80", "publish: \"80\": with net_mode none")]
    #[case::bridge("bridge", "80", "publish: \"80\": this service cannot")]
    #[case::wrong_text_first("bridge", "x", "publish: \"x\": it holds no port")]
    fn nothing_is_published(#[case] mode: &str, #[case] entry: &str, #[case] why: &str) {
        let error = with(|r| {
            r.net_mode = Some(mode.into());
            r.publish = vec![entry.into()];
        });
        assert!(error.as_ref().unwrap_err().starts_with(why), "{error:?}");
    }

    #[rstest]
    #[case("dns_servers", |r: &mut NetworkRequest| r.dns_servers = vec!["192.0.2.1".into()])]
    #[case("dns_search", |r: &mut NetworkRequest| r.dns_search = vec![".".into()])]
    #[case("dns_opt", |r: &mut NetworkRequest| r.dns_opt = vec!["use-vc".into()])]
    #[case("host_add", |r: &mut NetworkRequest| r.host_add = vec!["db:192.0.2.1".into()])]
    fn another_containers_files_are_not_changed(
        #[case] field: &str,
        #[case] change: fn(&mut NetworkRequest),
    ) {
        let joined = |r: &mut NetworkRequest| r.net_mode = Some("container:c1".into());
        assert_eq!(with(joined).unwrap().container.as_deref(), Some("c1"));
        let error = with(|r| {
            joined(r);
            change(r);
        });
        assert!(error.as_ref().unwrap_err().starts_with(field), "{error:?}");
    }

    #[rstest]
    #[case(Some("none"), true)]
    #[case(Some("host"), true)]
    #[case(Some("container:c1"), true)]
    #[case(Some("bridge"), false)]
    #[case(None, false)]
    #[case(Some("None"), false)]
    #[case(Some("container"), false)]
    #[case(Some("ns:/proc/1/ns/net"), false)]
    fn modes_are_words(#[case] given: Option<&str>, #[case] known: bool) {
        match mode(given) {
            Ok(mode) => assert!(known && Some(mode) == given),
            Err(error) => assert!(!known && error.starts_with("net_mode: "), "{error}"),
        }
    }

    #[test]
    fn all_ports_are_not_published_either() {
        let error = with(|r| r.publish_all = true).unwrap_err();
        assert!(error.starts_with("publish_all: "), "{error}");
    }
}
