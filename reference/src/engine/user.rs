//! Who runs a container's program: `USER[:GROUP]` and the container's own /etc/passwd and /etc/group.

use crate::{runtime::User, settings::IdMappings};

/// The largest id that is not taken for a negative number somewhere.
const LARGEST: u32 = 2_147_483_647;

/// A user and their home directory.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resolved {
    pub(super) user: User,
    pub(super) home: String,
}

struct Passwd<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

/// What can be told of a user or group without the container's files: whether a number can be one.
pub(super) fn check(text: &str) -> Result<(), String> {
    number(text).map(drop)
}

/// Resolves; the error names what was not found.
pub(super) fn resolve(text: &str, passwd: &str, group: &str) -> Result<Resolved, String> {
    let (user, group_text) = match text.split_once(':') {
        Some((user, group)) => (user, Some(group).filter(|group| !group.is_empty())),
        None => (text, None),
    };
    let user = if user.is_empty() { "0" } else { user };
    let (uid, entry) = match number(user)? {
        Some(uid) => (uid, entries(passwd).find(|entry| entry.uid == uid)),
        None => {
            let entry = entries(passwd).find(|entry| entry.name == user);
            let entry =
                entry.ok_or_else(|| format!("no user {user:?} in the container's /etc/passwd"))?;
            (entry.uid, Some(entry))
        }
    };
    let gid = match group_text {
        Some(text) => group_id(text, group)?,
        None => entry.as_ref().map_or(0, |entry| entry.gid),
    };
    let mut groups = match (&entry, group_text) {
        (Some(entry), None) => further_groups(entry.name, group),
        _ => Vec::new(),
    };
    // The own group too, as for everybody who logs in: a process that gave it up would pass by what it is denied.
    groups.push(gid);
    sort(&mut groups);
    let home = entry.map_or("", |entry| entry.home);
    Ok(Resolved {
        user: User { uid, gid, groups },
        home: if home.is_empty() { "/" } else { home }.to_owned(),
    })
}

/// Adds groups to those of a user; the error names one that was not found.
pub(super) fn add_groups(user: &mut User, added: &[String], group: &str) -> Result<(), String> {
    for text in added {
        user.groups.push(group_id(text, group)?);
    }
    sort(&mut user.groups);
    Ok(())
}

/// Refuses a user of whom the container has not every id; the error names the first one that is missing.
pub(super) fn check_mapped(user: &User, ids: &IdMappings) -> Result<(), String> {
    let User { uid, gid, groups } = user;
    if ids.host_user(*uid).is_none() {
        return Err(format!(
            "user: {uid} is in no range of the container's user ids"
        ));
    }
    let mut all = std::iter::once(gid).chain(groups);
    match all.find(|gid| ids.host_group(**gid).is_none()) {
        Some(gid) => Err(format!(
            "user: its group {gid} is in no range of the container's group ids"
        )),
        None => Ok(()),
    }
}

fn sort(groups: &mut Vec<u32>) {
    groups.sort_unstable();
    groups.dedup();
}

/// Digits are a number, whatever the files say: a name made of digits must not become another user.
fn number(text: &str) -> Result<Option<u32>, String> {
    let signed = text.strip_prefix(['-', '+']).unwrap_or(text);
    if signed.is_empty() || !signed.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    let id = text
        .parse()
        .ok()
        .filter(|id| *id <= LARGEST && signed == text);
    id.map(Some)
        .ok_or_else(|| format!("{text:?} is not an id from 0 to {LARGEST}"))
}

fn entries(passwd: &str) -> impl Iterator<Item = Passwd<'_>> {
    passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        Some(Passwd {
            name,
            uid: fields.nth(1)?.parse().ok()?,
            gid: fields.next()?.parse().ok()?,
            home: fields.nth(1).unwrap_or_default(),
        })
    })
}

fn group_id(text: &str, group: &str) -> Result<u32, String> {
    if let Some(gid) = number(text)? {
        return Ok(gid);
    }
    let named = groups(group).find(|(name, ..)| *name == text);
    let (_, gid, _) =
        named.ok_or_else(|| format!("no group {text:?} in the container's /etc/group"))?;
    Ok(gid)
}

fn groups(group: &str) -> impl Iterator<Item = (&str, u32, &str)> {
    group.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let gid = fields.nth(1)?.parse().ok()?;
        Some((name, gid, fields.next().unwrap_or_default()))
    })
}

fn further_groups(user: &str, group: &str) -> Vec<u32> {
    let lists = |members: &str| members.split(',').any(|member| member == user);
    groups(group)
        .filter(|(_, _, members)| lists(members))
        .map(|(_, id, _)| id)
        .collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nann:x:1000:100:Ann:/home/ann:/bin/sh\n007:x:5:5::/:\nbroken\n";
    const GROUP: &str = "root:x:0:\nusers:x:100:ann\nwheel:x:10:bob,ann\nadm:x:4:ann\n";

    #[rstest]
    #[case("", 0, 0, &[0], "/root")]
    #[case("ann", 1000, 100, &[4, 10, 100], "/home/ann")]
    #[case("1000", 1000, 100, &[4, 10, 100], "/home/ann")]
    #[case("ann:wheel", 1000, 10, &[10], "/home/ann")]
    #[case("ann:", 1000, 100, &[4, 10, 100], "/home/ann")]
    #[case("42", 42, 0, &[0], "/")]
    #[case("42:43", 42, 43, &[43], "/")]
    #[case("007", 7, 0, &[0], "/")]
    fn users_are_found(
        #[case] text: &str,
        #[case] uid: u32,
        #[case] gid: u32,
        #[case] groups: &[u32],
        #[case] home: &str,
    ) {
        let resolved = resolve(text, PASSWD, GROUP).unwrap();
        let user = User {
            uid,
            gid,
            groups: groups.to_vec(),
        };
        assert_eq!(
            resolved,
            Resolved {
                user,
                home: home.into()
            }
        );
    }

    #[test]
    fn groups_are_added_to_those_of_the_user() {
        let added = ["wheel", "3000", "100"].map(str::to_owned);
        let mut user = resolve("ann", PASSWD, GROUP).unwrap().user;
        add_groups(&mut user, &added, GROUP).unwrap();
        assert_eq!(user.groups, [4, 10, 100, 3000]);
        let error = add_groups(&mut user, &["bozo".to_owned()], GROUP).unwrap_err();
        assert!(error.contains("bozo"), "{error}");
    }

    #[rstest]
    #[case("bozo")]
    #[case("ann:bozo")]
    #[case("-1")]
    #[case("2147483648")]
    #[case("4294967296")]
    #[case("ann:-1")]
    fn an_unknown_user_is_an_error_and_never_root(#[case] text: &str) {
        let error = resolve(text, PASSWD, GROUP).unwrap_err();
        assert!(
            error.contains(text.split(':').next_back().unwrap()),
            "{error}"
        );
    }
}
