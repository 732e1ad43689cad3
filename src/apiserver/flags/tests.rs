//! Tests of parsing flags, and of hiding their secrets.

use crate::apiserver::flags::*;
use clap::Parser;

#[derive(Parser, Debug)]
struct Tiny {
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(subcommand)]
    command: Verb,
}

#[derive(clap::Subcommand, Debug)]
enum Verb {
    Sticky {
        #[command(subcommand)]
        command: Sticky,
    },
}

#[derive(clap::Subcommand, Debug)]
enum Sticky {
    Get { name: String },
}

fn parse(line: &str) -> Result<(ConnectionArgs, String), String> {
    let tiny = Tiny::try_parse_from(group_repeatable_flags(line.split(' ').map(OsString::from)))
        .map_err(|error| error.to_string())?;
    let Verb::Sticky { command: Sticky::Get { name } } = tiny.command;
    Ok((tiny.connection, name))
}

#[test]
fn every_flag_is_accepted_at_every_position() {
    let flags = "--kubeconfig f, --context c, --cluster c, --user u, -n shop, --namespace=shop, -s https://x, \
         --server https://x, --token t, --as u, --as-group a --as-group b, --as-uid 7, --as-user-extra k=v, \
         --username u, --password p, --client-certificate f, --client-key f, --certificate-authority f, \
         --tls-server-name n, --insecure-skip-tls-verify, --insecure-skip-tls-verify=false, --request-timeout 5s, \
         --disable-compression, --disable-compression=true, -v 6, -v=6, --v=6, -v6, --cache-dir d, --vmodule a=1, \
         --log-flush-frequency 5s, --profile none, --profile-output f, --match-server-version, \
         --match-server-version=false, --warnings-as-errors";
    for flag in flags.split(", ") {
        for line in [
            format!("tiny {flag} sticky get podinfo"),
            format!("tiny sticky {flag} get podinfo"),
            format!("tiny sticky get {flag} podinfo"),
            format!("tiny sticky get podinfo {flag}"),
        ] {
            assert_eq!(parse(&line).map(|(_, name)| name), Ok("podinfo".to_owned()), "{line}");
        }
    }
}

#[test]
fn values_arrive_where_they_belong() {
    let line = "tiny --as jane sticky --as-group a get -v=8 --as-user-extra k=v=w podinfo --as-group b --warnings-as-errors=false";
    let (args, _) = parse(line).unwrap();
    assert_eq!(args.impersonate.as_deref(), Some("jane"));
    assert_eq!(args.impersonate_groups, ["a", "b"]);
    assert_eq!(args.impersonate_extra, [("k".to_owned(), "v=w".to_owned())]);
    assert_eq!(args.verbosity, 8);
    assert_eq!(args.warnings_as_errors, Some(false));
}

#[test]
fn a_value_before_the_command_outlives_the_default_behind_it() {
    let (args, _) = parse("tiny -v=8 --insecure-skip-tls-verify sticky get podinfo").unwrap();
    assert_eq!((args.verbosity, args.insecure_skip_tls_verify), (8, Some(true)));
}

#[test]
fn what_follows_two_dashes_is_left_alone() {
    let line = "x --as-group=a get --as-group b --as-groups -- --as-group c";
    let words = group_repeatable_flags(line.split(' ').map(OsString::from));
    assert_eq!(words.join(" ".as_ref()), "x get --as-groups --as-group=a --as-group b -- --as-group c");
}

#[test]
fn what_is_typed_again_holds_nothing_secret() {
    let line = "tiny sticky get podinfo --context c --token s3cr3t --username bob --password s3cr3t \
        --server https://bob:s3cr3t@10.0.0.1:6443/k8s?token=s3cr3t --as jane --as-group a;b -n shop \
        --client-certificate c.pem --client-key c.key --certificate-authority ca.pem --tls-server-name k \
        --as-uid 7 --as-user-extra scopes=view --insecure-skip-tls-verify";
    let (args, _) = parse(&line.split_whitespace().collect::<Vec<_>>().join(" ")).unwrap();
    let expected = " --context c --server https://10.0.0.1:6443/k8s --certificate-authority ca.pem --tls-server-name k \
        --token TOKEN --username bob --password PASSWORD --client-certificate c.pem --client-key c.key --as jane --as-uid 7 --as-group 'a;b' \
        --as-user-extra scopes=view --insecure-skip-tls-verify";
    assert_eq!(args.to_command_line(), expected);
}

#[test]
fn a_word_that_was_not_expected_is_shown_without_its_secret() {
    let line: Vec<OsString> = ["x", "--", "--token", "s3cr3t", "-s", "bob:s3cr3t@h", "y"].map(OsString::from).into();
    for (word, shown) in [
        ("y", "y"),
        ("s3cr3t", "…"),
        ("--password=s3cr3t", "--password=…"),
        ("bob:s3cr3t@h", "h"),
        ("--server=bob:s3cr3t@h", "--server=h"),
        ("https://bob:s3cr3t@h", "https://h"),
        ("--context=a@b", "--context=a@b"),
    ] {
        assert_eq!(without_secrets(word, &line), shown);
    }
}

#[test]
fn an_empty_value_is_none() {
    let line = "tiny sticky get podinfo --context= --namespace= --server= --token= --user=u";
    let args = parse(line).unwrap().0.without_empty();
    assert_eq!((args.context, args.namespace, args.server, args.token.is_none()), (None, None, None, true));
    assert_eq!(args.user.as_deref(), Some("u"));
}

#[test]
fn durations_are_read_as_kubectl_reads_them() {
    let read = "0=0 30=30000 30s=30000 1m30s=90000 1h=3600000 500ms=500";
    for (text, milliseconds) in read.split(' ').filter_map(|case| case.split_once('=')) {
        let expected = Duration::from_millis(milliseconds.parse().unwrap());
        assert_eq!(duration(text), Ok(expected), "{text}");
    }
    for text in ["", "s", "5 s", "-1", "1d", "5m3", "99999999999999999999h"] {
        assert!(duration(text).is_err(), "{text}");
    }
}

#[test]
fn a_token_is_not_in_the_debug_output() {
    let (args, _) = parse("tiny sticky get podinfo --token s3cr3t").unwrap();
    assert_eq!(format!("{:?}", args.token), "Some(SecretBox<str>([REDACTED]))");
    assert_eq!(args.token.as_ref().map(ExposeSecret::expose_secret), Some("s3cr3t"));
}
