//! Tests of rules.

use proptest::prelude::*;

use super::{ground::*, *};

fn asked(rule: &str, host: &str, path: &str) -> Answer {
    let host = (!host.is_empty()).then_some(host);
    Rule::parse(rule).unwrap_or_else(|| panic!("{rule}")).answers(Request { host, path })
}

#[test]
fn hosts_and_paths_decide_and_anything_else_may_hold() {
    use Answer::{Maybe, No, Yes};
    for (rule, host, path, answer) in [
        ("Host(`a.test`)", "a.test", "/login", Yes),
        ("Host(`A.test.`)", "a.test", "/login", Yes),
        ("host(`a.test`)", "b.test", "/login", No),
        ("Host(`a.test`)", "", "/login", Maybe),
        ("Host(`*`)", "", "/login", Yes),
        ("Host(`*.test`)", "a.test", "/login", Yes),
        ("Host(`*.test`)", "a.b.test", "/login", No),
        ("Host(`a.test`, `b.test`)", "b.test", "/login", Yes),
        ("HostRegexp(`^.+\\.test$`)", "a.test", "/login", Yes),
        ("HostRegexp(`{sub:[a-z]+}.test`)", "a.test", "/login", Maybe),
        ("Path(`/login`)", "", "/login", Yes),
        ("Path(`/login`)", "", "/login/", No),
        ("Path(`/{name}`)", "", "/login", Maybe),
        ("PathPrefix(`/log`)", "", "/login", Yes),
        ("PathRegexp(`^/log(in|out)$`)", "", "/login", Yes),
        ("PathRegexp(`[`)", "", "/login", Maybe),
        ("Host(`a.test`) && PathPrefix(\"/api\")", "a.test", "/login", No),
        ("Host(`a.test`) && Method(`POST`)", "a.test", "/login", Maybe),
        ("Host(`a.test`) && !Method(`POST`)", "a.test", "/login", Maybe),
        ("Host(`a.test`) && !PathPrefix(`/api`)", "a.test", "/login", Yes),
        ("Host(`b.test`) || Host(`a.test`) && Path(`/login`)", "a.test", "/login", Yes),
        ("(Host(`b.test`) || Host(`a.test`)) && Path(`/x`)", "a.test", "/login", No),
        ("ClientIP(`10.0.0.0/8`) || PathPrefix(`/`)", "a.test", "/login", Yes),
        ("PathPrefix(\"/a\\\"b\")", "", "/a\"b", Yes),
    ] {
        assert_eq!(asked(rule, host, path), answer, "{rule} {host}{path}");
    }
}

#[test]
fn what_is_no_rule_is_not_read() {
    let deep = format!("{}Host(`a`){}", "(".repeat(65), ")".repeat(65));
    for text in ["", "Host", "Host(`a`", "Host(a)", "Host(`a`) &&", "Host(`a`) Path(`/`)", "(Host(`a`)", &deep, "\"a\""]
    {
        assert_eq!(Rule::parse(text), None, "{text}");
    }
    let deep = format!("{}Host(`a`){}", "(".repeat(60), ")".repeat(60));
    assert!(Rule::parse(&deep).is_some());
    let long = |values: usize| format!("Host({})", vec!["`a`"; values].join(", "));
    let [most, more] = [parse::MAX_VALUES, parse::MAX_VALUES + 1].map(|values| Rule::parse(&long(values)).is_some());
    assert_eq!((most, more), (true, false));
}

/// Whether a rule is refused in the newer syntax, and in the older.
fn refused(rule: &str) -> (bool, bool) {
    let reading = Reading::of(rule);
    (reading.refused_as_newer.is_some(), reading.refused_as_older.is_some())
}

#[test]
fn a_rule_is_refused_in_each_syntax_exactly_where_traefik_refuses_it_as_far_as_is_known() {
    for (rules, expected) in
        [(TAKEN, (false, false)), (NEWER, (false, true)), (OLDER, (true, false)), (REFUSED, (true, true))]
    {
        for rule in rules {
            assert_eq!(refused(rule), expected, "{rule}");
        }
    }
    for (rule, in_newer) in REFUSED_UNKNOWN {
        let (newer, older) = refused(rule);
        assert!(!if *in_newer { newer } else { older }, "{rule} is known: put it elsewhere");
    }
}

#[test]
fn the_reason_says_what_to_change() {
    for (rule, reason) in [
        ("", "it is empty"),
        ("Host('a.test')", "\"'a.test')\" is not in backticks"),
        ("Host(`a.test`) and Path(`/a/very/long/path`)", "\"and Path(`/a/very/lo…\" is not expected there"),
        ("Host(`a.test`)\n&& Path(`/`)", "it ends at the line break before \"&& Path(`/`)\""),
        ("(Host(`a.test`)", "its end is missing"),
        ("Host(`a.test`))", "it has a wrong \")\""),
        ("Host(`a.test)", "a closing quote is missing"),
        ("Host.test", "Host has no value in parentheses"),
        ("pathPrefix(`/x`)", "it has no matcher pathPrefix, but PathPrefix"),
        ("Headers(`X-A`, `b`)", "it has no matcher Headers, but Header"),
        ("Hots(`a`)", "it has no matcher Hots"),
        ("Host(`a.test`, `b.test`)", "Host takes 1 value, not 2"),
        ("Header(`X-A`)", "Header takes 2 values, not 1"),
        ("Query(`a`, `b`, `c`)", "Query takes 1 or 2 values, not 3"),
        ("Host()", "Host has an empty value"),
        ("Path(`x`)", "the value of Path must begin with /: \"x\""),
        ("Host(`bücher.test`)", "Host takes ASCII only: write the host in Punycode (xn--…)"),
        ("ClientIP(`10.0.0.0/33`)", "\"10.0.0.0/33\" is not an IP address or CIDR"),
        ("PathRegexp(`^/(?!a)`)", "\"^/(?!a)\" is not a regular expression of Go: look-around is not supported"),
        ("PathRegexp(\"^/\\d$\")", "\\d is no escape in \"…\": put the value in backticks"),
    ] {
        assert_eq!(Reading::of(rule).refused_as_newer.as_deref(), Some(reason), "{rule}");
    }
}

#[test]
fn a_rule_that_something_is_still_to_be_put_into_is_not_refused() {
    for rule in [
        "PathPrefix(`${PREFIX}`)",
        "Host(`a.test`) && PathPrefix(`$PREFIX`)",
        "$(RULE)",
        "${RULE}",
        "Host({{ .Values.host | quote }})",
        "Host(`a.test`) && PathPrefix(`@PREFIX@`)",
        "ClientIP(`%RANGE%`)",
        "PLACEHOLDER",
        "to-be_patched",
    ] {
        assert_eq!(refused(rule), (false, false), "{rule}");
    }
    // Of a regular expression, the end.
    assert_eq!(refused("PathRegexp(`^/(?!a)$`)"), (true, true));
}

#[test]
fn hosts_are_named_once_and_any_other_where_it_can_match() {
    let hosts = |rule: &str| Rule::parse(rule).unwrap().hosts("/");
    let named = |host: &str| Some(host.to_owned());
    assert_eq!(
        hosts("(Host(`B.test`) && Path(`/`)) || Host(`a.test`) || Host(`b.test.`)"),
        [named("b.test"), named("a.test")]
    );
    assert_eq!(hosts("Host(`a.test`) || Host(`*.a.test`)"), [named("a.test"), None]);
    assert_eq!(hosts("Host(`a.test`) || HostRegexp(`^.+$`)"), [named("a.test"), None]);
    assert_eq!(hosts("PathPrefix(`/`) && !Host(`admin.test`)"), [None]);
}

#[test]
fn a_rule_about_more_than_host_and_path_is_conditional() {
    for (rule, is) in [
        ("Host(`a.test`) && Header(`X-Preview`, `1`)", true),
        ("Host(`a.test`) && !Query(`stable`, `1`)", true),
        ("Host(`a.test`) && PathPrefix(`/`)", false),
        ("Header(`X-Preview`, `1`) || Host(`a.test`)", false),
    ] {
        assert_eq!(Rule::parse(rule).unwrap().is_conditional(), is, "{rule}");
    }
}

#[test]
fn only_named_hosts_are_told_apart() {
    let only = |rule: &str| Rule::parse(rule).unwrap().only_hosts();
    let these = |hosts: &[&str]| Some(hosts.iter().map(|host| (*host).to_owned()).collect());
    assert_eq!(only("Host(`B.test.`, `a.test`) && PathPrefix(`/`)"), these(&["a.test", "b.test"]));
    assert_eq!(only("Host(`a.test`) && Path(`/`) || Host(`b.test`)"), these(&["a.test", "b.test"]));
    for any in ["Host(`a.test`) || Path(`/`)", "Host(`a.test`, `*.test`)", "!Host(`a.test`)", "HostRegexp(`^a$`)"] {
        assert_eq!(only(any), None, "{any}");
    }
}

proptest! {
    #[test]
    fn what_an_entry_makes_of_a_rule_is_refused_exactly_where_the_rule_is(rule in rules()) {
        // No entry is made of others: `a) && (b` would come right in its parentheses.
        prop_assume!(Rule::parse(&rule).is_some());
        // `src/traefik/entry/ingress_route.rs` makes it so.
        let of_entry = format!("({}) && (Path(`/login`))", rule.trim());
        prop_assert_eq!(refused(&of_entry), refused(&rule));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "[Hostpath()`\"\\\\!&|,{}é ]{0,80}") {
        if let Some(rule) = Rule::parse(&text) {
            rule.answers(Request { host: Some("a"), path: "/" });
        }
    }
}
