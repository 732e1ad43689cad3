//! Wrong flags and values: what is said, and exit code 2.

use snapbox::str;
use testbed::run::Run;

use crate::manifests::{canary, folder, over};

fn bad(line: &str) -> testbed::run::Output {
    over(&canary("web", Some("login")), &format!("{line} -f canary.yaml"))
}

fn words(words: &[&str]) -> testbed::run::Output {
    let folder = folder(&[("canary.yaml", &canary("web", Some("login")))]);
    Run::new(words).arguments(["-f", "canary.yaml"]).dir(folder.path()).run()
}

#[test]
fn a_name_that_is_no_token() {
    words(&["sticky", "set", "web", "--name", "a b"]).shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'a b' for '--name <NAME>': may contain only letters, digits and !#$%&'*+-.^_`|~

For more information, try '--help'.

"#]]);
    words(&["sticky", "set", "web", "--name", ""]).shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value '' for '--name <NAME>': may contain only letters, digits and !#$%&'*+-.^_`|~

For more information, try '--help'.

"#]]);
    bad("sticky set web --name ä").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'ä' for '--name <NAME>': may contain only letters, digits and !#$%&'*+-.^_`|~

For more information, try '--help'.

"#]]);
}

#[test]
fn a_max_age_that_is_no_number_of_seconds() {
    bad("sticky set web --max-age 5x").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value '5x' for '--max-age <DURATION>': must be whole seconds of at most ten digits, such as 300, or a duration such as 5m or 1h30m

For more information, try '--help'.

"#]]);
    bad("sticky set web --max-age 99999999999").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value '99999999999' for '--max-age <DURATION>': must be whole seconds of at most ten digits, such as 300, or a duration such as 5m or 1h30m

For more information, try '--help'.

"#]]);
    bad("sticky set web --max-age=1.5").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value '1.5' for '--max-age <DURATION>': must be whole seconds of at most ten digits, such as 300, or a duration such as 5m or 1h30m

For more information, try '--help'.

"#]]);
    words(&["sticky", "set", "web", "--max-age", ""]).shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value '' for '--max-age <DURATION>': must be whole seconds of at most ten digits, such as 300, or a duration such as 5m or 1h30m

For more information, try '--help'.

"#]]);
}

#[test]
fn a_path_that_does_not_begin_with_a_slash() {
    bad("sticky set web --path sso").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'sso' for '--path <PATH>': must start with / and contain only printable ASCII characters, no spaces or semicolons

For more information, try '--help'.

"#]]);
    bad("sticky set web --path /a;b").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value '/a;b' for '--path <PATH>': must start with / and contain only printable ASCII characters, no spaces or semicolons

For more information, try '--help'.

"#]]);
}

#[test]
fn a_domain_that_is_no_name() {
    bad("sticky set web --domain https://example.com").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'https://example.com' for '--domain <DOMAIN>': must be a domain name, such as example.com

For more information, try '--help'.

"#]]);
    bad("sticky set web --domain -a.com").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: unexpected argument '-a' found

Usage: kubectl canary-traefik sticky set [OPTIONS] [CANARY]

For more information, try '--help'.

"#]]);
}

#[test]
fn a_switch_that_is_neither_on_nor_off() {
    bad("sticky set web --secure=maybe").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'maybe' for '--secure[=<BOOL>]'
  [possible values: true, false]

For more information, try '--help'.

"#]]);
    bad("sticky set web --http-only=1").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value '1' for '--http-only[=<BOOL>]'
  [possible values: true, false]

For more information, try '--help'.

"#]]);
    bad("sticky set web --secure true").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: unexpected argument 'true' found

Usage: kubectl canary-traefik sticky set [OPTIONS] [CANARY]

For more information, try '--help'.

"#]]);
}

#[test]
fn a_same_site_that_is_none_of_the_three() {
    bad("sticky set web --same-site maybe").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'maybe' for '--same-site <WHEN>'
  [possible values: none, lax, strict]

For more information, try '--help'.

"#]]);
    bad("sticky set web --same-site=").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: a value is required for '--same-site <WHEN>' but none was supplied
  [possible values: none, lax, strict]

For more information, try '--help'.

"#]]);
}

#[test]
fn a_field_that_no_cookie_has() {
    bad("sticky set web --unset expires").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'expires' for '--unset <FIELD>'
  [possible values: name, max-age, path, domain, secure, http-only, same-site, entry]

For more information, try '--help'.

"#]]);
    bad("sticky set web --unset path,maxage").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'maxage' for '--unset <FIELD>'
  [possible values: name, max-age, path, domain, secure, http-only, same-site, entry]

  tip: a similar value exists: 'max-age'

For more information, try '--help'.

"#]]);
    bad("sticky set web --expires 300").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: unexpected argument '--expires' found

Usage: kubectl canary-traefik sticky set <CANARY>

For more information, try '--help'.

"#]]);
}

#[test]
fn flags_that_contradict_each_other() {
    bad("sticky set web --path / --unset name,path").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: --path and --unset path cannot be given together

"#]]);
    bad("sticky set web --max-age 1 --max-age 2").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the argument '--max-age <DURATION>' cannot be used multiple times

Usage: kubectl canary-traefik sticky set [OPTIONS] [CANARY]

For more information, try '--help'.

"#]]);
    bad("sticky set web --secure --live-only --declare-only").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the argument '--live-only' cannot be used with '--declare-only'

Usage: kubectl canary-traefik sticky set --secure[=<BOOL>] --live-only --filename <FILE> <CANARY>

For more information, try '--help'.

"#]]);
    bad("show web -A").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: names and -A cannot be given together
hint: name the Canaries, or select them, not both

"#]]);
    bad("diff web -l app=web").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: names and -l cannot be given together
hint: name the Canaries, or select them, not both

"#]]);
}

#[test]
fn a_set_that_sets_nothing() {
    bad("sticky set web").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: nothing to set: no cookie flag, and no terminal to ask on
hint: kubectl canary-traefik sticky set web --name login --max-age 300 --http-only -f canary.yaml

"#]]);
    bad("sticky set web --yes --dry-run").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: nothing to set: no cookie flag, and no terminal to ask on
hint: kubectl canary-traefik sticky set web --name login --max-age 300 --http-only -f canary.yaml

"#]]);
    bad("sticky set").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: nothing to set: no cookie flag, and no terminal to ask on
hint: kubectl canary-traefik sticky set CANARY --name login --max-age 300 --http-only -f canary.yaml

"#]]);
}

#[test]
fn what_needs_a_cluster() {
    bad("sticky set web --secure --live-only").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: --live-only needs a cluster: manifests contain only the declaration
hint: leave out --live-only, or leave out -f

"#]]);
    bad("sticky remove web --live-only").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: --live-only needs a cluster: manifests contain only the declaration
hint: leave out --live-only, or leave out -f

"#]]);
    bad("sticky set web --secure --dry-run=server").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: --dry-run=server needs a cluster
hint: use --dry-run=client with -f

"#]]);
    bad("sticky apply web").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: unexpected argument '-f' found

Usage: kubectl canary-traefik sticky apply [OPTIONS] [NAME]...

For more information, try '--help'.

"#]]);
    bad("guard status").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: unexpected argument '-f' found

Usage: kubectl canary-traefik guard status [OPTIONS]

For more information, try '--help'.

"#]]);
}

#[test]
fn a_dry_run_of_another_kind() {
    bad("sticky set web --secure --dry-run=later").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'later' for '--dry-run[=<WHERE>]'
  [possible values: none, client, server]

For more information, try '--help'.

"#]]);
    bad("sticky set web --secure --dry-run server").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: unexpected argument 'server' found

Usage: kubectl canary-traefik sticky set [OPTIONS] [CANARY]

For more information, try '--help'.

"#]]);
}

#[test]
fn a_format_that_is_not_written() {
    bad("show -o jsonn").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'jsonn' for '--output <FORMAT>'
  [possible values: table, wide, json, yaml, name, jsonpath=, custom-columns=]

  tip: a similar value exists: 'json'

For more information, try '--help'.

"#]]);
    bad("show -o go-template={{.name}}").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'go-template={{.name}}' for '--output <FORMAT>'
  [possible values: table, wide, json, yaml, name, jsonpath=, custom-columns=]

For more information, try '--help'.

"#]]);
    bad("sticky get web -o").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: a value is required for '--output <FORMAT>' but none was supplied
  [possible values: table, wide, json, yaml, name, jsonpath=, custom-columns=]

For more information, try '--help'.

"#]]);
    bad("sticky set web --secure -o table").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'table' for '--output <FORMAT>'
  [possible values: yaml, json, name]

For more information, try '--help'.

"#]]);
    bad("render web -o name").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'name' for '--output <FORMAT>'
  [possible values: yaml, json]

For more information, try '--help'.

"#]]);
}

#[test]
fn a_weight_that_is_no_percentage() {
    bad("render web --weight 101").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value '101' for '--weight <WEIGHT>': it must be a whole number from 0 to 100

For more information, try '--help'.

"#]]);
    bad("render web --weight -1").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value '-1' for '--weight <WEIGHT>': it must be a whole number from 0 to 100

For more information, try '--help'.

"#]]);
    bad("render web --weight half").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'half' for '--weight <WEIGHT>': it must be a whole number from 0 to 100

For more information, try '--help'.

"#]]);
    bad("render web --weight=").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value '' for '--weight <WEIGHT>': it must be a whole number from 0 to 100

For more information, try '--help'.

"#]]);
}

#[test]
fn a_selector_that_is_none() {
    words(&["show", "-l", "app in web"]).shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: label selector: `app in web` is not a label requirement
hint: use -l 'key=value,key!=value,key in (a,b),key,!key'

"#]]);
    words(&["show", "-l", "app=web,"]).shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: label selector: `` is not a label requirement
hint: use -l 'key=value,key!=value,key in (a,b),key,!key'

"#]]);
    words(&["diff", "-l", "app=web;rm"]).shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: label selector: `app=web;rm` is not a label requirement
hint: use -l 'key=value,key!=value,key in (a,b),key,!key'

"#]]);
    bad("show -l app=a=b").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: label selector: `app=a=b` is not a label requirement
hint: use -l 'key=value,key!=value,key in (a,b),key,!key'

"#]]);
}

#[test]
fn a_tip_is_given_only_for_what_a_person_may_have_meant() {
    let cases = [
        ("verify web", None),
        ("show --no-headers", None),
        ("show --al-namespaces", Some("  tip: a similar argument exists: '--all-namespaces'")),
        ("show --all", Some("  tip: a similar argument exists: '--all-namespaces'")),
        ("guard stats", Some("  tip: a similar subcommand exists: 'status'")),
        ("show -o jso", Some("  tip: a similar value exists: 'json'")),
    ];
    for (line, expected) in cases {
        let output = Run::new(line.split(' ')).run();
        let tip = output.stderr.lines().find(|line| line.starts_with("  tip: "));
        assert_eq!((output.code, tip), (Some(2), expected), "{line}");
    }
}

#[test]
fn words_that_are_no_command() {
    Run::new(["shwo"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: unrecognized subcommand 'shwo'

  tip: a similar subcommand exists: 'show'

Usage: kubectl canary-traefik [OPTIONS] <COMMAND>

For more information, try '--help'.

"#]]);
    Run::new(["sticky", "delete", "web"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: unrecognized subcommand 'delete'

Usage: kubectl canary-traefik sticky [OPTIONS] <COMMAND>

For more information, try '--help'.

"#]]);
    Run::new(["get", "canaries"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: unrecognized subcommand 'get'

Usage: kubectl canary-traefik [OPTIONS] <COMMAND>

For more information, try '--help'.

"#]]);
    Run::new(["show", "--all"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: unexpected argument '--all' found

  tip: a similar argument exists: '--all-namespaces'

Usage: kubectl canary-traefik show --all-namespaces [NAME]...

For more information, try '--help'.

"#]]);
    Run::new(["show", "-R"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the following required arguments were not provided:
  --filename <FILE>

Usage: kubectl canary-traefik show --filename <FILE> --recursive [NAME]...

For more information, try '--help'.

"#]]);
    Run::new(["show", "--color=often"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'often' for '--color <WHEN>'
  [possible values: auto, always, never]

For more information, try '--help'.

"#]]);
    bad("sticky get web two").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: unexpected argument 'two' found

Usage: kubectl canary-traefik sticky get [OPTIONS] <NAME>

For more information, try '--help'.

"#]]);
    bad("render").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the following required arguments were not provided:
  <NAME>

Usage: kubectl canary-traefik render --filename <FILE> <NAME>

For more information, try '--help'.

"#]]);
}

#[test]
fn control_characters_in_flags_are_not_sent_to_the_terminal() {
    words(&["show", "we\u{1b}[31mb"]).shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: no Canary `we\u{1b}[31mb` in the files
hint: Canaries in the files: web

"#]]);
    words(&["show", "-l", "a\u{1b}[31mb"]).shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: label selector: `a\u{1b}[31mb` is not a label requirement
hint: use -l 'key=value,key!=value,key in (a,b),key,!key'

"#]]);
    words(&["show", "-n", "a\u{1b}[31mb"]).shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
web    <none>   <none>   login    pending   <unknown>   <unknown>
--- stderr

"#]]);
}

#[test]
fn a_word_that_is_not_utf_8_is_said() {
    let binary = env!("CARGO_BIN_EXE_kubectl-canary_traefik");
    Run::of("/bin/sh", ["-c", "\"$0\" show \"$(printf '\\377')\" -f canary.yaml", binary]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid UTF-8 was detected in one or more arguments

Usage: kubectl canary-traefik show [OPTIONS] [NAME]...

For more information, try '--help'.

"#]]);
    Run::of("/bin/sh", ["-c", "\"$0\" show -f \"$(printf '\\377.yaml')\"", binary]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: cannot read `�.yaml`
caused by: no such file or directory

"#]]);
}

#[test]
fn a_lifetime_that_no_certificate_can_have() {
    for life in ["9s", "87601h", "87600000h"] {
        let error = match life {
            "9s" => "at least 10 s",
            _ => "at most 87600h, which is ten years",
        };
        let run = Run::new(["guard", "run", "--webhook-url", "https://127.0.0.1:1", "--cert-lifetime", life]).run();
        let said = run.stderr.lines().next().map(str::to_owned);
        let expected = format!("error: invalid value '{life}' for '--cert-lifetime <DURATION>': {error}");
        assert_eq!((run.code, said), (Some(2), Some(expected)));
    }
}

#[test]
fn a_flag_of_the_webhook_where_the_policies_are_meant() {
    let install = |flags: &[&str]| Run::new(["guard", "install"]).arguments(flags.iter().copied()).run();
    install(&["--image", "registry.example/guard:1", "-o", "yaml"]).shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: --image is for the webhook, and -o prints the policies
hint: add --mode webhook to print the webhook

"#]]);
    install(&["--guard-namespace", "web", "-o", "name"]).shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: --guard-namespace is for the webhook, and -o prints the policies
hint: add --mode webhook to print the webhook

"#]]);
    install(&["--mode", "policy", "--image", "registry.example/guard:1"]).shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: --image is for the webhook, which --mode policy does not install
hint: leave out --image, or use --mode webhook

"#]]);
}
