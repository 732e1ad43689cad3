//! The guard dies, is forbidden, or is meddled with.

use serde_json::{Value, json};
use snapbox::str;
use testbed::{
    bed, flagger,
    namespace::Namespace,
    run::exactly,
    running::{Running, Stream},
    server::Server,
    wait::until,
};

use super::{
    certificates::folder,
    guard::{self, Guard, Turn, declared_sticky, generation, live, registrations, sticky},
};

/// How many writes this program has made so far to the TraefikServices of the namespace.
fn own_writes(namespace: &Namespace) -> usize {
    guard::own_writes(namespace.server(), |request| {
        request["objectRef"]["resource"] == "traefikservices" && request["objectRef"]["namespace"] == namespace.name()
    })
}

#[test]
fn while_it_is_gone_writes_pass_and_after_its_return_each_loss_is_repaired_by_one_write() {
    const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
    let turn = Turn::take();
    let namespace = turn.shops("killed", &NAMES);
    let guard = Guard::start(&namespace, "a", &[]);
    for name in NAMES {
        until("the repair of what was written before", || (live(&namespace, name) == declared_sticky()).then_some(()));
    }
    let port = guard.port;
    guard.dies();
    assert_eq!(registrations(&namespace).len(), 2);

    let before = own_writes(&namespace);
    let mut generations = Vec::new();
    for name in NAMES {
        let stored = flagger::writes(&namespace, name, 80, 20).expect("the write passes");
        assert_eq!(sticky(&stored), Value::Null);
        generations.push(generation(&namespace, name));
    }
    let guard = Guard::begin(&namespace, port, &[]);
    for (name, before) in NAMES.into_iter().zip(generations) {
        until("the repair", || (live(&namespace, name) == declared_sticky()).then_some(()));
        assert_eq!(generation(&namespace, name), before + 1);
    }
    guard.acts(&namespace, "a");
    let ended = guard.ends("TERM");
    assert_eq!(ended.logged("repaired", "lost_by"), NAMES.map(|_| json!("flagger")).to_vec());
    assert_eq!(own_writes(&namespace) - before, NAMES.len());
}

#[test]
fn more_losses_than_are_kept_in_memory_are_repaired_by_one_write_each() {
    let names: Vec<_> = (0..50).map(|number| format!("shop-{number}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let turn = Turn::take();
    let namespace = turn.shops("many", &names);
    let guard = Guard::begin(&namespace, guard::free_port(), &[]);
    for name in &names {
        until("the repair", || (live(&namespace, name) == declared_sticky()).then_some(()));
    }
    let mut repaired = guard.ends("TERM").logged("repaired", "name");
    repaired.sort_by_key(Value::to_string);
    let mut wanted: Vec<_> = names.iter().map(|name| json!(format!("{}/{name}", namespace.name()))).collect();
    wanted.sort_by_key(Value::to_string);
    assert_eq!((repaired, own_writes(&namespace)), (wanted, names.len()));
}

#[test]
fn without_any_admission_every_write_of_flaggers_is_repaired_by_exactly_one() {
    const WRITES: i64 = 1_000;
    let turn = Turn::take();
    let namespace = turn.shops("loop", &["shop"]);
    let certificates = folder(&["127.0.0.1"]);
    let guard = Guard::repairs_only(&namespace, &certificates.path().display().to_string());
    let repaired = || (live(&namespace, "shop") == declared_sticky()).then_some(());
    until("the first repair", repaired);
    let before = generation(&namespace, "shop");
    for number in 0..WRITES {
        let stored = guard::writes(&namespace, "shop", |done| done == 0).remove(0);
        assert_eq!(sticky(&stored), Value::Null, "write {number}");
        until("the repair", repaired);
        assert_eq!(generation(&namespace, "shop"), before + 2 * (number + 1));
    }
    assert_eq!(own_writes(&namespace), usize::try_from(WRITES).expect("a few") + 1);
    assert_eq!(guard.ends("TERM").logged("repaired", "name").len(), own_writes(&namespace));
}

#[test]
fn a_registration_that_is_meddled_with_is_put_right() {
    let turn = Turn::take();
    let namespace = turn.shops("meddle", &["shop"]);
    let guard = Guard::start(&namespace, "shop", &[]);
    let bundle = |configuration: &Value| configuration["webhooks"][0]["clientConfig"]["caBundle"].clone();
    let right: Vec<_> = registrations(&namespace).iter().map(bundle).collect();
    for kind in ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] {
        let path = namespace.path(kind, "kubectl-canary-traefik");
        let patch = json!([{ "op": "replace", "path": "/webhooks/0/clientConfig/caBundle", "value": "" }]);
        let admin = namespace.server().admin();
        let emptied = admin.ask(&http::Method::PATCH, &path, "application/json-patch+json", patch.to_string());
        assert_eq!(bundle(&emptied.expect("the patch")), Value::Null);
        until("the authority to be back", || {
            (registrations(&namespace).iter().map(bundle).collect::<Vec<_>>() == right).then_some(())
        });
        namespace.delete(kind, "kubectl-canary-traefik");
        until("the registration to be back", || (registrations(&namespace).len() == 2).then_some(()));
    }
    guard.acts(&namespace, "shop");
    let ended = guard.ends("TERM");
    assert_eq!((ended.0.code, registrations(&namespace)), (Some(0), Vec::new()));
}

#[test]
fn an_api_server_that_comes_back_finds_it_there() {
    let turn = Turn::take();
    let namespace = turn.shops("restart", &["shop"]);
    let guard = Guard::start(&namespace, "shop", &[]);
    until("the repair of what was written before", || (live(&namespace, "shop") == declared_sticky()).then_some(()));
    for _ in 0..6 {
        turn.server().restart();
        let stored = guard::writes(&namespace, "shop", |number| number < 50);
        assert!(stored.iter().all(|service| sticky(service) == declared_sticky()));
    }
    let ended = guard.ends("TERM");
    assert_eq!(ended.0.code, Some(0), "{}", ended.0);
}

#[test]
fn without_the_rights_it_ends_and_says_which_is_missing() {
    let turn = Turn::take();
    let namespace = turn.shops("rights", &["shop"]);
    let port = guard::free_port();
    let (url, listen) = (format!("https://127.0.0.1:{port}"), format!("127.0.0.1:{port}"));
    let run = |rules: &str| {
        let user = namespace.user_with(rules);
        let name = user.file_stem().expect("a name").to_string_lossy().into_owned();
        let arguments = ["guard", "run", "--listen", &listen, "--webhook-url", &url, "-n", namespace.name()];
        let output = namespace.run_as(&user, arguments).redact(&format!("`{name}`"), "`[USER]`").run();
        (
            output.code,
            output
                .stderr
                .lines()
                .rfind(|line| line.starts_with("error"))
                .map(|line| line.replace(&name, "USER").replace(namespace.name(), "NS")),
        )
    };
    let (code, error) = run("[]");
    assert_eq!(code, Some(6));
    exactly(&error.expect("an error"), str!["error: user `USER` may not list canaries.flagger.app in namespace `NS`"]);
    let (code, error) = run(
        "[{apiGroups: [flagger.app, traefik.io], resources: [canaries, traefikservices], verbs: [get, list, watch, patch]}]",
    );
    assert_eq!(code, Some(6));
    exactly(
        &error.expect("an error"),
        str!["error: user `USER` may not get mutatingwebhookconfigurations.admissionregistration.k8s.io"],
    );
}

/// A server that has just started may say no to what it will allow: the process gives it half a minute.
#[test]
fn rights_that_are_taken_away_while_it_runs_end_it_with_the_reason() {
    let server = Server::dedicated(&bed::no_policies());
    let namespace = Namespace::on(&server, "taken");
    let rules = "[{apiGroups: [flagger.app, traefik.io, traefik.containo.us], resources: [canaries, traefikservices], \
                 verbs: [get, list, watch, patch]}]";
    let user = guard::cluster_user(&namespace, rules);
    let name = user.file_stem().expect("a name").to_string_lossy().into_owned();
    let (listen, folder) = (format!("127.0.0.1:{}", guard::free_port()), folder(&["localhost"]));
    let folder = folder.path().display().to_string();
    let arguments = ["guard", "run", "--listen", &listen, "--cert-dir", &folder];
    let run = namespace.run_as(&user, arguments).redact(&format!("`{name}`"), "`[USER]`");
    let mut running = Running::start(run);
    running.wait_for(Stream::Stderr, "listening");
    namespace.create_rollout("shop", 100, 0);
    guard::declare(&namespace, "shop", guard::DECLARED);
    until("a repair: it follows both kinds", || (live(&namespace, "shop") == declared_sticky()).then_some(()));
    let binding = format!("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/{name}");
    server.admin().delete(&binding).expect("the binding is there");
    server.restart();
    let output = running.ends();
    let last: Vec<_> = output.stderr.lines().skip_while(|line| !line.starts_with("error: ")).collect();
    assert_eq!(output.code, Some(6), "{output}");
    // Whichever of the two it asks for first.
    let kinds = ["canaries.flagger.app", "traefikservices.traefik.io"];
    let last = kinds.iter().fold(last.join("\n"), |last, kind| last.replace(kind, "[KIND]"));
    exactly(
        &last.replace(&name, "[USER]"),
        str![[r#"
error: user `[USER]` may not watch [KIND]
hint: kubectl auth can-i watch [KIND] -A
hint: kubectl canary-traefik rbac guard run prints the permissions it needs
"#]],
    );
}
