//! Options of ps: which of them choose columns, order and form. None that chooses processes gets through to ps.
//!
//! ps adds up what its options choose: a single `-e` would list the host. So the options are read as ps reads them, those that
//! only widen the choice are left out (the container's processes are all there is), and those that narrow it are refused.

/// Options with a `-`, each a letter. With an argument: the rest of the word, or the next word.
const DASHED: Letters = Letters {
    form: "FHLMPTZcfjlmwy",
    with_argument: "Oo",
    widening: "Aade",
    choosing: "CGNUgpqstu",
};

/// Options without one.
const PLAIN: Letters = Letters {
    form: "CHSXZcefhjlmnsuvw",
    with_argument: "Oko",
    widening: "Aagx",
    choosing: "TUpqrt",
};

/// Long ones: with an argument, after `=` or as the next word, and without.
const LONG_WITH_ARGUMENT: [&str; 7] = [
    "cols", "columns", "format", "lines", "rows", "sort", "width",
];
const LONG: [&str; 4] = ["context", "cumulative", "forest", "no-headers"];
const LONG_CHOOSING: [&str; 9] = [
    "Group",
    "User",
    "deselect",
    "group",
    "pid",
    "ppid",
    "quick-pid",
    "sid",
    "tty",
];

struct Letters {
    form: &'static str,
    with_argument: &'static str,
    widening: &'static str,
    choosing: &'static str,
}

/// The options to give to ps; the error says which is refused.
pub(super) fn check(options: &[String]) -> Result<Vec<String>, String> {
    let mut checked = Vec::with_capacity(options.len());
    let mut words = options.iter();
    while let Some(word) = words.next() {
        if word.contains(char::is_control) {
            return Err(format!("opts: {word:?} holds a control character"));
        }
        let needs_argument = match word.strip_prefix("--") {
            Some(name) => long(name)?,
            None => match word.strip_prefix('-') {
                Some(letters) => DASHED.check(word, letters, "-", &mut checked)?,
                None => PLAIN.check(word, word, "", &mut checked)?,
            },
        };
        if word.starts_with("--") {
            checked.push(word.clone());
        }
        if needs_argument {
            let argument = words.next().filter(|next| !next.contains(char::is_control));
            let argument = argument.ok_or_else(|| format!("opts: {word:?} takes an argument"))?;
            checked.push(argument.clone());
        }
    }
    Ok(checked)
}

/// Whether the next word is its argument.
fn long(name: &str) -> Result<bool, String> {
    let word = format!("--{name}");
    let (name, inline) = match name.split_once('=') {
        Some((name, _)) => (name, true),
        None => (name, false),
    };
    if LONG_WITH_ARGUMENT.contains(&name) {
        Ok(!inline)
    } else if LONG.contains(&name) && !inline {
        Ok(false)
    } else if LONG_CHOOSING.contains(&name) || name.is_empty() {
        Err(chooses(&word))
    } else {
        Err(unknown(&word))
    }
}

impl Letters {
    /// Takes over what `word` says but for the letters that widen the choice; whether the next word is its argument.
    fn check(
        &self,
        word: &str,
        letters: &str,
        dash: &str,
        checked: &mut Vec<String>,
    ) -> Result<bool, String> {
        let mut kept = dash.to_owned();
        let mut rest = letters.chars();
        let mut needs_argument = false;
        while let Some(letter) = rest.next() {
            if self.with_argument.contains(letter) {
                kept.push(letter);
                kept.push_str(rest.as_str());
                needs_argument = rest.as_str().is_empty();
                break;
            } else if self.form.contains(letter) {
                kept.push(letter);
            } else if self.choosing.contains(letter) || !letter.is_ascii_alphabetic() {
                return Err(chooses(word));
            } else if !self.widening.contains(letter) {
                return Err(unknown(word));
            }
        }
        if letters.is_empty() {
            return Err(unknown(word));
        }
        if kept == dash {
            // Nothing is left, but whether there was a dash decides about the columns; `w` means nothing where lines have no end.
            kept.push('w');
        }
        checked.push(kept);
        Ok(needs_argument)
    }
}

fn chooses(word: &str) -> String {
    format!("opts: {word:?} chooses processes: all of the container's are listed")
}

fn unknown(word: &str) -> String {
    format!("opts: {word:?} is not an option of ps that chooses columns, order or form")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn strings(list: &[&str]) -> Vec<String> {
        list.iter().map(|&word| word.to_owned()).collect()
    }

    #[rstest]
    #[case::none(&[], &[])]
    #[case::columns(&["-o", "pid,comm"], &["-o", "pid,comm"])]
    #[case::in_one_word(&["-opid", "-fo", "x"], &["-opid", "-fo", "x"])]
    #[case::argument_like_an_option(&["-o", "-e"], &["-o", "-e"])]
    #[case::long(&["--format=pid", "--sort", "-pid", "--forest"], &["--format=pid", "--sort", "-pid", "--forest"])]
    #[case::without_a_dash(&["u", "kpid", "o", "pid"], &["u", "kpid", "o", "pid"])]
    #[case::widening(&["-ef", "aux"], &["-f", "u"])]
    #[case::widening_only(&["-eA", "ax"], &["-w", "w"])]
    #[case::a_letter_after_an_argument_is_its(&["-oe"], &["-oe"])]
    fn what_chooses_columns_gets_through(#[case] given: &[&str], #[case] wanted: &[&str]) {
        assert_eq!(check(&strings(given)).unwrap(), wanted);
    }

    #[rstest]
    #[case::processes(&["-p", "1"], "-p")]
    #[case::inside_a_word(&["-fp1"], "-fp1")]
    #[case::without_a_dash(&["p1"], "p1")]
    #[case::a_number(&["1"], "1")]
    #[case::a_group(&["-1"], "-1")]
    #[case::a_session(&["+1"], "+1")]
    #[case::by_command(&["-C", "sh"], "-C")]
    #[case::negated(&["-N"], "-N")]
    #[case::running(&["r"], "r")]
    #[case::long(&["--pid=1"], "--pid=1")]
    #[case::long_with_colon(&["--pid:1"], "--pid:1")]
    #[case::end_of_options(&["--", "1"], "--")]
    #[case::version(&["-V"], "-V")]
    #[case::list_of_columns(&["L"], "L")]
    #[case::kernel_symbols(&["-n", "/etc/shadow"], "-n")]
    #[case::headers_again_and_again(&["--headers"], "--headers")]
    #[case::a_dash(&["-"], "-")]
    #[case::nothing(&[""], "")]
    #[case::no_argument(&["-f", "-o"], "-o")]
    #[case::no_argument_of_a_long_one(&["--sort"], "--sort")]
    #[case::line_break(&["-o", "pid=a\nb"], "-o")]
    #[case::nul(&["f\0"], "f")]
    fn what_does_not_is_refused(#[case] given: &[&str], #[case] named: &str) {
        let why = check(&strings(given)).unwrap_err();
        assert!(why.starts_with("opts: ") && why.contains(named), "{why}");
    }
}
