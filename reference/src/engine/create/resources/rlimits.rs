//! Limits of single processes.

use super::whole;
use crate::{
    engine::request::ResourcesRequest,
    settings::{Amount, Resources, Ulimit},
    sys::limits::Limit,
};

pub(super) fn read(request: &ResourcesRequest, resources: &mut Resources) -> Result<(), String> {
    for entry in &request.ulimit {
        let refused = |why: &str| format!("resources.ulimit: {entry:?} {why}");
        let ulimit = parse(entry).map_err(|why| refused(&why))?;
        if resources
            .ulimit
            .iter()
            .any(|other| other.name == ulimit.name)
        {
            return Err(refused("is the second for its name"));
        }
        resources.ulimit.push(ulimit);
    }
    Ok(())
}

/// Reads `NAME=SOFT[:HARD]`.
fn parse(entry: &str) -> Result<Ulimit, String> {
    let (name, figures) = entry.split_once('=').ok_or("is not NAME=SOFT[:HARD]")?;
    let (soft, hard) = figures.split_once(':').unwrap_or((figures, figures));
    let (Some(soft), Some(hard)) = (amount(soft), amount(hard)) else {
        return Err("has no figure where one belongs".into());
    };
    let limit = Limit::new(name, value(soft), value(hard))
        .ok_or_else(|| format!("names no limit: there is no {name:?}"))?;
    if soft > hard {
        return Err("has its soft limit above its hard one".into());
    }
    if limit.is_beyond() {
        return Err("is above the service's own hard limit, which it may not exceed".into());
    }
    Ok(Ulimit {
        name: name.to_owned(),
        soft,
        hard,
    })
}

fn amount(text: &str) -> Option<Amount> {
    if text == "-1" {
        return Some(Amount::Unlimited);
    }
    // The greatest figure is how the kernel writes "unlimited".
    let figure = whole(text).filter(|figure| *figure < u64::MAX);
    figure.map(Amount::Of)
}

fn value(amount: Amount) -> Option<u64> {
    match amount {
        Amount::Of(figure) => Some(figure),
        Amount::Unlimited => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("core=0", Amount::Of(0), Amount::Of(0))]
    #[case("nofile=10:20", Amount::Of(10), Amount::Of(20))]
    fn a_limit_has_a_soft_and_a_hard_figure(
        #[case] entry: &str,
        #[case] soft: Amount,
        #[case] hard: Amount,
    ) {
        let ulimit = parse(entry).unwrap();
        assert_eq!((ulimit.soft, ulimit.hard), (soft, hard));
    }

    #[rstest]
    #[case("nofile")]
    #[case("nofile=")]
    #[case("nofile=x")]
    #[case("nofile=5:")]
    #[case("nofile=-2")]
    #[case("nofile=20:10")]
    #[case("nofile=-1:10")]
    #[case("NOFILE=10")]
    #[case("files=10")]
    #[case("nofile=10:20:30")]
    fn other_text_is_refused(#[case] entry: &str) {
        assert!(parse(entry).is_err());
    }

    #[test]
    fn a_name_stands_once() {
        let request = ResourcesRequest {
            ulimit: vec!["core=0".into(), "core=1".into()],
            ..ResourcesRequest::default()
        };
        let refused = read(&request, &mut Resources::default()).unwrap_err();
        assert!(refused.contains("core=1"), "{refused}");
    }
}
