//! What the matchers of golden bodies accept, capture, and say where a body departs.
#![expect(clippy::panic, clippy::indexing_slicing)] // helpers of tests

use rstest::rstest;
use serde_json::{Value, json};
use varlink_conformance::scenario::{
    Mismatch, ast::SourceFile, captures::Captures, pattern::Pattern,
};

fn pattern(golden: &str) -> Pattern {
    let file = SourceFile::new("golden", golden);
    Pattern::parse(&file, 0..golden.len())
        .unwrap_or_else(|mistakes| panic!("{golden}: {}", mistakes[0].render()))
}

fn captures() -> Captures {
    let mut captures = Captures::new();
    captures.set("five", 5);
    captures.set("word", "wo.rd");
    captures.set("list", json!([1, {"a": null}]));
    captures.set("big", 9_007_199_254_740_993_u64);
    captures
}

fn meet(golden: &str, body: &Value) -> Result<Captures, Vec<Mismatch>> {
    let mut captures = captures();
    pattern(golden)
        .meets(body, &mut captures)
        .map(|()| captures)
}

const SERVICE: &str = include_str!("../../fixtures/org.varlink.service.varlink");

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

#[rstest]
#[case::members_in_any_order(r#"{"a": 1, "b": [true, null]}"#, json!({"b": [true, null], "a": 1}))]
#[case::numbers_as_numbers(r#"{"a": 1.0}"#, json!({"a": 1}))]
#[case::null_for_an_array(r#"{"a": []}"#, json!({"a": null}))]
#[case::empty_array_for_null(r#"{"a": null}"#, json!({"a": []}))]
#[case::empty_object_for_an_array(r#"{"a": []}"#, json!({"a": {}}))]
#[case::null_for_an_open_object(r#"{"...": "{{any}}"}"#, json!(null))]
#[case::null_for_each(r#"["{{each}}", "{{int}}"]"#, json!(null))]
#[case::any(r#""{{any}}""#, json!(null))]
#[case::string(r#""{{string}}""#, json!(""))]
#[case::nonempty(r#""{{nonempty}}""#, json!("x"))]
#[case::bool(r#""{{bool}}""#, json!(false))]
#[case::array(r#""{{array}}""#, json!(null))]
#[case::object(r#""{{object}}""#, json!({"a": 1}))]
#[case::distinct(r#""{{distinct}}""#, json!(["a", "b", 1, "1"]))]
#[case::distinct_of_none(r#""{{distinct}}""#, json!(null))]
#[case::not_distinct(r#""{{not distinct}}""#, json!([1, 1.0]))]
#[case::definition(r#""{{definition of org.varlink.service}}""#, json!(SERVICE))]
#[case::definition_that_says_more(
    r#""{{definition extending org.varlink.service}}""#, json!(format!("{SERVICE}method M() -> ()\n"))
)]
#[case::id(r#""{{id}}""#, json!(ID))]
#[case::int(r#""{{int}}""#, json!(-3))]
#[case::int_without_fraction(r#""{{int}}""#, json!(3.0))]
#[case::number(r#""{{number}}""#, json!(1.5))]
#[case::at_least(r#""{{int >= 0}}""#, json!(0))]
#[case::below_a_float(r#""{{number < 1.5}}""#, json!(1))]
#[case::above_a_capture(r#""{{int > five}}""#, json!(6))]
#[case::exactly_one_more(r#""{{int > big}}""#, json!(9_007_199_254_740_994_u64))]
#[case::unequal(r#""{{int != five}}""#, json!(4))]
#[case::rfc3339(r#""{{time}}""#, json!("2018-05-17T10:11:12.5+02:00"))]
#[case::rfc3339_utc(r#""{{time}}""#, json!("0001-01-01T00:00:00Z"))]
#[case::go_time(r#""{{time}}""#, json!("2026-11-24 05:29:43.612422777 +0000 UTC"))]
#[case::go_time_monotonic(r#""{{time}}""#, json!("2026-11-24 05:29:43 +0200 CEST m=+0.012"))]
#[case::regex(r#""{{/a+\\d/}}""#, json!("aaa1"))]
#[case::regex_alternatives_are_whole(r#""{{/a|b/}}""#, json!("b"))]
#[case::regex_with_slash_and_braces(r#""{{/a{2}/b{2}/}}""#, json!("aa/bb"))]
#[case::not_a_type(r#""{{not string}}""#, json!(1))]
#[case::not_a_capture(r#""{{not five}}""#, json!(6))]
#[case::capture_keeps_its_type(r#""{{five}}""#, json!(5.0))]
#[case::capture_of_a_list(r#""{{list}}""#, json!([1, {"a": []}]))]
#[case::capture_in_a_text(r#""<{{five}}>{{word}}""#, json!("<5>wo.rd"))]
#[case::text_around(r#""sha256:{{id}}""#, json!(format!("sha256:{ID}")))]
#[case::text_around_any_spans_lines(r#""a{{any}}z""#, json!("a\n\nz"))]
#[case::text_around_compares(r#""up {{int > 4}} s""#, json!("up 5 s"))]
#[case::text_is_no_regex(r#""{{word}}.{{any}}""#, json!("wo.rd.x"))]
#[case::further_members(r#"{"a": 1, "...": "{{any}}"}"#, json!({"a": 1, "b": 2}))]
#[case::further_members_of_a_type(r#"{"...": "{{string}}"}"#, json!({"b": "2"}))]
#[case::optional_there(r#"{"{{optional a}}": 1}"#, json!({"a": 1}))]
#[case::optional_absent(r#"{"{{optional a}}": 1}"#, json!({}))]
#[case::key_with_a_capture(r#"{"k{{five}}": 1}"#, json!({"k5": 1}))]
#[case::held_json(r#"{"{{json}}": {"a": "{{int}}"}}"#, json!("{\"a\": 1}"))]
#[case::further_at_the_end(r#"[1, "{{...}}"]"#, json!([1, 2, 3]))]
#[case::further_in_the_middle(r#"["{{...}}", 2, "{{...}}", 2]"#, json!([1, 2, 3, 2, 2]))]
#[case::further_none(r#"[1, "{{...}}"]"#, json!([1]))]
#[case::unordered(r#"["{{unordered}}", 1, 2, 3]"#, json!([3, 1, 2]))]
#[case::unordered_needs_moves(
    r#"["{{unordered}}", "{{int}}", "{{int < 3}}", "{{int < 2}}"]"#, json!([1, 2, 3])
)]
#[case::unordered_open(r#"["{{unordered}}", 2, "{{...}}"]"#, json!([3, 1, 2]))]
#[case::each(r#"["{{each}}", {"a": "{{int}}"}]"#, json!([{"a": 1}, {"a": 2}]))]
#[case::each_of_none(r#"["{{each}}", 1]"#, json!([]))]
#[case::repeat(r#""{{repeat 'ab' 2}}""#, json!("abab"))]
fn accepts(#[case] golden: &str, #[case] body: Value) {
    if let Err(mismatches) = meet(golden, &body) {
        panic!("{golden} against {body}: {mismatches:#?}");
    }
}

#[rstest]
#[case(r#"{"a": "OK"}"#, json!({"a": "ok"}), "a", r#"member "a" is "ok", expected "OK""#)]
#[case(r#"{"a": 9007199254740993}"#, json!({"a": 9_007_199_254_740_992_u64}), "a",
    r#"member "a" is 9007199254740992, expected 9007199254740993"#)]
#[case(r#"{"a": 1}"#, json!({}), "a", r#"member "a" is missing"#)]
#[case(r#"{}"#, json!({"a": 1}), "a", r#"member "a" is not expected: 1"#)]
#[case(r#"{"a": {"b c": [0, 1]}}"#, json!({"a": {"b c": [0, 2]}}), r#"a["b c"][1]"#,
    r#"element a["b c"][1] is 2, expected 1"#)]
#[case(r#"{}"#, json!("x"), "", r#"the body is "x", expected an object"#)]
#[case(r#"[]"#, json!(0), "", "the body is 0, expected an array")]
#[case(r#"[1]"#, json!([1, 2]), "[1]", "element [1] is not expected: 2")]
#[case(r#"[1, 2]"#, json!([1]), "[1]", "element [1] is missing")]
#[case(r#""{{nonempty}}""#, json!(""), "", r#"the body is "", expected a string that is not empty"#)]
#[case(r#""{{array}}""#, json!({"a": 1}), "", r#"the body is {"a":1}, expected an array"#)]
#[case(r#""{{distinct}}""#, json!(["a", "b", "a"]), "",
    r#"the body has "a" at 0 and again at 2, expected it once"#)]
#[case(r#""{{distinct}}""#, json!("a"), "",
    r#"the body is "a", expected an array whose elements differ from each other"#)]
#[case(r#"{"d": "{{definition of org.varlink.service}}"}"#,
    json!({"d": SERVICE.replace("url: string", "url: ?string").replace("error ExpectedMore ()", "type T ()")}), "d",
    "member \"d\" departs from the definition of org.varlink.service: method GetInfo: output url is ?string, expected \
     string; error ExpectedMore is missing; type T is not expected")]
#[case(r#""{{definition extending org.varlink.service}}""#,
    json!("interface org.varlink.service\nmethod GetInfo() -> ()\n"), "",
    "the body departs from the definition of org.varlink.service or more: method GetInfo: output vendor is missing; \
     method GetInfo: output product is missing; method GetInfo: output version is missing; \
     method GetInfo: output url is missing; method GetInfo: output interfaces is missing; and 7 more")]
#[case(r#""{{definition of org.varlink.service}}""#, json!("interface a.b\nmethod M() -> ()\n"), "",
    "the body departs from the definition of org.varlink.service: it defines a.b, expected org.varlink.service")]
#[case(r#""{{definition of org.varlink.service}}""#, json!(1), "",
    "the body is 1, expected the definition of org.varlink.service")]
#[case(r#""{{id}}""#, json!("ABC"), "", r#"the body is "ABC", expected 64 lower-case hexadecimal digits"#)]
#[case(r#""{{int}}""#, json!(1.5), "", "the body is 1.5, expected an integer")]
#[case(r#""{{int}}""#, json!("1"), "", r#"the body is "1", expected an integer"#)]
#[case(r#""{{int > five}}""#, json!(5), "", "the body is 5, expected an integer > 5 (five)")]
#[case(r#""{{int > word}}""#, json!(5), "", r#"the body is 5, expected an integer > "wo.rd" (word)"#)]
#[case(r#""{{time}}""#, json!("2018-13-17T10:11:12Z"), "",
    r#"the body is "2018-13-17T10:11:12Z", expected a point in time"#)]
#[case(r#""{{/a/}}""#, json!("ab"), "", r#"the body is "ab", expected a string that matches /a/"#)]
#[case(r#""{{/a/}}""#, json!("a\n"), "", r#"the body is "a\n", expected a string that matches /a/"#)]
#[case(r#""{{not five}}""#, json!(5.0), "", "the body is 5.0, expected anything but 5 (five)")]
#[case(r#""{{five}}""#, json!("5"), "", r#"the body is "5", expected 5 (five)"#)]
#[case(r#""up {{int > 5}} s""#, json!("up 5 s"), "",
    r#"the body is "up 5 s", expected a string of the form "up {{int > 5}} s""#)]
#[case(r#""{{word}}""#, json!("woxrd"), "", r#"the body is "woxrd", expected "wo.rd" (word)"#)]
#[case(r#"{"...": "{{string}}"}"#, json!({"b": 2}), "b", r#"member "b" is 2, expected a string"#)]
#[case(r#"{"{{optional a}}": 1}"#, json!({"a": 2}), "a", r#"member "a" is 2, expected 1"#)]
#[case(r#"{"{{json}}": {}}"#, json!("{"), "", r#"the body is "{", expected a string that holds JSON"#)]
#[case(r#"{"x": {"{{json}}": {"a": 1}}}"#, json!({"x": "{\"a\": 2}"}), "x.a",
    r#"member "x.a" is 2, expected 1"#)]
#[case(r#"["{{...}}", 2, "{{...}}"]"#, json!([1, 3]), "",
    "the body has no element where item 2 of the expected ones fits, in order")]
#[case(r#"["{{...}}", 2]"#, json!([2, 3]), "", "the body has more elements than expected at its end")]
#[case(r#"["{{unordered}}", 1, 2]"#, json!([2, 3]), "[1]", "element [1] is 3, expected 1")]
#[case(r#"["{{unordered}}", 1, 2]"#, json!([2, 2]), "[1]", "element [1] is 2, expected 1")]
#[case(r#"["{{unordered}}", 1, 2]"#, json!([2]), "", "the body has no element left that fits this one")]
#[case(r#"["{{unordered}}", 1]"#, json!([2, 1]), "[0]", "element [0] fits none of the expected ones: 2")]
#[case(r#"["{{each}}", "{{int}}"]"#, json!([1, "x"]), "[1]", r#"element [1] is "x", expected an integer"#)]
#[case(r#"["{{unordered}}", ["{{a = int}}", "{{a}}"]]"#, json!([[1, 2]]), "[0][1]",
    "element [0][1] is 2, expected 1 (a)")]
fn refuses(#[case] golden: &str, #[case] body: Value, #[case] path: &str, #[case] message: &str) {
    let mut captures = captures();
    let before = captures.clone();
    let mismatches = pattern(golden).meets(&body, &mut captures).unwrap_err();
    assert_eq!(
        (mismatches[0].path.as_str(), mismatches[0].message.as_str()),
        (path, message)
    );
    assert_eq!(captures, before, "a refused body captures nothing");
}

#[rstest]
#[case::value(r#"{"a": "{{x = any}}"}"#, json!({"a": [1]}), json!([1]))]
#[case::used_in_the_same_body(r#"["{{x = int}}", "{{x}}", "{{int > x}}"]"#, json!([1, 1, 2]), json!(1))]
#[case::used_before_its_member(r#"{"b": "{{x = int}}", "a": "{{x}}"}"#, json!({"a": 1, "b": 1}), json!(1))]
#[case::inside_a_text(r#""ctr-{{x = /[a-z]+/}}-1""#, json!("ctr-ab-1"), json!("ab"))]
#[case::a_number_inside_a_text(r#""exit {{x = int}}""#, json!("exit 7"), json!(7))]
#[case::from_held_json(r#"{"{{json}}": ["{{x = bool}}"]}"#, json!("[true]"), json!(true))]
#[case::of_an_optional_member(r#"{"{{optional a}}": "{{x = int}}"}"#, json!({"a": 3}), json!(3))]
// A greedy choice takes the first element, where {{x}} does not fit what follows.
#[case::the_choice_that_fits_later(
    r#"{"list": ["{{unordered}}", {"k": "{{x = int}}"}, {"k": "{{int}}"}], "last": "{{x}}"}"#,
    json!({"list": [{"k": 1}, {"k": 2}], "last": 2}), json!(2)
)]
#[case::the_gap_that_fits_later(
    r#"[["{{...}}", "{{x = int}}", "{{...}}"], "{{x}}"]"#, json!([[1, 2, 3], 3]), json!(3)
)]
#[case::two_choices_that_depend(
    r#"["{{unordered}}", {"id": "{{x = int}}"}, {"of": "{{x}}"}, {"id": "{{y = int}}"}, {"of": "{{not x}}"}]"#,
    json!([{"id": 1}, {"id": 2}, {"of": 2}, {"of": 3}]), json!(2)
)]
fn captures_are_made(#[case] golden: &str, #[case] body: Value, #[case] x: Value) {
    let captures = meet(golden, &body).unwrap();
    assert_eq!(captures.get("x"), Some(&x));
}

#[test]
fn a_search_without_end_gives_up() {
    let pairs: Vec<String> = (0..12)
        .map(|n| format!(r#""{{{{x{n} = int}}}}""#))
        .collect();
    let golden = format!(
        r#"[["{{{{unordered}}}}", {}], "{{{{int > x0}}}}"]"#,
        pairs.join(", ")
    );
    let mismatches = meet(&golden, &json!([vec![5; 12], 4])).unwrap_err();
    assert!(!mismatches.is_empty());
}

#[test]
fn a_large_reply_is_met_without_deep_recursion() {
    let lines: Vec<Value> = (0..200_000).map(|n| json!(format!("line {n}"))).collect();
    assert!(meet(r#"["{{each}}", "{{/line [0-9]+/}}"]"#, &json!(lines)).is_ok());
    assert!(meet(r#"["{{...}}", "line 199999"]"#, &json!(lines)).is_ok());
    assert!(meet(r#"["{{...}}", "{{x = string}}"]"#, &json!(lines)).is_ok());
}

#[test]
fn the_two_sides_of_a_diff_differ_only_where_the_body_departs() {
    let golden = r#"{"id": "{{x = id}}", "n": "{{five}}", "s": "a{{word}}{{any}}", "list": [], "{{optional o}}": 1,
        "l": [{"a": 1}, {"a": "{{int > 5}}"}], "...": "{{any}}"}"#;
    let body = json!({"more": 1, "l": [{"a": 1}, {"a": 5}], "list": null, "s": "awo.rd!", "n": 6, "id": ID});
    let (expected, actual) = pattern(golden).diff(&body, &captures());
    insta::assert_snapshot!(format!("{expected}\n---\n{actual}"));
    insta::assert_snapshot!("rendered", pattern(golden).render(&captures()));
}
