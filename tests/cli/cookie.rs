//! `cookie` and `cookie decode`.

use snapbox::str;
use testbed::{
    bed,
    run::{Output, Run},
};

use crate::manifests::{canary, folder, in_namespace, in_repository, over, service};

#[test]
fn every_track_has_the_cookie_of_each_version_of_traefik() {
    in_repository("cookie checkout -f examples -n shop").shows(str![[r#"
exit: 0
--- stdout
TRACK     SERVICE                 WRITTEN BY TRAEFIK              COOKIE
primary   checkout-primary:8080   3.3.4 and later                 login=a46c252a471a9916
primary   checkout-primary:8080   2.11 to 3.3.3                   login=9d38258e06c9e680
primary   checkout-primary:8080   before 2.11 (accepted by all)   login=shop-checkout-primary-8080
primary   checkout-primary:8080   3.7.11 and later, safeNaming    login=0494687f9c130ecf
canary    checkout-canary:8080    3.3.4 and later                 login=0ac98df64aa42da5
canary    checkout-canary:8080    2.11 to 3.3.3                   login=1176cc0b4b4eab18
canary    checkout-canary:8080    before 2.11 (accepted by all)   login=shop-checkout-canary-8080
canary    checkout-canary:8080    3.7.11 and later, safeNaming    login=15e5cdc1cb9b31a2
--- stderr

"#]]);
    in_repository("cookie checkout -f examples -n shop -o json").shows(str![[r#"
exit: 0
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "cookieName": "login",
    "kind": "TrackCookies",
    "name": "checkout",
    "namespace": "shop",
    "safeNamingCookieName": "login",
    "tracks": [
        {
            "name": "primary",
            "safeNamingValue": "0494687f9c130ecf",
            "service": "checkout-primary:8080",
            "values": {
                "child": "shop-checkout-primary-8080",
                "fnv": "9d38258e06c9e680",
                "sha256": "a46c252a471a9916"
            }
        },
        {
            "name": "canary",
            "safeNamingValue": "15e5cdc1cb9b31a2",
            "service": "checkout-canary:8080",
            "values": {
                "child": "shop-checkout-canary-8080",
                "fnv": "1176cc0b4b4eab18",
                "sha256": "0ac98df64aa42da5"
            }
        }
    ]
}
--- stderr

"#]]);
}

#[test]
fn one_track_is_a_cookie_to_send() {
    in_repository("cookie checkout -f examples -n shop --track canary").shows(str![[r#"
exit: 0
--- stdout
login=0ac98df64aa42da5
--- stderr

"#]]);
    in_repository("cookie checkout -f examples -n shop --track canary --safe-naming").shows(str![[r#"
exit: 0
--- stdout
login=15e5cdc1cb9b31a2
--- stderr

"#]]);
    in_repository("cookie checkout -f examples -n shop --track Canary").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: there is no track `Canary`
hint: use --track primary, or --track canary

"#]]);
}

/// `podinfo` in the namespace `test`, with port 80.
fn decode(typed: &str) -> Output {
    let both = in_namespace(
        "test",
        &(canary("podinfo", Some("login")) + &service("podinfo", Some("{cookie: {name: login}}"))),
    );
    let folder = folder(&[("canary.yaml", &both)]);
    Run::new(["cookie", "decode", "podinfo", typed, "-f", "canary.yaml"]).dir(folder.path()).run()
}

#[test]
fn a_value_is_decoded_whoever_wrote_it_and_however_it_is_typed() {
    decode("Set-Cookie: login=2b9f0f1d3c4a5e6f; Path=/; Max-Age=60").shows(str![[r#"
exit: 1
--- stdout
--- stderr
`2b9f0f1d3c4a5e6f` pins to no track: Traefik chooses a track and sets a new cookie

"#]]);
    decode("test-podinfo-canary-80").shows(str![[r#"
exit: 0
--- stdout
track     canary
service   podinfo-canary:80
written   by Traefik before 2.11
--- stderr

"#]]);
    decode("theme=dark").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: no cookie named `login` in what you passed
hint: pass the value alone, or login=VALUE

"#]]);
}

/// Each cookie that is shown is read back as what it was shown for.
#[test]
fn what_is_shown_is_decoded() {
    let shown = in_repository("cookie checkout -f examples -n shop");
    let lines: Vec<_> = shown.stdout.lines().skip(1).collect();
    assert_eq!(lines.len(), 8);
    for line in lines {
        let words: Vec<_> = line.split_whitespace().collect();
        let (track, cookie) = (words[0], words[words.len() - 1]);
        for typed in [cookie.to_owned(), format!("Cookie: theme=dark; {cookie}; login=2")] {
            let run = Run::new(["cookie", "decode", "checkout", &typed, "-f", "examples"]).dir(bed::root());
            let decoded = run.run();
            let first = decoded.stdout.lines().next().map(str::to_owned);
            assert_eq!(first, Some(format!("track     {track}")), "{typed}: {decoded}");
        }
    }
}

#[test]
fn without_a_cookie_a_namespace_or_a_canary_it_says_what_to_type() {
    in_repository("cookie podinfo -f examples").shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: Canary `shop/podinfo` has no cookie
hint: kubectl canary-traefik sticky set podinfo -f examples

"#]]);
    over(&canary("web", Some("login")), "cookie web -f canary.yaml").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the cookie values depend on the namespace, and the manifest sets none
hint: use -n NAMESPACE

"#]]);
    in_repository("cookie").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the following required arguments were not provided:
  <NAME>

Usage: kubectl canary-traefik cookie <NAME>

For more information, try '--help'.

"#]]);
}
