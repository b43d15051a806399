//! What a scenario file says becomes the steps of the syntax tree.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests

use std::{path::Path, sync::Arc, time::Duration};

use rstest::rstest;
use serde_json::json;
use varlink_conformance::scenario::{
    ast::{Exchange, Expected, Level, Need, Scenario, Send, SourceFile, Step, Within},
    captures::Captures,
    parse::{Fragments, parse_scenario},
};

struct Setup;

impl Fragments for Setup {
    fn open(&self, path: &Path) -> Result<Arc<SourceFile>, String> {
        match path.to_str() {
            Some("suite/setup/ready.fragment") => Ok(SourceFile::new(
                path,
                "# Ready.\n$ varlink call a.b.Ready\n{ \"made\": \"{{made = int}}\" }\n",
            )),
            _ => Err("no such file".to_owned()),
        }
    }
}

fn read(head: &str, body: &str) -> Scenario {
    let text = format!(
        "---\nid = \"Topic/name\"\nlevel = \"should\"\ncovers = [\"Topic-1\"]\n{head}---\n# A title.\n{body}"
    );
    let file = SourceFile::new("suite/Topic/name.scenario", text);
    parse_scenario(&file, &Setup).unwrap_or_else(|mistakes| {
        let rendered: Vec<String> = mistakes.iter().map(|one| one.render()).collect();
        panic!("{}", rendered.join("\n"))
    })
}

fn exchange(body: &str) -> Exchange {
    match read("", body).steps.remove(0).node {
        Step::Exchange(exchange) => exchange,
        other => panic!("{other:?}"),
    }
}

fn captures() -> Captures {
    let mut captures = Captures::new();
    captures.set("unique", "u\"1");
    captures.set("image", json!({"list": [1, null]}));
    captures
}

fn parameters(written: &str) -> String {
    let body = format!("$ varlink call a.b.C '{written}'\n{{}}\n");
    let Send::Call { parameters, .. } = exchange(&body).send else {
        panic!("a call");
    };
    parameters.unwrap().node.render_text(&captures()).unwrap()
}

#[rstest]
#[case("{}", "{}")]
#[case(
    "{ \"a\" : [1, 2.50, 1e400, true, null, \"x\"] }",
    r#"{"a":[1,2.50,1e400,true,null,"x"]}"#
)]
#[case("{\n  \"a\": \"\\u00e9\\n\"\n}", r#"{"a":"é\n"}"#)]
#[case(r#"{"a": "it'\''s"}"#, r#"{"a":"it's"}"#)]
#[case(r#"{"a": "{{image}}"}"#, r#"{"a":{"list":[1,null]}}"#)]
#[case(r#"{"a": "x{{image}}"}"#, r#"{"a":"x{\"list\":[1,null]}"}"#)]
#[case(
    r#"{"a": "{{unique}}", "b": "{{unique}}-b"}"#,
    r#"{"a":"u\"1","b":"u\"1-b"}"#
)]
#[case(r#"{"{{unique}}": "{{index}}"}"#, r#"{"u\"1":0}"#)]
#[case(
    r#"{"a": "{{repeat 'x' 3}}{{repeat '\''y'\'' 2}}"}"#,
    r#"{"a":"xxxyy"}"#
)]
#[case(r#"{"a": "{{repeat '"' 2}}"}"#, r#"{"a":"\"\""}"#)]
#[case("\"{{null}}\"", "null")]
fn parameters_are_json_with_values_inserted(#[case] written: &str, #[case] sent: &str) {
    let written = written.replace("{{repeat '\"'", "{{repeat '\\\"'");
    assert_eq!(parameters(&written), sent);
}

#[test]
fn a_value_that_is_not_known_is_named() {
    let Send::Call { method, .. } = exchange("$ varlink call a.b.{{unique}}\n{}\n").send else {
        panic!("a call");
    };
    let error = method.node.render(&Captures::new()).unwrap_err();
    assert_eq!(error.to_string(), "nothing was captured as \"unique\"");
    assert_eq!(method.node.render_text(&captures()).unwrap(), "a.b.u\"1");
}

#[rstest]
#[case("$ varlink call a.b.C\n{}\n", "a.b.C", false, false)]
#[case("$ varlink call -m unix:/run/x/a.b.C\n{}\n", "a.b.C", true, false)]
#[case(
    "$ varlink call --oneway tcp:127.0.0.1:12345/a.b.C\n",
    "a.b.C",
    false,
    true
)]
#[case("$   varlink  call  -m\ta.b.C  \r\n{}\n", "a.b.C", true, false)]
fn calls(#[case] body: &str, #[case] name: &str, #[case] is_more: bool, #[case] is_oneway: bool) {
    let Send::Call {
        method,
        parameters,
        more,
        oneway,
    } = exchange(body).send
    else {
        panic!("a call");
    };
    assert_eq!(method.node.render_text(&captures()).unwrap(), name);
    assert_eq!(method.file.excerpt(&method.span), name);
    assert!(parameters.is_none());
    assert_eq!((more, oneway), (is_more, is_oneway));
}

#[test]
fn each_raw_line_is_a_write() {
    let body = "@connection second\n> {\"a\": 1}\\0 \n>  {{unique}}\\xff\n< closed\n";
    let exchange = exchange(body);
    assert_eq!(exchange.connection, "second");
    let Send::Raw(writes) = exchange.send else {
        panic!("raw bytes");
    };
    let sent: Vec<_> = writes
        .iter()
        .map(|one| one.node.render(&captures()).unwrap())
        .collect();
    assert_eq!(sent, [b"{\"a\": 1}\0 ".to_vec(), b" u\"1\xff".to_vec()]);
}

#[test]
fn expectations_stand_in_groups() {
    let body = "$ varlink call -m a.b.C\n{ \"a\":\n\n 1 }\n! a.b.Gone\n{ \"b\": 2 }\n< { \"c\": 3 }\n< silent 1.5s\n@or\n! a.b.{{unique}}\n< closed\n";
    let expect = exchange(body).expect;
    let told = |expected: &Expected| match expected {
        Expected::Reply(_) => "reply".to_owned(),
        Expected::Error { name, parameters } => {
            let name = name.node.render_text(&captures()).unwrap();
            format!("{name} {}", parameters.is_some())
        }
        Expected::Message(_) => "message".to_owned(),
        Expected::Closed => "closed".to_owned(),
        Expected::Silent(time) => format!("{time:?}"),
    };
    let groups = expect.alternatives.iter();
    let groups: Vec<Vec<String>> = groups
        .map(|group| group.iter().map(|one| told(&one.node)).collect())
        .collect();
    assert_eq!(groups[0], ["reply", "a.b.Gone true", "message", "1.5s"]);
    assert_eq!(groups[1], ["a.b.u\"1 false", "closed"]);
}

#[test]
fn directives_change_their_step() {
    let body = "@cleanup\n@within 1s..2s\n@retry 5s\n@collect\n$ varlink call -m a.b.C\n";
    let step = exchange(body);
    assert!(step.cleanup && step.collect && step.expect.alternatives.is_empty());
    let within = Within {
        at_least: Some(Duration::from_secs(1)),
        at_most: Duration::from_secs(2),
    };
    assert_eq!(
        (step.within, step.retry),
        (Some(within), Some(Duration::from_secs(5)))
    );
    assert_eq!((step.times, step.connection.as_str()), (1, "main"));
    let body =
        "@times 3\n$ varlink call a.b.C '{\"n\": \"{{index}}\"}'\n{ \"n\": \"{{index}}\" }\n";
    assert_eq!(exchange(body).times, 3);
}

/// A step in a line.
fn told_step(step: &Step) -> String {
    match step {
        Step::Exchange(exchange) => format!("exchange {:?}", exchange.background),
        Step::Join {
            name,
            within,
            expect,
        } => {
            format!(
                "join {name} {} {}",
                within.is_some(),
                expect.alternatives.len()
            )
        }
        Step::Running(name) => format!("running {name}"),
        Step::Sleep(time) => format!("sleep {time:?}"),
        Step::Close(name) => format!("close {name}"),
        Step::HalfClose { connection, expect } => {
            format!("half-close {connection} {}", expect.alternatives[0].len())
        }
    }
}

#[test]
fn directives_of_their_own_are_steps() {
    let body = "@background wait\n$ varlink call a.b.C\n\n@running wait\n\n@sleep 200ms\n\n\
        @within 1s\n@join wait\n{ \"x\": \"{{x = int}}\" }\n\n> {\"n\": {{x}}}\\0\n\n@half-close\n{}\n< closed\n\n@close\n\n\
        @include \"../setup/ready.fragment\"\n\n$ varlink call a.b.C '{\"n\": \"{{made}}\"}'\n{}\n";
    let scenario = read("", body);
    let told = scenario.steps.iter().map(|step| told_step(&step.node));
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r#"
    exchange Some("wait")
    running wait
    sleep 200ms
    join wait true 1
    exchange None
    half-close main 2
    close main
    exchange None
    exchange None
    "#);
    let included = &scenario.steps[7];
    assert_eq!(included.file.path, Path::new("suite/setup/ready.fragment"));
    assert_eq!(
        included.file.excerpt(&included.span),
        "$ varlink call a.b.Ready"
    );
}

#[test]
fn the_front_matter_says_what_the_scenario_is() {
    let head = "was = [\"Old/name\"]\nneeds = [\"image\", \"shared-dir\", \"interface:a.b\"]\ntimeout = \"90s\"\n\
        [[cases]]\nname = \"one\"\nv = [1, 0x10, 1.5, true]\nw = \"{{unique}}-a\"\n\
        [[cases]]\nname = \"two\"\nv = \"{{null}}\"\nw = { a = \"b\" }\n";
    let body =
        "$ varlink call a.b.C '{\"v\": \"{{v}}\"}'\n{ \"v\": \"{{v}}\", \"w\": \"{{w}}\" }\n";
    let scenario = read(head, body);
    assert_eq!(
        (scenario.title.as_str(), scenario.level),
        ("A title.", Level::Should)
    );
    assert_eq!(scenario.was, ["Old/name"]);
    assert_eq!(
        scenario.covers[0].file.excerpt(&scenario.covers[0].span),
        "\"Topic-1\""
    );
    let needs = [
        Need::Image,
        Need::SharedDir,
        Need::Interface("a.b".to_owned()),
    ];
    assert_eq!(scenario.needs, needs);
    assert_eq!(scenario.timeout, Some(Duration::from_secs(90)));
    let values = scenario.cases.iter().map(|case| {
        let mut captures = captures();
        captures.set_case(case).unwrap();
        (
            case.name.clone(),
            captures.get("v").cloned(),
            captures.get("w").cloned(),
        )
    });
    let expected = [
        (
            "one".to_owned(),
            Some(json!([1, 16, 1.5, true])),
            Some(json!("u\"1-a")),
        ),
        ("two".to_owned(), Some(json!(null)), Some(json!({"a": "b"}))),
    ];
    assert_eq!(values.collect::<Vec<_>>(), expected);
}

#[test]
fn a_cleanup_may_use_what_is_captured_later_or_perhaps() {
    let body = "@cleanup\n$ varlink call a.b.C '{\"n\": \"{{later}}\"}'\n\n\
        $ varlink call a.b.C\n{ \"a\": \"{{later = int}}\" }\n@or\n{ \"{{optional b}}\": 1 }\n";
    assert_eq!(read("", body).steps.len(), 2);
}

#[test]
fn places_are_lines_and_columns_in_characters() {
    let file = SourceFile::new("f", "é{\nab\n");
    assert_eq!(file.position(2), (1, 2));
    assert_eq!(file.position(4), (2, 1));
    assert_eq!(file.position(5), (2, 2));
    assert_eq!(file.position(99), (3, 1));
}
