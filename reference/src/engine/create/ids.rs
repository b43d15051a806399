//! Create's fields of id mappings: uidmap, gidmap, their sub* kin, id_mappings and userns_mode.

use std::{fs, path::Path};

use crate::{
    engine::request::{IdMapRequest, NamespacesRequest},
    settings::{IdMappings, IdRange},
};

/// The kernel takes no more ranges.
const MOST_RANGES: usize = 340;

/// The id above the largest one: the kernel keeps it for "no id".
const END: u64 = 4_294_967_295;

/// Whose ids on the host are whose, by name: `NAME:FIRST:COUNT` in each line.
const USERS_OF_HOST: &str = "/etc/subuid";
const GROUPS_OF_HOST: &str = "/etc/subgid";

/// One way to give ranges: the field, and what it says.
type Given = Option<(&'static str, Vec<IdRange>)>;

/// The ids of a user namespace of the container's own, `None` if it is to have the host's; the error names the field and the value.
pub(super) fn check(request: &NamespacesRequest) -> Result<Option<IdMappings>, String> {
    let ways = [
        structure(request)?,
        ranges(request)?,
        names(request, USERS_OF_HOST.as_ref(), GROUPS_OF_HOST.as_ref())?,
    ];
    let mut ways = ways.into_iter().flatten();
    let first = ways.next();
    for (field, other) in ways {
        let differs = first
            .as_ref()
            .filter(|(one, ids)| *one == "id_mappings" || *ids != other);
        if let Some((one, _)) = differs {
            return Err(format!(
                "{one} and {field} say the ids in two ways: give one"
            ));
        }
    }
    let ids = first.map(|(_, ids)| ids);
    match (request.userns_mode.as_deref(), &ids) {
        (None | Some(""), _) | (Some("private"), Some(_)) | (Some("host"), None) => Ok(ids),
        (Some(mode @ "private"), None) => Err(format!(
            "userns_mode: {mode:?} needs mappings of ids: give uidmap"
        )),
        (Some(mode @ "host"), Some(_)) => Err(format!(
            "userns_mode: {mode:?} and mappings of ids contradict each other"
        )),
        (Some(mode), _) => Err(format!("userns_mode: {mode:?} is not host or private")),
    }
}

/// The field that mappings came in, for what is found wrong with them later.
pub(super) fn field(request: &NamespacesRequest) -> &'static str {
    let fields = [
        ("uidmap", !request.uidmap.is_empty()),
        ("gidmap", !request.gidmap.is_empty()),
        ("subuidmap", request.subuidmap.is_some()),
        ("subgidmap", request.subgidmap.is_some()),
        ("subuidname", request.subuidname.is_some()),
    ];
    let found = fields.into_iter().find(|(_, given)| *given);
    found.map_or("id_mappings", |(field, _)| field)
}

/// id_mappings.
fn structure(request: &NamespacesRequest) -> Result<Option<(&'static str, IdMappings)>, String> {
    let mappings = &request.id_mappings;
    let one = |kind: &str, of_host: bool, map: Option<&IdMapRequest>| {
        if map.is_some() && of_host {
            return Err(format!(
                "id_mappings: host_{kind}_mapping and {kind}_map contradict each other"
            ));
        }
        map.map(|map| range_of(kind, *map)).transpose()
    };
    let users = one("uid", mappings.host_uid_mapping, mappings.uid_map.as_ref())?;
    let groups = one("gid", mappings.host_gid_mapping, mappings.gid_map.as_ref())?;
    let same = IdRange {
        container: 0,
        host: 0,
        size: u32::MAX,
    };
    let or_same = |range: IdRange, of_host: bool| if of_host { same } else { range };
    let (users, groups) = match (users, groups) {
        (None, None) => return Ok(None),
        (Some(users), None) => (users, or_same(users, mappings.host_gid_mapping)),
        (None, Some(groups)) => (or_same(groups, mappings.host_uid_mapping), groups),
        (Some(users), Some(groups)) => (users, groups),
    };
    Ok(Some((
        "id_mappings",
        IdMappings {
            users: vec![users],
            groups: vec![groups],
        },
    )))
}

fn range_of(kind: &str, map: IdMapRequest) -> Result<IdRange, String> {
    let told = format!(
        "id_mappings.{kind}_map: {}:{}:{}",
        map.container_id, map.host_id, map.size
    );
    let number = |number: i64| u64::try_from(number).ok();
    let numbers = (
        number(map.container_id),
        number(map.host_id),
        number(map.size),
    );
    let (Some(container), Some(host), Some(size)) = numbers else {
        return Err(format!("{told} has a negative number"));
    };
    range(container, host, size).map_err(|why| format!("{told} {why}"))
}

/// uidmap, gidmap, subuidmap and subgidmap.
fn ranges(request: &NamespacesRequest) -> Result<Option<(&'static str, IdMappings)>, String> {
    let users = either(
        list("uidmap", &request.uidmap)?,
        list("subuidmap", &words(request.subuidmap.as_deref()))?,
    )?;
    let groups = either(
        list("gidmap", &request.gidmap)?,
        list("subgidmap", &words(request.subgidmap.as_deref()))?,
    )?;
    Ok(match (users, groups) {
        (None, None) => None,
        (Some((field, both)), None) | (None, Some((field, both))) => Some((
            field,
            IdMappings {
                users: both.clone(),
                groups: both,
            },
        )),
        (Some((field, users)), Some((_, groups))) => Some((field, IdMappings { users, groups })),
    })
}

fn words(text: Option<&str>) -> Vec<String> {
    let words = text.into_iter().flat_map(|text| text.split(','));
    words.map(str::to_owned).collect()
}

fn either(one: Given, other: Given) -> Result<Given, String> {
    match (one, other) {
        (Some((a, ranges)), Some((b, others))) if ranges != others => {
            Err(format!("{a} and {b} differ: give one"))
        }
        (one, other) => Ok(one.or(other)),
    }
}

fn list(field: &'static str, entries: &[String]) -> Result<Given, String> {
    let parsed = entries
        .iter()
        .map(|entry| parse(entry).map_err(|why| format!("{field}: {entry:?} {why}")));
    let ranges: Vec<IdRange> = parsed.collect::<Result<_, _>>()?;
    if ranges.is_empty() {
        return Ok(None);
    }
    apart(&ranges).map_err(|why| format!("{field}: {}: {why}", entries.join(",")))?;
    Ok(Some((field, ranges)))
}

/// Reads `CONTAINER:HOST:SIZE`.
fn parse(entry: &str) -> Result<IdRange, String> {
    let number = |text: &str| -> Option<u64> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten()
    };
    let numbers: Vec<Option<u64>> = entry.split(':').map(number).collect();
    let [Some(container), Some(host), Some(size)] = numbers[..] else {
        return Err("is not CONTAINER:HOST:SIZE, three numbers".into());
    };
    range(container, host, size)
}

fn range(container: u64, host: u64, size: u64) -> Result<IdRange, String> {
    if size == 0 {
        return Err("has a size of 0".into());
    }
    let id = |first: u64| {
        let fits = first.checked_add(size).is_some_and(|end| end <= END);
        u32::try_from(first).ok().filter(|_| fits)
    };
    match (id(container), id(host), u32::try_from(size)) {
        (Some(container), Some(host), Ok(size)) => Ok(IdRange {
            container,
            host,
            size,
        }),
        _ => Err(format!("has an id above {}", END - 1)),
    }
}

/// Ranges that have no id in common, inside or outside.
fn apart(ranges: &[IdRange]) -> Result<(), String> {
    if ranges.len() > MOST_RANGES {
        return Err(format!("the kernel takes {MOST_RANGES} ranges at most"));
    }
    let overlap = |first: fn(&IdRange) -> u32| {
        let mut sorted: Vec<(u32, u32)> = ranges.iter().map(|r| (first(r), r.size)).collect();
        sorted.sort_unstable();
        sorted
            .iter()
            .zip(sorted.iter().skip(1))
            .any(|((first, size), (next, _))| next - first < *size)
    };
    if overlap(|range| range.container) || overlap(|range| range.host) {
        return Err("ranges overlap".into());
    }
    Ok(())
}

/// subuidname and subgidname.
fn names(
    request: &NamespacesRequest,
    users: &Path,
    groups: &Path,
) -> Result<Option<(&'static str, IdMappings)>, String> {
    let user = request
        .subuidname
        .as_deref()
        .filter(|name| !name.is_empty());
    let group = request
        .subgidname
        .as_deref()
        .filter(|name| !name.is_empty());
    let Some(user) = user else {
        return match group {
            Some(group) => Err(format!(
                "subgidname: {group:?}: a mapping of users is needed, too: give subuidname"
            )),
            None => Ok(None),
        };
    };
    let (group_field, group) = group.map_or(("subuidname", user), |group| ("subgidname", group));
    Ok(Some((
        "subuidname",
        IdMappings {
            users: of_name("subuidname", user, users)?,
            groups: of_name(group_field, group, groups)?,
        },
    )))
}

/// The ranges of a name, one after the other from 0 on inside.
fn of_name(field: &str, name: &str, file: &Path) -> Result<Vec<IdRange>, String> {
    let refused = |why: &str| format!("{field}: {name:?}: {why} in {}", file.display());
    let text = fs::read_to_string(file).unwrap_or_default();
    let mut ranges = Vec::new();
    let mut next = 0;
    for line in text.lines() {
        let Some(rest) = line
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix(':'))
        else {
            continue;
        };
        let one = parse(&format!("{next}:{rest}")).map_err(|why| refused(&why))?;
        next = one.container.saturating_add(one.size);
        ranges.push(one);
    }
    if ranges.is_empty() {
        return Err(refused("it has no range"));
    }
    apart(&ranges).map_err(|why| refused(&why))?;
    Ok(ranges)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn range(container: u32, host: u32, size: u32) -> IdRange {
        IdRange {
            container,
            host,
            size,
        }
    }

    fn request(uidmap: &[&str], gidmap: &[&str]) -> NamespacesRequest {
        let texts = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        NamespacesRequest {
            uidmap: texts(uidmap),
            gidmap: texts(gidmap),
            ..NamespacesRequest::default()
        }
    }

    #[test]
    fn one_kind_of_ids_stands_for_both() {
        let one = range(0, 100_000, 10);
        for request in [
            request(&["0:100000:10"], &[]),
            request(&[], &["0:100000:10"]),
            NamespacesRequest {
                subuidmap: Some("0:100000:10".into()),
                ..NamespacesRequest::default()
            },
        ] {
            let ids = check(&request).unwrap().unwrap();
            assert_eq!((ids.users, ids.groups), (vec![one], vec![one]));
        }
    }

    #[test]
    fn the_largest_id_can_be_mapped() {
        let ids = check(&request(&["4294967294:4294967294:1"], &[])).unwrap();
        assert_eq!(ids.unwrap().users, [range(u32::MAX - 1, u32::MAX - 1, 1)]);
    }

    #[rstest]
    #[case::text("0:1")]
    #[case::four("0:1:2:3")]
    #[case::negative("0:-1:2")]
    #[case::signed("0:+1:2")]
    #[case::empty("")]
    #[case::blank("0: 1:2")]
    #[case::nothing("0:1:0")]
    #[case::too_large("0:4294967296:1")]
    #[case::beyond_inside("4294967294:0:2")]
    #[case::beyond_outside("0:4294967294:2")]
    #[case::enormous("0:1:18446744073709551616")]
    fn what_is_no_range_is_refused(#[case] entry: &str) {
        let error = check(&request(&[entry], &[])).unwrap_err();
        assert!(error.contains("uidmap") && error.contains(entry), "{error}");
    }

    #[rstest]
    #[case::inside(&["0:100000:10", "9:200000:1"])]
    #[case::outside(&["0:100000:10", "10:100009:1"])]
    fn ranges_do_not_overlap(#[case] entries: &[&str]) {
        let error = check(&request(&["0:1:1"], entries)).unwrap_err();
        assert!(
            error.contains("gidmap") && error.contains("overlap"),
            "{error}"
        );
        let next = check(&request(&["0:100000:10", "10:100010:1"], &[]));
        assert!(next.is_ok());
    }

    #[rstest]
    #[case::other_word(Some("bozo"), &[])]
    #[case::host_with_ids(Some("host"), &["0:1:1"])]
    #[case::private_without(Some("private"), &[])]
    fn the_mode_agrees_with_the_ids(#[case] mode: Option<&str>, #[case] uidmap: &[&str]) {
        let request = NamespacesRequest {
            userns_mode: mode.map(str::to_owned),
            ..request(uidmap, &[])
        };
        let error = check(&request).unwrap_err();
        assert!(error.contains("userns_mode") && error.contains(mode.unwrap()));
    }

    #[test]
    fn what_is_the_hosts_stays_so_beside_a_mapping_of_the_other_kind() {
        let mut request = request(&[], &[]);
        request.id_mappings.host_uid_mapping = true;
        request.id_mappings.gid_map = Some(IdMapRequest {
            container_id: 0,
            host_id: 7,
            size: 2,
        });
        let ids = check(&request).unwrap().unwrap();
        assert_eq!(ids.users, [range(0, 0, u32::MAX)]);
        assert_eq!(ids.groups, [range(0, 7, 2)]);
        request.id_mappings.host_gid_mapping = true;
        let error = check(&request).unwrap_err();
        assert!(error.contains("host_gid_mapping"), "{error}");
        request.id_mappings.gid_map = None;
        assert_eq!(check(&request), Ok(None));
    }

    #[test]
    fn names_have_their_ranges_one_after_the_other() {
        let home = tempfile::tempdir().unwrap();
        let (users, groups) = (home.path().join("subuid"), home.path().join("subgid"));
        fs::write(&users, "anna:1:1\nann:100000:10\nbob:1:2\nann:300000:5\n").unwrap();
        fs::write(&groups, "ann:5:6\nstaff:9:1\n").unwrap();
        let with = |user: Option<&str>, group: Option<&str>| {
            let request = NamespacesRequest {
                subuidname: user.map(str::to_owned),
                subgidname: group.map(str::to_owned),
                ..NamespacesRequest::default()
            };
            names(&request, &users, &groups)
        };
        let both = [range(0, 100_000, 10), range(10, 300_000, 5)];
        let (_, ids) = with(Some("ann"), None).unwrap().unwrap();
        assert_eq!(
            (&ids.users[..], &ids.groups[..]),
            (&both[..], &[range(0, 5, 6)][..])
        );
        let (_, ids) = with(Some("ann"), Some("staff")).unwrap().unwrap();
        assert_eq!(ids.groups, [range(0, 9, 1)]);
        for (user, group, field) in [
            (Some("bozo"), None, "subuidname"),
            (Some("bob"), None, "subuidname"),
            (Some("ann"), Some("bozo"), "subgidname"),
            (None, Some("staff"), "subgidname"),
        ] {
            let error = with(user, group).unwrap_err();
            assert!(error.contains(field), "{error}");
        }
    }
}
