//! The image's VOLUME entries, and Create's fields about them: image_volume_type and builtin_imgvolumes.

use oci_spec::image::Config;

use super::{
    Kind, Wish,
    destination::{self, is_provided},
    tmpfs,
};
use crate::engine::request::MountsRequest;

/// What the image, and what stands for it, wants to have mounted. The error names the field.
pub(super) fn wishes(request: &MountsRequest, config: &Config) -> Result<Vec<Wish>, String> {
    let kind = match request.image_volume_type.as_deref() {
        None | Some("bind") => Some(Kind::own()),
        Some("tmpfs") => Some(Kind::Tmpfs(
            tmpfs::options(&[]).map_err(|why| format!("image_volume_type: {why}"))?,
        )),
        Some("ignore") => None,
        Some(other) => {
            return Err(format!(
                "image_volume_type: {other:?} is none of bind, tmpfs and ignore"
            ));
        }
    };
    let mut wishes = Vec::new();
    for path in &request.builtin_imgvolumes {
        let said = format!("builtin_imgvolumes: {path:?}");
        wishes.push(wish(said, path, kind.clone().unwrap_or_else(Kind::own))?);
    }
    let Some(kind) = kind else {
        return Ok(Vec::new());
    };
    for path in config.volumes().iter().flatten() {
        let said = format!("image_volume_type: the image's VOLUME {path:?}");
        wishes.push(wish(said, path, kind.clone())?);
    }
    // An image neither names a container nor chooses its name servers.
    wishes.retain(|wish| !is_provided(&wish.destination));
    Ok(wishes)
}

fn wish(said: String, path: &str, kind: Kind) -> Result<Wish, String> {
    Ok(Wish {
        destination: destination::clean(path).map_err(|why| format!("{said} {why}"))?,
        by_image: true,
        kind,
        said,
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn wanted(kind: Option<&str>, builtin: &[&str]) -> Result<Vec<Wish>, String> {
        let request = MountsRequest {
            image_volume_type: kind.map(str::to_owned),
            builtin_imgvolumes: builtin.iter().map(|&path| path.to_owned()).collect(),
            ..MountsRequest::default()
        };
        let mut config = Config::default();
        config.set_volumes(Some(vec!["/data".into(), "/etc/hosts".into()]));
        wishes(&request, &config)
    }

    #[rstest]
    #[case::default(None, &["/more", "/data"])]
    #[case::bind(Some("bind"), &["/more", "/data"])]
    #[case::tmpfs(Some("tmpfs"), &["/more", "/data"])]
    #[case::ignore(Some("ignore"), &[])]
    fn what_the_image_wants_is_mounted_unless_ignored(
        #[case] kind: Option<&str>,
        #[case] expected: &[&str],
    ) {
        let wishes = wanted(kind, &["/more"]).unwrap();
        let found: Vec<_> = wishes
            .iter()
            .map(|wish| wish.destination.to_str().unwrap())
            .collect();
        assert_eq!(found, expected);
        let in_memory = |wish: &Wish| matches!(wish.kind, Kind::Tmpfs(_));
        assert_eq!(wishes.iter().any(in_memory), kind == Some("tmpfs"));
    }

    #[rstest]
    #[case::word(Some("anonymous"), &[], "image_volume_type: \"anonymous\" ")]
    #[case::relative(None, &["more"], "builtin_imgvolumes: \"more\" ")]
    #[case::relative_and_ignored(Some("ignore"), &["more"], "builtin_imgvolumes: \"more\" ")]
    fn what_cannot_be_honoured_is_refused_by_field_and_value(
        #[case] kind: Option<&str>,
        #[case] builtin: &[&str],
        #[case] beginning: &str,
    ) {
        let reason = wanted(kind, builtin).unwrap_err();
        assert!(reason.starts_with(beginning), "{reason}");
    }
}
