//! Patches in the configuration of kustomize's transformers, and files that are named by paths of different kinds.

use snapbox::str;
use testbed::{directory::Directory, run::Run};

use crate::manifests::{canary, folder, in_namespace, run};

const DECLARING: &str = "{metadata: {annotations: {kubectl-canary-traefik/sticky-cookie: patched}}}";

/// A base with a Canary, and what else is given.
fn base(files: &[(&str, &str)]) -> Directory {
    let base =
        [("base/canary.yaml", canary("shop", None)), ("base/kustomization.yaml", "resources: [canary.yaml]\n".into())];
    let base = base.iter().map(|(name, text)| (*name, text.as_str()));
    folder(&base.chain(files.iter().copied()).collect::<Vec<_>>())
}

#[test]
fn patches_of_every_built_in_transformer_are_found() {
    let patch = format!(
        "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {{name: shop}}\n{}",
        &DECLARING[1..DECLARING.len() - 1]
    )
    .replace("metadata: {name: shop}\nmetadata: {annotations", "metadata: {name: shop, annotations");
    let transformer =
        |kind: &str, rest: &str| format!("apiVersion: builtin\nkind: {kind}\nmetadata: {{name: a}}\n{rest}");
    let indented = |text: &str| text.lines().map(|line| format!("  {line}\n")).collect::<String>();
    let json = "- {op: add, path: /metadata/annotations, value: {kubectl-canary-traefik/sticky-cookie: a}}\n";
    let target = "target: {kind: Canary}\n";
    let other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
    let inline = transformer("PatchTransformer", &format!("{target}patch: |\n{}", indented(DECLARING)));
    let folder = base(&[
        ("a/kustomization.yaml", "resources: [../base]\ntransformers: [patch.yaml]\n"),
        ("a/patch.yaml", &transformer("PatchTransformer", &format!("{target}patch: |\n{}", indented(DECLARING)))),
        ("b/kustomization.yaml", "resources: [../base]\ntransformers: [forms/strategic.yaml]\n"),
        (
            "b/forms/strategic.yaml",
            &transformer(
                "PatchStrategicMergeTransformer",
                &format!("paths: [named.yaml]\npatches: |\n{}  ---\n{}", indented(other), indented(&patch)),
            ),
        ),
        ("b/named.yaml", &patch),
        ("c/kustomization.yaml", "resources: [../base]\ntransformers: [forms]\n"),
        ("c/forms/kustomization.yaml", "resources: [json.yaml]\n"),
        (
            "c/forms/json.yaml",
            &transformer("PatchJson6902Transformer", &format!("{target}jsonOp: |\n{}", indented(json))),
        ),
        ("d/kustomization.yaml", &format!("resources: [../base]\ntransformers:\n- |\n{}", indented(&inline))),
        // One for another kind of objects, and one that no kustomization here names.
        (
            "e.yaml",
            &transformer("PatchTransformer", &format!("target: {{kind: Service}}\npatch: |\n{}", indented(DECLARING))),
        ),
        ("f.yaml", &inline),
    ]);
    run(&folder, "show shop -R -f .").shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
shop   <none>   <none>   <none>   none    -           <unknown>
--- stderr
note: kustomize patches are not applied to Canary `shop`: ./a/patch.yaml:6, ./b/forms/strategic.yaml:12, ./b/named.yaml:3, ./c/forms/json.yaml:6, ./d/kustomization.yaml:9, ./f.yaml:6; to read the built result: kustomize build DIR | kubectl canary-traefik … -f -

"#]]);
    run(&folder, "sticky set shop --secure --yes -R -f .").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the cookie of Canary `shop` is declared in a kustomize patch: ./a/patch.yaml:6, ./b/named.yaml:3, ./b/forms/strategic.yaml:12, ./c/forms/json.yaml:6, ./d/kustomization.yaml:9, ./f.yaml:6
caused by: the patch might override a declaration in ./base/canary.yaml:2
hint: choose the file to change: -f FILE

"#]]);
}

#[test]
fn a_patch_reaches_what_its_kustomization_builds_on_however_the_files_are_named() {
    let patch = "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata:\n  name: shop\n  annotations: {kubectl-canary-traefik/sticky-cookie: patched}\n";
    let folder = base(&[
        ("other/canary.yaml", &in_namespace("other", &canary("shop", None))),
        ("a/kustomization.yaml", "resources: [../base]\npatches: [{path: patch.yaml}]\n"),
        ("a/patch.yaml", patch),
    ]);
    let overlay = folder.path().join("a").display().to_string();
    let show = |files: &[&str]| {
        let files = files.iter().flat_map(|file| ["-f", file]);
        let run = Run::new(["show", "-o", "json"].into_iter().chain(files)).dir(folder.path()).run();
        let list: serde_json::Value = serde_json::from_str(&run.stdout).expect("it is JSON");
        let patches = |item: &serde_json::Value| item["manifest"]["patches"].as_array().expect("a list").len();
        let items = list["items"].as_array().expect("a list").iter();
        items
            .map(|item| (item["manifest"]["file"].as_str().expect("a file").to_owned(), patches(item)))
            .collect::<Vec<_>>()
    };
    let expected = [("base/canary.yaml".to_owned(), 1), ("other/canary.yaml".to_owned(), 0)];
    for named in [overlay.as_str(), "a", "./a/../a", "other/../a"] {
        let found = show(&["base/canary.yaml", "other/canary.yaml", named]);
        assert_eq!(found, expected, "{named}");
    }
}
