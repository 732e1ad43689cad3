//! One TraefikService that may be too large for the guard to answer for says nothing of the others.

use serde_json::{Value, json};
use snapbox::str;
use testbed::{namespace::Namespace, objects, run::Run};

use super::guard::{DECLARED, Guard, Turn, declare, free_port};

fn giant(namespace: &Namespace, name: &str) {
    let owner = namespace.create_value(&objects::canary(name));
    declare(namespace, name, DECLARED);
    let mut service = objects::owned_by(objects::traefik_service(name, 100, 0), &owner);
    let services: Vec<Value> = (0..40_000).map(|number| json!({ "name": format!("s{number}"), "port": 80 })).collect();
    service["spec"]["weighted"]["services"] = json!(services);
    namespace.create_value(&service);
}

#[test]
fn whether_the_guard_acts_is_tried_on_what_it_can_answer_for() {
    let turn = Turn::take();
    let first = Namespace::on(turn.server(), "aaa");
    giant(&first, "big");
    let namespace = turn.shops("shop", &[]);
    let run = |arguments: &[&str]| -> Run {
        let run = namespace.run(arguments.iter().copied()).redact(first.name(), "aaa-[NS]");
        run.redact(env!("CARGO_PKG_VERSION"), "[VERSION]")
    };

    // A registration that nobody answers for. Of the large one alone that cannot be told.
    let port = free_port();
    Guard::begin(&namespace, port, &["--no-repairs"]).dies();
    run(&["guard", "status"]).run().shows(str![[r#"
exit: 0
--- stdout
OBJECT                                                                               STATE     VERSION
mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik     current   [VERSION]
validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik   current   [VERSION]

installed    webhook
working      <unknown> (aaa-[NS]/big, the only TraefikService to test it on, has too many services)
certificate  registered
canaries     all
namespaces   all
declared     1
not covered  0
malformed    0
--- stderr

"#]]);
    run(&["show", "-A"]).run().shows(str![[r#"
exit: 0
--- stdout
NAMESPACE   NAME   PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
aaa-[NS]    big    <none>   -/-      login    missing   <unknown>   [A]
--- stderr

"#]]);
    namespace.create_rollout("podinfo", 100, 0);
    declare(&namespace, "podinfo", DECLARED);
    run(&["guard", "status"]).run().shows(str![[r#"
exit: 1
--- stdout
OBJECT                                                                               STATE     VERSION
mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik     current   [VERSION]
validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik   current   [VERSION]

installed    webhook
working      no (in a dry run, a write removed the cookie of shop-[NS]/podinfo, and nothing put it back)
certificate  registered
canaries     all
namespaces   all
declared     2
not covered  0
malformed    0
--- stderr

"#]]);
    run(&["show", "-A"]).run().shows(str![[r#"
exit: 0
--- stdout
NAMESPACE   NAME      PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
aaa-[NS]    big       <none>   -/-      login    missing   none        [A]
shop-[NS]   podinfo   <none>   100/-    login    missing   none        [A]
--- stderr

"#]]);

    let guard = Guard::begin(&namespace, port, &["--no-repairs"]);
    guard.acts(&namespace, "podinfo");
    run(&["guard", "status"]).run().shows(str![[r#"
exit: 0
--- stdout
OBJECT                                                                               STATE     VERSION
mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik     current   [VERSION]
validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik   current   [VERSION]

installed    webhook
working      yes (in a dry run, a write removed the cookie of shop-[NS]/podinfo, and the guard put it back)
certificate  registered
canaries     all
namespaces   all
declared     2
not covered  0
malformed    0
--- stderr

"#]]);
    run(&["show", "-A"]).run().shows(str![[r#"
exit: 0
--- stdout
NAMESPACE   NAME      PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
aaa-[NS]    big       <none>   -/-      login    missing   guard       [A]
shop-[NS]   podinfo   <none>   100/-    login    missing   guard       [A]
--- stderr

"#]]);
    let _ = guard.ends("TERM");
}
