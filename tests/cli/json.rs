//! `docs/json.md` lists every field that is published, and none that is not. The kinds that need a cluster are in
//! `tests/cluster/published.rs`.
#![expect(clippy::disallowed_methods, reason = "reads and writes what the program does not")]

use std::collections::BTreeSet;

use serde_json::Value;
use testbed::{
    bed,
    fields::{Fields, kinds},
    run::Run,
};

use crate::manifests::{canary, folder, service};

fn json(folder: &std::path::Path, words: &str) -> Value {
    let output = Run::new(words.split(' ')).dir(folder).run();
    assert_eq!(output.code, Some(0), "{output}");
    serde_json::from_str(&output.stdout).expect("it is JSON")
}

/// A Canary whose entry is declared again, and malformed; the objects of the former one are there.
const ENTERED: &str = "apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: entered, annotations: {kubectl-canary-traefik/sticky-cookie: login, kubectl-canary-traefik/entry: login}}
spec: {provider: traefik, targetRef: {name: entered}}
---
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: again, annotations: {kubectl-canary-traefik/sticky-cookie: login, kubectl-canary-traefik/entry: /login}}
spec: {provider: traefik, targetRef: {name: again}}
---
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata:
  name: again-entry
  labels: {app.kubernetes.io/managed-by: kubectl-canary-traefik}
  annotations: {kubectl-canary-traefik/canary: again, kubectl-canary-traefik/entry: /start}
spec: {headers: {customRequestHeaders: {Cookie: ''}}}
";

/// Canaries in every state that manifests can be in.
fn manifests() -> testbed::directory::Directory {
    let live = "{cookie: {name: login, maxAge: 300, httpOnly: true}}";
    let native = "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {name: native, namespace: shop}\nspec: {provider: traefik, targetRef: {name: native}, service: {port: 80, traefik: {sticky: {cookie: {name: login}}}}, analysis: {}}\nstatus: {phase: Succeeded}\n";
    folder(&[
        ("a.yaml", &canary("podinfo", Some("login; Max-Age=300; HttpOnly"))),
        ("b.yaml", &service("podinfo", Some(live))),
        ("c.yaml", &canary("malformed", Some("login; Max-Age=soon"))),
        ("d.yaml", &canary("none", None)),
        ("e.yaml", native),
        ("f.yaml", ENTERED),
        (
            "g.yaml",
            "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {name: podinfo}\nspec: {skipAnalysis: true}\n",
        ),
    ])
}

#[test]
fn the_fields_of_a_report_are_those_of_the_page() {
    let folder = manifests();
    let mut fields = Fields::of("StickyReport");
    for name in ["podinfo", "malformed", "none", "native", "entered", "again"] {
        fields.hold(&json(folder.path(), &format!("sticky get {name} -f . -o json")));
        fields.hold(&json(folder.path(), &format!("show {name} -f . -o json")));
    }
    fields.hold(&crate::watch::last_document());
    fields.were_all_seen();
}

#[test]
fn the_fields_of_a_list_of_reports_are_those_of_the_page() {
    let folder = manifests();
    let mut fields = Fields::of("StickyReportList");
    let list = json(folder.path(), "show -f . -o json");
    fields.hold(&list);
    fields.were_all_seen();
    let mut single = Fields::of("StickyReport");
    for item in list["items"].as_array().expect("a list") {
        single.hold(item);
    }
}

#[test]
fn the_fields_of_a_list_of_descriptions_are_those_of_the_page() {
    let folder = folder(&[("a.yaml", &canary("podinfo", None)), ("b.yaml", &canary("podinfo", None))]);
    let mut fields = Fields::of("CanaryDescriptionList");
    fields.hold(&json(folder.path(), "describe podinfo -f . -o json"));
    fields.were_all_seen();
}

#[test]
fn the_fields_of_a_simulation_are_those_of_the_page() {
    let folder = manifests();
    let mut fields = Fields::of("Simulation");
    for name in ["podinfo", "none", "native"] {
        fields.hold(&json(folder.path(), &format!("simulate {name} -f . --steps 10,100 -o json")));
    }
    fields.were_all_seen();
}

#[test]
fn the_fields_of_cookies_are_those_of_the_page() {
    let folder = manifests();
    let shown = json(folder.path(), "cookie podinfo -f . -n shop -o json");
    let mut fields = Fields::of("TrackCookies");
    fields.hold(&shown);
    fields.were_all_seen();
    let value = shown["tracks"][1]["values"]["fnv"].as_str().expect("a value");
    let mut fields = Fields::of("DecodedCookie");
    fields.hold(&json(folder.path(), &format!("cookie decode podinfo {value} -f . -n shop -o json")));
    fields.were_all_seen();
}

#[test]
fn the_fields_of_an_error_are_those_of_the_page() {
    let folder = manifests();
    let mut fields = Fields::of("Error");
    for words in ["show nobody -f . -o json", "show podinof -f . -o json", "show none -f nowhere -o json"] {
        let output = Run::new(words.split(' ')).dir(folder.path()).run();
        fields.hold(&serde_json::from_str(&output.stderr).expect("it is JSON"));
    }
    fields.were_all_seen();
}

#[test]
fn the_page_has_every_kind_that_the_program_publishes() {
    let mut published = BTreeSet::new();
    let mut folders = vec![bed::root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder can be read") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            published
                .extend(text.split("published(\"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
            assert!(
                !text.contains("kubectl-canary-traefik/v1") || path.ends_with("output/report.rs"),
                "{}: publish by output::report::published, so that this test knows of it",
                path.display()
            );
        }
    }
    assert_eq!(kinds(), published);
}
