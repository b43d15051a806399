//! The line of a call: `$ varlink call [-m] [--oneway] [ADDRESS/]METHOD ['PARAMETERS']`.

use std::{ops::Range, sync::Arc};

use super::{
    ast::{Send, SourceFile, Spanned},
    excerpt::Excerpt,
    insertion::read_words,
    json::read_whole_json,
    mistake::Mistake,
    template::Template,
};

const FORM: &str = "expected $ varlink call [-m] [--oneway] [ADDRESS/]METHOD ['PARAMETERS']";

/// Reads the call whose `$` stands at an offset; gives it and the offset of the line's end.
///
/// # Errors
/// Every mistake in it.
pub(crate) fn read_call(file: &Arc<SourceFile>, at: usize) -> Result<(Send, usize), Vec<Mistake>> {
    let mut reader = Reader { file, at: at + 1 };
    let call = reader.call(at)?;
    Ok((call, reader.at))
}

struct Reader<'a> {
    file: &'a Arc<SourceFile>,
    at: usize,
}

#[derive(Default)]
struct Flags {
    more: Option<Range<usize>>,
    oneway: Option<Range<usize>>,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.file.text.get(self.at..).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
    }

    fn at_line_end(&self) -> bool {
        let rest = self.rest();
        rest.is_empty() || rest.starts_with('\n') || rest.starts_with("\r\n")
    }

    /// The next word; blanks inside `{{…}}` belong to it.
    fn word(&mut self) -> Result<Range<usize>, Mistake> {
        self.skip_blanks();
        let start = self.at;
        while let Some(c) = self.rest().chars().next() {
            if self.rest().starts_with("{{") {
                let line = self.rest().lines().next().unwrap_or_default().len();
                let source = Excerpt::of(self.file, self.at..self.at + line);
                self.at += read_words(&source, 0)?.range.end;
            } else if c.is_whitespace() {
                break;
            } else {
                self.at += c.len_utf8();
            }
        }
        Ok(start..self.at)
    }

    fn mistake(&self, span: Range<usize>, message: impl Into<String>) -> Mistake {
        Mistake::new(self.file, span, message)
    }

    fn call(&mut self, start: usize) -> Result<Send, Vec<Mistake>> {
        for expected in ["varlink", "call"] {
            let word = self.word().map_err(|mistake| vec![mistake])?;
            if self.file.excerpt(&word) != expected {
                let mistake = self.mistake(start..word.end, "a step that is no call");
                return Err(vec![mistake.expected(FORM)]);
            }
        }
        let (flags, word) = self.flags()?;
        let method = self.method(word)?;
        let parameters = self.parameters()?;
        Ok(Send::Call {
            method,
            parameters,
            more: flags.more.is_some(),
            oneway: flags.oneway.is_some(),
        })
    }

    /// The flags, and the word after them.
    fn flags(&mut self) -> Result<(Flags, Range<usize>), Vec<Mistake>> {
        let mut flags = Flags::default();
        loop {
            let word = self.word().map_err(|mistake| vec![mistake])?;
            let place = match self.file.excerpt(&word) {
                "-m" => &mut flags.more,
                "--oneway" => &mut flags.oneway,
                flag if flag.starts_with('-') => {
                    let mistake = self.mistake(word.clone(), format!("unknown flag {flag}"));
                    return Err(vec![mistake.expected("expected -m or --oneway")]);
                }
                _ => break self.check_flags(&flags).map(|()| (flags, word)),
            };
            if place.replace(word.clone()).is_some() {
                return Err(vec![self.mistake(word, "the same flag twice")]);
            }
        }
    }

    fn check_flags(&self, flags: &Flags) -> Result<(), Vec<Mistake>> {
        match (&flags.more, &flags.oneway) {
            (Some(more), Some(oneway)) => {
                let span = more.start.min(oneway.start)..more.end.max(oneway.end);
                let mistake = self.mistake(span, "-m and --oneway contradict each other");
                Err(vec![mistake.expected("expected several replies, or none")])
            }
            _ => Ok(()),
        }
    }

    fn method(&self, word: Range<usize>) -> Result<Spanned<Template>, Vec<Mistake>> {
        let text = self.file.excerpt(&word);
        let address = text.rfind('/').map_or(0, |slash| slash + 1);
        let span = word.start + address..word.end;
        let source = Excerpt::of(self.file, span.clone());
        let node = Template::read_text(&source).map_err(|mistake| vec![mistake])?;
        if node.constant().is_some_and(|name| !is_member_name(&name)) {
            let message = match span.is_empty() {
                true => "the call has no method".to_owned(),
                false => format!("{:?} is not the name of a method", source.text()),
            };
            let mistake = self
                .mistake(span, message)
                .expected("expected INTERFACE.METHOD");
            return Err(vec![mistake.help("a raw line (>) can send any name")]);
        }
        let file = Arc::clone(self.file);
        Ok(Spanned { node, file, span })
    }

    fn parameters(&mut self) -> Result<Option<Spanned<Template>>, Vec<Mistake>> {
        self.skip_blanks();
        if self.at_line_end() {
            return Ok(None);
        }
        let start = self.at;
        let line = self
            .rest()
            .lines()
            .next()
            .unwrap_or_default()
            .trim_end()
            .len();
        if !self.rest().starts_with('\'') {
            let mistake = self.mistake(start..start + line, "parameters without quotes");
            return Err(vec![
                mistake.expected("expected JSON between single quotes"),
            ]);
        }
        let source = self.quoted().map_err(|mistake| vec![mistake])?;
        let span = start..self.at;
        self.skip_blanks();
        if !self.at_line_end() {
            let rest = self
                .rest()
                .lines()
                .next()
                .unwrap_or_default()
                .trim_end()
                .len();
            let mistake = self.mistake(self.at..self.at + rest, "something follows the parameters");
            return Err(vec![
                mistake
                    .expected("expected the end of the line")
                    .help("a single quote inside the parameters is written '\\''"),
            ]);
        }
        let json = read_whole_json(&source)?;
        let node = Template::read_json(&json).map_err(|mistake| vec![mistake])?;
        let file = Arc::clone(self.file);
        Ok(Some(Spanned { node, file, span }))
    }

    /// The text between two single quotes, `'\''` inside standing for one; in `{{…}}` a quote is
    /// one as it is.
    fn quoted(&mut self) -> Result<Excerpt, Mistake> {
        let open = self.at;
        self.at += 1;
        let mut text = Excerpt::empty(self.file, self.at);
        let mut in_braces = false;
        while let Some(c) = self.rest().chars().next() {
            let start = self.at;
            if self.rest().starts_with(r"'\''") {
                self.at += 4;
                text.push('\'', start..self.at);
                continue;
            }
            if c == '\'' && !in_braces {
                self.at += 1;
                return Ok(text);
            }
            in_braces = match (in_braces, self.rest()) {
                (false, rest) => rest.starts_with("{{") && closes_on_line(rest),
                (true, rest) => !rest.starts_with("}}"),
            };
            self.at += c.len_utf8();
            text.push(c, start..self.at);
        }
        let mistake = self.mistake(open..open + 1, "parameters without a closing quote");
        Err(mistake.expected("expected ' after the JSON"))
    }
}

fn closes_on_line(rest: &str) -> bool {
    rest.lines().next().is_some_and(|line| line.contains("}}"))
}

/// Whether a text looks like `INTERFACE.NAME`.
pub(crate) fn is_member_name(text: &str) -> bool {
    text.rsplit_once('.').is_some_and(|(interface, member)| {
        let characters = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        !interface.is_empty() && !member.is_empty() && text.chars().all(characters)
    })
}
