//! Which scenarios a run takes: globs over their ids.

use globset::{GlobBuilder, GlobMatcher};

/// A glob over ids: `*` and `?` match `/` too, brackets stand for themselves, since they hold a case's name.
#[derive(Debug, Clone)]
pub struct Filter(GlobMatcher);

impl Filter {
    /// Reads a glob.
    ///
    /// # Errors
    /// It is not one; says why.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut literal = String::new();
        for letter in text.chars() {
            if matches!(letter, '[' | ']') {
                literal.push('\\');
            }
            literal.push(letter);
        }
        let glob = GlobBuilder::new(&literal).backslash_escape(true).build();
        glob.map(|glob| Self(glob.compile_matcher()))
            .map_err(|error| error.kind().to_string())
    }

    /// A glob that matches this id and nothing else.
    pub fn literal(id: &str) -> String {
        let mut glob = String::new();
        for letter in id.chars() {
            if matches!(letter, '*' | '?' | '{' | '}' | '\\') {
                glob.push('\\');
            }
            glob.push(letter);
        }
        glob
    }

    /// Whether it takes the scenario: by its id with the case, or without it (all cases).
    pub fn takes(&self, scenario: &str, id: &str) -> bool {
        self.0.is_match(id) || self.0.is_match(scenario)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("StopContainer/x[case]", true)]
    #[case("StopContainer/x", true)]
    #[case("StopContainer/*", true)]
    #[case("Stop*", true)]
    #[case("*[case]", true)]
    #[case("*[c*]", true)]
    #[case("{Stop,Start}Container/*", true)]
    #[case("StopContainer/x[other]", false)]
    #[case("StopContainer/x[c]", false)]
    #[case("StopContainer", false)]
    fn brackets_are_literal_and_a_scenario_stands_for_its_cases(
        #[case] glob: &str,
        #[case] takes: bool,
    ) {
        let filter = Filter::parse(glob).unwrap();
        assert_eq!(
            filter.takes("StopContainer/x", "StopContainer/x[case]"),
            takes
        );
    }

    #[rstest]
    #[case("A/b[x*y]")]
    #[case("A/b[{1?}]")]
    #[case("A/b[\\]")]
    fn the_glob_of_one_id_takes_that_id_alone(#[case] id: &str) {
        let filter = Filter::parse(&Filter::literal(id)).unwrap();
        assert!(filter.takes("A/b", id));
        assert!(!filter.takes("A/b", "A/b[xzy]"));
    }

    #[test]
    fn a_broken_glob_is_refused() {
        assert!(Filter::parse("{a").is_err());
    }
}
