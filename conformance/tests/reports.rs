//! The same events give the terminal's report, the HTML file and the JSON document.
#![expect(clippy::unwrap_used)] // helpers of tests

use std::{
    io::{self, Write},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use varlink_conformance::{
    event::{
        Diff, Direction, EndpointInfo, Event, Exchanged, Finding, Outcome, Place, Run, Summary,
        Verdict,
    },
    report::{Consumer, Html, Json, Style, Terminal},
    scenario::ast::{Level, SourceFile},
};

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Page {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// A disk that is full.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn sentence(id: &str) -> Option<String> {
    (id == "Ping-1").then(|| "Ping answers a StringResponse whose message is `OK`.".to_owned())
}

fn outcome(id: &str, verdict: Verdict) -> Outcome {
    Outcome {
        id: id.to_owned(),
        suite: "podman".to_owned(),
        title: "Ping answers <OK>.".to_owned(),
        level: Level::Must,
        covers: vec!["Ping-1".to_owned()],
        verdict,
        reason: None,
        findings: Vec::new(),
        cleanup: Vec::new(),
        transcript: Vec::new(),
        duration: Duration::from_millis(12),
        repeat: format!("varlink-conformance run unix:/run/x --filter '{id}'"),
    }
}

fn golden_file() -> Arc<SourceFile> {
    let text = "---\nid = \"Ping/documented\"\n---\n# Ping answers OK.\n$ varlink call a.b.Ping\n{ \"ping\": { \"message\": \"OK\" } }\n";
    Arc::new(SourceFile {
        path: PathBuf::from("podman/Ping/documented.scenario"),
        text: text.to_owned(),
    })
}

fn finding() -> Finding {
    let file = golden_file();
    let start = file.text.find("\"OK\"").unwrap();
    Finding {
        message: "member \"message\" is \"ok\", expected \"OK\"".to_owned(),
        place: Some(Place {
            path: file.path.clone(),
            line: 6,
            column: 24,
            label: "the reply has \"ok\" here".to_owned(),
            span: start..start + 4,
            file,
        }),
        diff: Some(Diff {
            expected: "{\n  \"ping\": {\n    \"message\": \"OK\"\n  }\n}".to_owned(),
            actual: "{\n  \"ping\": {\n    \"message\": \"ok\"\n  }\n}".to_owned(),
        }),
        requirements: Vec::new(),
    }
}

fn failure() -> Outcome {
    let exchanged = |at, direction, text: &str| Exchanged {
        at: Duration::from_millis(at),
        connection: "main".to_owned(),
        direction,
        text: text.to_owned(),
    };
    Outcome {
        findings: vec![finding()],
        transcript: vec![
            exchanged(0, Direction::Sent, r#"{"method":"a.b.Ping"}"#),
            exchanged(
                2,
                Direction::Received,
                r#"{"parameters":{"ping":{"message":"ok"}}}"#,
            ),
        ],
        ..outcome("Ping/documented", Verdict::Fail)
    }
}

fn started() -> Run {
    Run {
        address: "unix:/run/x".to_owned(),
        endpoint: Some(EndpointInfo {
            vendor: "Example".to_owned(),
            product: "engine".to_owned(),
            version: "1.0".to_owned(),
            url: String::new(),
            interfaces: vec!["org.varlink.service".to_owned()],
        }),
        suites: vec!["podman".to_owned()],
        total: 3,
        gate: Level::Should,
        started_at: "2026-01-01T00:00:00Z".to_owned(),
        command: "varlink-conformance run unix:/run/x".to_owned(),
    }
}

fn events() -> Vec<Event> {
    let skipped = Outcome {
        reason: Some("needs --registry".to_owned()),
        ..outcome("PullImage/example", Verdict::Skip)
    };
    let summary = Summary {
        passed: 1,
        failed: 1,
        skipped: 1,
        duration: Duration::from_millis(1500),
        ..Summary::default()
    };
    let passed = outcome("Ping/absent-parameters", Verdict::Pass);
    let ended = [passed, failure(), skipped].map(|o| Event::ScenarioEnded(Box::new(o)));
    let mut events = vec![Event::Started(started())];
    events.extend(ended);
    events.push(Event::Ended(summary));
    events
}

fn report(make: impl FnOnce(Page) -> Box<dyn Consumer>) -> String {
    let page = Page::default();
    let mut consumer = make(page.clone());
    for event in events() {
        consumer.event(&event).unwrap();
    }
    page.text()
}

#[test]
fn the_terminal_shows_failures_and_the_verdict() {
    let text = report(|page| Box::new(Terminal::new(page, Style::default(), sentence)));
    insta::assert_snapshot!(anstream::adapter::strip_str(&text).to_string());
}

#[test]
fn the_terminal_shows_every_verdict_when_asked_to() {
    let style = Style {
        verbose: true,
        progress: false,
    };
    let text = report(|page| Box::new(Terminal::new(page, style, sentence)));
    insta::assert_snapshot!(anstream::adapter::strip_str(&text).to_string());
}

#[test]
fn the_html_file_stands_alone_and_escapes_what_it_shows() {
    let text = report(|page| Box::new(Html::new(page, sentence)));
    for outside in ["http://", "https://", "src=", "@import", "url(", "<script"] {
        assert!(
            !text.contains(outside),
            "it needs more than itself: {outside}"
        );
    }
    assert!(!text.contains("<OK>"));
    insta::assert_snapshot!(text);
}

/// The HTML report of these outcomes.
fn page(outcomes: Vec<Outcome>) -> String {
    let page = Page::default();
    let mut html = Html::new(page.clone(), sentence);
    html.event(&Event::Started(started())).unwrap();
    for outcome in outcomes {
        html.event(&Event::ScenarioEnded(Box::new(outcome)))
            .unwrap();
    }
    html.event(&Event::Ended(Summary::default())).unwrap();
    page.text()
}

fn talkative(id: &str, verdict: Verdict) -> Outcome {
    Outcome {
        verdict,
        id: id.to_owned(),
        ..failure()
    }
}

#[test]
fn the_html_file_shows_how_it_went_only_where_that_is_asked() {
    let sent = "&#34;method&#34;:&#34;a.b.Ping&#34;";
    for (verdict, shown) in [
        (Verdict::Fail, true),
        (Verdict::Timeout, true),
        (Verdict::Error, true),
        (Verdict::Pass, false),
    ] {
        let text = page(vec![talkative("Ping/one", verdict)]);
        assert_eq!(text.contains(sent), shown, "{verdict:?}");
        assert!(text.contains("Ping answers a StringResponse"));
    }
    let not_cleaned_up = Outcome {
        cleanup: vec![finding()],
        ..talkative("Ping/one", Verdict::Pass)
    };
    assert!(page(vec![not_cleaned_up]).contains(sent));
}

#[test]
fn a_thousand_scenarios_that_passed_are_a_small_html_file() {
    let passed = |n| Outcome {
        findings: Vec::new(),
        transcript: vec![failure().transcript; 50].concat(),
        ..talkative(&format!("Ping/{n}"), Verdict::Pass)
    };
    let text = page((0..1000).map(passed).collect());
    assert!(text.len() < 700_000, "{}", text.len());
}

#[test]
fn few_failures_are_shown_whole_and_before_the_overview_and_many_closed_and_after_it() {
    let failures = |n: usize| (0..n).map(|n| talkative(&format!("Ping/{n}"), Verdict::Fail));
    for (number, few) in [(1, true), (10, true), (11, false)] {
        let text = page(failures(number).collect());
        let place = |what: &str| text.find(what).unwrap();
        assert_eq!(place("Not passed") < place("By method"), few, "{number}");
        let open = text.matches("id=\"Ping/").count();
        assert_eq!(open, number);
        assert_eq!(text.contains("id=\"Ping/0\" open"), few);
        assert!(text.contains("<a href=\"#Ping/0\">"));
    }
}

#[test]
fn the_json_document_holds_the_whole_run() {
    let text = report(|page| Box::new(Json::new(page)));
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["outcomes"].as_array().unwrap().len(), 3);
    insta::assert_snapshot!(text);
}

#[test]
fn a_full_disk_is_said() {
    let mut html = Html::new(Full, sentence);
    let ended = html.event(&Event::Ended(Summary::default()));
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::StorageFull);
}
