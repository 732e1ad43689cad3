//! `show --watch` and `describe --watch`, over a scripted server: in a pipe and on terminals of several sizes.

use std::sync::mpsc::Sender;

use canary_traefik::model::declaration::ANNOTATION;
use serde_json::{Value, json};
use snapbox::str;
use testbed::{
    fake::{Fake, Reply},
    objects,
    pty::{Key, Pty, Signal},
    run::{Run, exactly},
    running::{Running, Stream},
};

const CANARIES: &str = "/apis/flagger.app/v1beta1/namespaces/shop/canaries";
const SERVICES: &str = "/apis/traefik.io/v1alpha1/namespaces/shop/traefikservices";

/// The Canary in a rollout at this weight.
fn canary(name: &str, phase: &str) -> Value {
    let mut canary = objects::canary(name);
    canary["metadata"]["namespace"] = json!("shop");
    canary["metadata"]["resourceVersion"] = json!("7");
    canary["metadata"]["annotations"] = json!({ ANNOTATION: "login; Max-Age=300" });
    canary["spec"]["analysis"] = json!({"interval": "30s", "stepWeights": [10, 20, 50]});
    canary["status"] = json!({ "phase": phase });
    canary
}

fn service(name: &str, weight: u64) -> Value {
    let mut service = objects::traefik_service(name, 100 - weight, weight);
    service["metadata"]["namespace"] = json!("shop");
    service["metadata"]["resourceVersion"] = json!("7");
    service
}

fn list(items: &[Value]) -> Reply {
    Reply::json(200, &json!({"kind": "List", "metadata": {"resourceVersion": "7"}, "items": items}))
}

fn event(kind: &str, object: &Value) -> String {
    format!("{}\n", json!({"type": kind, "object": object}))
}

/// A server whose watches tell what a test sends.
struct Shop {
    fake: Fake,
    canaries: Sender<String>,
    services: Sender<String>,
}

fn shop(canaries: &[Value], services: &[Value]) -> Shop {
    let fake = Fake::start();
    let (of_canaries, watched) = Reply::fed();
    fake.on("GET", CANARIES, [list(canaries), watched]);
    let (of_services, watched) = Reply::fed();
    fake.on("GET", SERVICES, [list(services), watched]);
    Shop { fake, canaries: of_canaries, services: of_services }
}

impl Shop {
    fn run(&self, line: &str) -> Run {
        Run::new(line.split(' ')).kubeconfig(self.fake.kubeconfig())
    }

    fn canary(&self, kind: &str, canary: &Value) {
        self.canaries.send(event(kind, canary)).expect("somebody watches");
    }

    fn service(&self, kind: &str, service: &Value) {
        self.services.send(event(kind, service)).expect("somebody watches");
    }
}

#[test]
fn in_a_pipe_each_change_is_a_line() {
    let shop = shop(&[canary("checkout", "Progressing"), canary("podinfo", "Succeeded")], &[service("checkout", 10)]);
    let mut run = Running::start(shop.run("show --watch"));
    run.wait_for(Stream::Stdout, "podinfo");
    shop.service("MODIFIED", &service("checkout", 20));
    run.wait_for(Stream::Stdout, "80/20");
    // What changes nothing of a row is no line.
    shop.service("MODIFIED", &service("checkout", 20));
    shop.canary("MODIFIED", &canary("checkout", "Promoting"));
    run.wait_for(Stream::Stdout, "Promoting");
    shop.canary("DELETED", &canary("podinfo", "Succeeded"));
    run.wait_for(Stream::Stdout, "<deleted>");
    shop.canary("ADDED", &canary("a-longer-name", "Initialized"));
    run.wait_for(Stream::Stdout, "a-longer-name");
    run.signal("INT");
    run.ends().shows(str![[r#"
exit: 130
--- stdout
NAME       PHASE         WEIGHT   STEP   COOKIE   STATE     PROTECTED   AGE
checkout   Progressing   90/10    1/3    login    missing   none        <unknown>
podinfo    Succeeded     <none>   -      login    pending   none        <unknown>
checkout   Progressing   80/20    2/3    login    missing   none        <unknown>
checkout   Promoting     80/20    3/3    login    missing   none        <unknown>
podinfo    <deleted>     <none>   -      login    pending   none        <unknown>
a-longer-name   Initialized   <none>   -      login    pending   none        <unknown>
--- stderr

"#]]);
}

#[test]
fn in_a_pipe_each_change_is_a_document_or_what_a_template_makes_of_it() {
    for (format, last) in [
        ("name", ""),
        (r#"jsonpath={.name}:{.weights.canary}{.deleted}{"\n"}"#, "true"),
        ("custom-columns=NAME:.name,C:.weights.canary", ""),
    ] {
        let shop = shop(&[canary("checkout", "Progressing")], &[service("checkout", 10)]);
        let mut run = Running::start(shop.run(&format!("show -w -o {format}")));
        run.wait_for(Stream::Stdout, "checkout");
        shop.service("MODIFIED", &service("checkout", 20));
        run.wait_for_next(Stream::Stdout, "checkout");
        shop.canary("DELETED", &canary("checkout", "Progressing"));
        run.wait_for_next(Stream::Stdout, &format!("checkout{}", if last.is_empty() { "" } else { ":20true" }));
        run.signal("TERM");
        let output = run.ends();
        let lines: Vec<_> = output.stdout.lines().map(str::trim_end).collect();
        let expected: &[&str] = match format {
            "name" => &["canary.flagger.app/checkout"; 3],
            format if format.starts_with("jsonpath") => &["checkout:10", "checkout:20", "checkout:20true"],
            _ => &["NAME       C", "checkout   10", "checkout   20", "checkout   20"],
        };
        assert_eq!((output.code, &lines[..]), (Some(143), expected), "{format}");
    }
}

/// The last document of a watch: its Canary was deleted.
pub(crate) fn last_document() -> Value {
    documents().pop().expect("two documents")
}

fn documents() -> Vec<Value> {
    let shop = shop(&[canary("checkout", "Progressing")], &[service("checkout", 10)]);
    let mut run = Running::start(shop.run("show checkout -w -o json"));
    run.wait_for(Stream::Stdout, "\n}");
    shop.canary("DELETED", &canary("checkout", "Progressing"));
    run.wait_for_next(Stream::Stdout, "\n}");
    run.signal("TERM");
    let output = run.ends();
    serde_json::Deserializer::from_str(&output.stdout).into_iter().collect::<Result<_, _>>().expect("JSON")
}

#[test]
fn json_documents_say_which_canary_was_deleted() {
    let said = |value: &Value| (value["kind"].clone(), value["name"].clone(), value["deleted"].clone());
    assert_eq!(
        documents().iter().map(said).collect::<Vec<_>>(),
        [
            (json!("StickyReport"), json!("checkout"), Value::Null),
            (json!("StickyReport"), json!("checkout"), json!(true)),
        ]
    );
}

#[test]
fn a_list_that_has_expired_is_read_anew_and_only_what_differs_is_printed() {
    let shop = shop(&[canary("checkout", "Progressing"), canary("podinfo", "Succeeded")], &[service("checkout", 10)]);
    let gone = json!({"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"});
    let (_again, watched) = Reply::fed();
    let mut run = Running::start(shop.run("show -w --no-headers"));
    run.wait_for(Stream::Stdout, "podinfo");
    shop.fake.on("GET", CANARIES, [list(&[canary("checkout", "Promoting"), canary("podinfo", "Succeeded")]), watched]);
    shop.canaries.send(event("ERROR", &gone)).expect("somebody watches");
    run.wait_for(Stream::Stdout, "Promoting");
    run.signal("TERM");
    run.ends().shows(str![[r#"
exit: 143
--- stdout
checkout   Progressing   90/10    1/3    login    missing   none        <unknown>
podinfo    Succeeded     <none>   -      login    pending   none        <unknown>
checkout   Promoting     90/10    3/3    login    missing   none        <unknown>
--- stderr
error: ended by SIGTERM

"#]]);
}

#[test]
fn an_outage_is_told_once_and_so_is_its_end() {
    let shop = shop(&[canary("checkout", "Progressing")], &[service("checkout", 10)]);
    let mut run = Running::start(shop.run("show -w"));
    run.wait_for(Stream::Stdout, "checkout");
    let (again, watched) = Reply::fed();
    shop.fake.on("GET", CANARIES, [Reply::Close, Reply::Close, Reply::Close, Reply::Close, watched]);
    drop(shop.canaries);
    run.wait_for(Stream::Stderr, "retrying");
    again.send(event("MODIFIED", &canary("checkout", "Promoting"))).expect("a channel");
    drop(again);
    run.wait_for(Stream::Stdout, "Promoting");
    run.wait_for(Stream::Stderr, "up to date again");
    run.signal("TERM");
    run.ends().shows(str![[r#"
exit: 143
--- stdout
NAME       PHASE         WEIGHT   STEP   COOKIE   STATE     PROTECTED   AGE
checkout   Progressing   90/10    1/3    login    missing   none        <unknown>
checkout   Promoting     90/10    3/3    login    missing   none        <unknown>
--- stderr
warning: not up to date, retrying: the connection to the server 127.0.0.1:[PORT] was closed before it answered: connection closed before message completed
note: up to date again
error: ended by SIGTERM

"#]]);
}

#[test]
fn what_a_server_does_not_know_again_yet_is_no_deletion() {
    let shop = shop(&[canary("checkout", "Progressing")], &[service("checkout", 10)]);
    let gone = json!({"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"});
    let (_again, watched) = Reply::fed();
    let mut run = Running::start(shop.run("show -w --no-headers"));
    run.wait_for(Stream::Stdout, "checkout");
    let unknown = Reply::text(404, "text/plain", "404 page not found");
    shop.fake.on("GET", CANARIES, [unknown, list(&[canary("checkout", "Promoting")]), watched]);
    shop.canaries.send(event("ERROR", &gone)).expect("somebody watches");
    run.wait_for(Stream::Stderr, "retrying");
    run.wait_for(Stream::Stdout, "Promoting");
    run.wait_for(Stream::Stderr, "up to date again");
    run.signal("TERM");
    run.ends().shows(str![[r#"
exit: 143
--- stdout
checkout   Progressing   90/10    1/3    login    missing   none        <unknown>
checkout   Promoting     90/10    3/3    login    missing   none        <unknown>
--- stderr
warning: not up to date, retrying: the server has no resource type `canaries.flagger.app`
note: up to date again
error: ended by SIGTERM

"#]]);
}

#[test]
fn who_may_not_watch_is_told_the_verb() {
    let fake = Fake::start();
    let forbidden = |verb: &str| {
        let message = format!(
            r#"canaries.flagger.app is forbidden: User "jane" cannot {verb} resource "canaries" in API group "flagger.app" in the namespace "shop""#
        );
        Reply::refusal(403, "Forbidden", &message)
    };
    let run = || Run::new(["show", "-w"]).kubeconfig(fake.kubeconfig()).run();
    fake.on("GET", CANARIES, [list(&[]), forbidden("watch")]);
    fake.on("GET", SERVICES, [list(&[]), Reply::Hang]);
    run().shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: user `jane` may not watch canaries.flagger.app in namespace `shop`
caused by: credentials are not sent over http, where others could read them
hint: use --server https://HOST:PORT
hint: kubectl auth can-i watch canaries.flagger.app -n shop
hint: kubectl canary-traefik rbac show --watch -n shop prints the permissions it needs

"#]]);
    fake.on("GET", CANARIES, [forbidden("list")]);
    run().shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: user `jane` may not list canaries.flagger.app in namespace `shop`
caused by: credentials are not sent over http, where others could read them
hint: use --server https://HOST:PORT
hint: kubectl auth can-i list canaries.flagger.app -n shop
hint: kubectl canary-traefik rbac show -n shop prints the permissions it needs

"#]]);
}

#[test]
fn who_waits_for_what_is_not_there_is_told() {
    let fake = Fake::start();
    let (_held, watched) = Reply::fed();
    fake.on("GET", CANARIES, [list(&[]), watched, list(&[])]);
    fake.on("GET", SERVICES, [list(&[]), Reply::Hang]);
    let missing = Reply::refusal(404, "NotFound", r#"canaries.flagger.app "nobody" not found"#);
    fake.on("GET", &format!("{CANARIES}/nobody"), [missing]);
    let run = |line: &str| Run::new(line.split(' ')).kubeconfig(fake.kubeconfig());
    run("show nobody -w").run().shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: the cluster serves no Canaries: Flagger's custom resource definitions are not installed
hint: install Flagger, or name another cluster with --context

"#]]);
    run("show -w -f x.yaml").run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the argument '--watch' cannot be used with '--filename <FILE>'

Usage: kubectl canary-traefik show --watch [NAME]...

For more information, try '--help'.

"#]]);
    let shop = shop(&[canary("checkout", "Progressing")], &[]);
    shop.run("show -w --request-timeout 1s").run().shows(str![[r#"
exit: 0
--- stdout
NAME       PHASE         WEIGHT   STEP   COOKIE   STATE     PROTECTED   AGE
checkout   Progressing   <none>   0/3    login    pending   none        <unknown>
--- stderr

"#]]);
}

#[test]
fn on_a_terminal_rows_change_in_place_and_stay_at_the_end() {
    let shop = shop(&[canary("checkout", "Progressing"), canary("podinfo", "Succeeded")], &[service("checkout", 10)]);
    let mut pty = Pty::start(shop.run("show -w"));
    pty.wait_for("podinfo");
    shop.service("MODIFIED", &service("checkout", 20));
    pty.wait_for("80/20");
    shop.canary("DELETED", &canary("podinfo", "Succeeded"));
    shop.canary("MODIFIED", &canary("checkout", "Promoting"));
    pty.wait_for("Promoting");
    pty.types("typed\r");
    pty.press(Key::CtrlC);
    pty.ends().shows(str![[r#"
exit: 130
--- screen
NAME       PHASE       WEIGHT   STEP   NEXT   COOKIE   STATE     PROTECTED
checkout   Promoting   80/20    3/3    -      login    missing   none

"#]]);
}

#[test]
fn a_window_of_any_width_shows_whole_rows() {
    let long = "a-canary-with-a-name-that-is-longer-than-most";
    for columns in [40, 80, 200] {
        let shop = shop(&[canary("checkout", "Progressing"), canary(long, "Succeeded")], &[service("checkout", 10)]);
        let mut pty = Pty::start_sized(shop.run("show -w"), 20, columns);
        pty.wait_for("checkout");
        pty.signals(Signal::TERM);
        let seen = pty.ends();
        let widest = seen.screen.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        assert!(seen.restored && widest < usize::from(columns), "{seen:?}");
        exactly(
            &seen.screen,
            match columns {
                40 => str![[r#"
NAME               PHASE         WEIGHT
a-canary-with-a…   Succeeded     <none>
checkout           Progressing   90/10
error: ended by SIGTERM

"#]],
                80 => str![[r#"
NAME                                            PHASE         WEIGHT   STEP
a-canary-with-a-name-that-is-longer-than-most   Succeeded     <none>   -
checkout                                        Progressing   90/10    1/3
error: ended by SIGTERM

"#]],
                _ => str![[r#"
NAME                                            PHASE         WEIGHT   STEP   NEXT   COOKIE   STATE     PROTECTED   AGE
a-canary-with-a-name-that-is-longer-than-most   Succeeded     <none>   -      -      login    pending   none        <unknown>
checkout                                        Progressing   90/10    1/3    -      login    missing   none        <unknown>
error: ended by SIGTERM

"#]],
            },
        );
    }
}

#[test]
fn a_window_that_changes_its_size_is_filled_anew() {
    let names: Vec<_> = (0..30).map(|number| format!("web-{number:02}")).collect();
    let canaries: Vec<_> =
        names.iter().map(|name| canary(name, if name == "web-07" { "Progressing" } else { "Succeeded" })).collect();
    let shop = shop(&canaries, &[]);
    let mut pty = Pty::start_sized(shop.run("show -w"), 40, 80);
    pty.wait_for("web-29");
    pty.resizes(5, 60);
    pty.wait_for("… and 28 more");
    pty.signals(Signal::HUP);
    pty.ends().shows(str![[r#"
exit: 129
--- screen
NAME     PHASE         WEIGHT   STEP   NEXT   STATE
web-07   Progressing   <none>   0/3    -      pending
web-00   Succeeded     <none>   -      -      pending
… and 28 more (rollouts come first)
error: ended by SIGHUP

"#]]);
}

#[test]
fn the_terminal_is_whole_while_the_program_is_stopped_and_drawn_anew_after() {
    let shop = shop(&[canary("checkout", "Progressing")], &[service("checkout", 10)]);
    let mut pty = Pty::start(shop.run("show -w"));
    pty.wait_for("checkout");
    pty.wait_for_hidden_cursor();
    pty.signals(Signal::TSTP);
    assert!(pty.is_whole_while_stopped());
    pty.signals(Signal::CONT);
    shop.service("MODIFIED", &service("checkout", 20));
    pty.wait_for("80/20");
    pty.signals(Signal::TERM);
    let seen = pty.ends();
    assert_eq!((seen.code, seen.restored), (Some(143), true), "{seen:?}");
}
