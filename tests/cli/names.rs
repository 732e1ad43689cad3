//! Names that no object can have: typed, and in what a cluster has.

use serde_json::json;
use snapbox::str;
use testbed::{
    fake::{Fake, Reply},
    objects,
    run::{Run, exactly},
};

const CANARIES: &str = "/apis/flagger.app/v1beta1/namespaces/shop/canaries";

fn run<'a>(fake: &Fake, arguments: impl IntoIterator<Item = &'a str>) -> Run {
    Run::new(arguments).kubeconfig(fake.kubeconfig())
}

#[test]
fn a_name_that_leads_elsewhere_is_refused_before_anything_is_asked() {
    let fake = Fake::start();
    run(&fake, ["show", "../../other/canaries/podinfo"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: `../../other/canaries/podinfo` cannot be a name: it contains `/`

"#]]);
    run(&fake, ["describe", ".."]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: `..` cannot be a name: it has a special meaning in a path

"#]]);
    run(&fake, ["sticky", "get", ""]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: `` cannot be a name: it is empty

"#]]);
    run(&fake, ["diff", "a%2fb"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: `a%2fb` cannot be a name: it contains `%`

"#]]);
    run(&fake, ["show", &"a".repeat(70_000)]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…` cannot be a name: it is longer than 253 characters

"#]]);
    run(&fake, ["sticky", "set", &"a".repeat(70_000), "--max-age", "5m", "--yes"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…` cannot be a name: it is longer than 253 characters

"#]]);
    run(&fake, ["show", "-n", "../kube-system"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: `../kube-system` cannot be a name: it contains `/`

"#]]);
    run(&fake, ["show", "podinfo", "-n", ".."]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: `..` cannot be a name: it has a special meaning in a path

"#]]);
    run(&fake, ["show", "-l", &format!("a={}", "b".repeat(70_000))]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: a request for an address of 70069 characters cannot be sent

"#]]);
    let asked: Vec<_> = fake.lines().into_iter().filter(|line| line.contains("/flagger.app/v1beta1/")).collect();
    assert_eq!(asked, [""; 0], "nothing is asked by such a name");
}

/// What is shown, what a change says, and the line of `describe`, for a Canary whose TraefikService bears this name.
fn shown(name: &str) -> String {
    let fake = Fake::start();
    let mut canary = objects::canary("podinfo");
    canary["metadata"]["namespace"] = json!("shop");
    canary["spec"]["service"]["name"] = json!(name);
    fake.on("GET", &format!("{CANARIES}/podinfo"), [Reply::json(200, &canary)]);
    let show = run(&fake, ["show", "podinfo"]).run();
    let set = run(&fake, ["sticky", "set", "podinfo", "--max-age", "5m", "--live-only", "--yes"]).run();
    let described = run(&fake, ["describe", "podinfo"]).env("COLUMNS", "200").run().stdout;
    let line = described.lines().find(|line| line.starts_with("TraefikService")).unwrap_or_default();
    let named = |line: &String| line.contains("/traefikservices/") && !line.ends_with("/traefikservices/podinfo");
    assert_eq!(fake.lines().into_iter().filter(named).collect::<Vec<_>>(), [""; 0], "nothing is asked by such a name");
    format!("{show}{set}{line}\n")
}

#[test]
fn a_canary_whose_traefikservice_cannot_be_named_has_none() {
    let elsewhere = shown("../../other/traefikservices/o1");
    exactly(
        &elsewhere,
        str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
podinfo   <none>   <none>   <none>   none    -           <unknown>
--- stderr
exit: 4
--- stdout
--- stderr
error: the live cookie cannot be changed: Flagger can generate no TraefikService: `../../other/traefikservices/o1` cannot be a name: it contains `/`
TraefikService:  <none>: `../../other/traefikservices/o1` cannot be a name: it contains `/`

"#]],
    );
    let long = shown(&"a".repeat(70_000));
    exactly(
        &long,
        str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
podinfo   <none>   <none>   <none>   none    -           <unknown>
--- stderr
exit: 4
--- stdout
--- stderr
error: the live cookie cannot be changed: Flagger can generate no TraefikService: `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…` cannot be a name: it is longer than 253 characters
TraefikService:  <none>: `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…` cannot be a name: it is longer than 253 characters

"#]],
    );
}
