//! Repositories with an environment for each folder: Canaries of one name, and kustomize patches of one.

use snapbox::str;
use testbed::{
    directory::Directory,
    pty::{Key, Pty},
    run::Run,
};

use crate::manifests::{canary, folder, in_namespace, run};

/// A patch of this Canary that changes its analysis.
fn patch(name: &str) -> String {
    format!(
        "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata:\n  name: {name}\nspec:\n  analysis:\n    maxWeight: 30\n"
    )
}

/// A patch of this Canary that declares a cookie.
fn declaring(name: &str) -> String {
    patch(name)
        .replace("\nspec:", "\n  annotations:\n    kubectl-canary-traefik/sticky-cookie: login; Max-Age=60\nspec:")
}

/// A replacement that writes our annotation.
const REPLACEMENT: &str = "{source: {kind: ConfigMap, name: a, fieldPath: data.cookie}, targets: [{select: {kind: Canary}, fieldPaths: ['metadata.annotations.[kubectl-canary-traefik/sticky-cookie]']}]}";

fn environments() -> Directory {
    folder(&[
        ("dev/canary.yaml", &canary("shop", Some("login; Max-Age=60"))),
        ("prod/canary.yaml", &canary("shop", None)),
        ("prod/cart.yaml", &canary("cart", None)),
    ])
}

#[test]
fn reads_list_every_canary_of_a_name_with_its_file() {
    let folder = environments();
    run(&folder, "show -R -f .").shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE         FILE
cart   <none>   <none>   <none>   none      -           <unknown>   ./prod/cart.yaml:2
shop   <none>   <none>   login    pending   <unknown>   <unknown>   ./dev/canary.yaml:2
shop   <none>   <none>   <none>   none      -           <unknown>   ./prod/canary.yaml:2
--- stderr

"#]]);
    run(&folder, "show cart -R -f .").shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
cart   <none>   <none>   <none>   none    -           <unknown>
--- stderr

"#]]);
    run(&folder, "show shop -o json -R -f .").shows(str![[r#"
exit: 0
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "items": [
        {
            "declared": {
                "cookie": {
                    "maxAge": 60,
                    "name": "login"
                },
                "source": "annotation"
            },
            "entry": null,
            "findings": [],
            "live": null,
            "manifest": {
                "file": "./dev/canary.yaml",
                "line": 2,
                "patches": []
            },
            "name": "shop",
            "phase": null,
            "protectedBy": "unknown",
            "state": "pending",
            "traefikService": {
                "name": "shop",
                "status": "notGenerated"
            },
            "weights": {
                "canary": null,
                "primary": null
            }
        },
        {
            "declared": null,
            "entry": null,
            "findings": [],
            "live": null,
            "manifest": {
                "file": "./prod/canary.yaml",
                "line": 2,
                "patches": []
            },
            "name": "shop",
            "phase": null,
            "protectedBy": null,
            "state": "none",
            "traefikService": {
                "name": "shop",
                "status": "notGenerated"
            },
            "weights": {
                "canary": null,
                "primary": null
            }
        }
    ],
    "kind": "StickyReportList"
}
--- stderr

"#]]);
    run(&folder, "sticky get shop -R -f .").shows(str![[r#"
exit: 0
--- stdout
./dev/canary.yaml:2:
FIELD     DECLARED   LIVE
name      login      <unset>
max-age   60         <unset>

state       pending (declared in an annotation)
protected   <unknown>

./prod/canary.yaml:2:
state       none (nothing is declared)
protected   -
--- stderr

"#]]);
    run(&folder, "diff shop -R -f .").shows(str![[r#"
exit: 0
--- stdout
--- stderr
shop: not compared: its TraefikService is not in the files (to compare with the cluster: --live)

"#]]);
    run(&folder, "describe shop -R -f .").shows(str![[r#"
exit: 0
--- stdout
./dev/canary.yaml:2:
Name:            shop
Namespace:       <none>
Phase:           <none>
Strategy:        no analysis: straight to the promotion
TraefikService:  shop, not created yet
Applied by:      <none>
Tracks:
  shop
  ├─ primary   shop-primary:80   -   <unknown>
  └─ canary    shop-canary:80    -   <unknown>
  their cookies depend on the namespace, which the manifests do not set: use -n
    NAMESPACE
Cookie:          pending, declared in an annotation
  FIELD     DECLARED   LIVE
  name      login      <unset>
  max-age   60         <unset>
Protected:       <unknown>: local files do not show whether a guard is installed
Next write:      the one that creates the TraefikService; weights 100/0; its
                 effect on the cookie is <unknown>
Routes:          <none>: nothing leads to the TraefikService
Findings:        <none>

./prod/canary.yaml:2:
Name:            shop
Namespace:       <none>
Phase:           <none>
Strategy:        no analysis: straight to the promotion
TraefikService:  shop, not created yet
Applied by:      <none>
Tracks:
  shop
  ├─ primary   shop-primary:80   -   <none>
  └─ canary    shop-canary:80    -   <none>
Cookie:          none, nothing is declared
Protected:       -
Next write:      the one that creates the TraefikService; weights 100/0; there
                 is no cookie to protect
Routes:          <none>: nothing leads to the TraefikService
Findings:        <none>
--- stderr

"#]]);
    let described = run(&folder, "describe shop -o json -R -f .");
    let value: serde_json::Value = serde_json::from_str(&described.stdout).expect("JSON");
    assert_eq!(value["kind"], "CanaryDescriptionList");
    assert_eq!(value["items"][1]["manifest"]["file"], "./prod/canary.yaml");
}

#[test]
fn what_needs_one_canary_names_the_files_to_choose_from() {
    let folder = environments();
    for command in ["sticky set shop --secure --yes", "sticky remove shop --yes", "render shop", "simulate shop"] {
        run(&folder, &format!("{command} -R -f .")).shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: more than one Canary is named `shop`: ./dev/canary.yaml:2, ./prod/canary.yaml:2
hint: use -f ./dev/canary.yaml
hint: use -f ./prod/canary.yaml

"#]]);
    }
    let two = in_namespace("a", &canary("shop", None)) + &in_namespace("b", &canary("shop", None));
    folder.write("two.yaml", two);
    run(&folder, "sticky set shop --secure --yes -f two.yaml").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: more than one Canary is named `shop`: two.yaml:2, two.yaml:16
hint: use -n a
hint: use -n b

"#]]);
    run(&folder, "sticky set shop --secure --yes -f two.yaml -n b -o name").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/shop configured
--- stderr
--- two.yaml (before)
+++ two.yaml (after)
@@ -18,6 +18,8 @@
 metadata:
   namespace: b
   name: shop
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: ; Secure
 spec:
   provider: traefik
   targetRef:
warning CT020: b/shop: a session cookie lives until the browser closes, so users stay on their track into the next rollout
  fix: declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set shop -n b --entry /login --max-age 2m

"#]]);
    folder.write("two.yaml", canary("shop", None) + &canary("shop", None));
    run(&folder, "sticky set shop --secure --yes -f two.yaml").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: more than one Canary is named `shop`: two.yaml:2, two.yaml:15
hint: rename or remove one of them

"#]]);
}

#[test]
fn on_a_terminal_a_change_asks_which_canary_is_meant() {
    let folder = environments();
    let line = ["sticky", "set", "shop", "--max-age", "300", "-R", "-f", "."];
    let mut pty = Pty::start(Run::new(line).dir(folder.path()));
    pty.wait_for("Which Canary `shop`?");
    pty.press(Key::Down);
    pty.press(Key::Enter);
    pty.answers("Change ./prod/canary.yaml?", "y");
    assert_eq!(pty.ends().code, Some(0));
    assert_eq!(folder.read("prod/canary.yaml"), canary("shop", Some("; Max-Age=300")));
    assert_eq!(folder.read("dev/canary.yaml"), canary("shop", Some("login; Max-Age=60")));
}

#[test]
fn a_patch_is_no_canary_and_a_read_of_the_base_names_it() {
    let base = canary("shop", Some("login; Max-Age=60"));
    let kustomization = |patches: &str| format!("resources: [../base]\n{patches}");
    // By a kustomization it is a patch even if it looks like a whole Canary.
    let whole = canary("shop", None).replace("port: 80", "port: 8080");
    let inline = "patches:\n- target: {kind: Canary, name: sh.p}\n  patch: |-\n    - op: replace\n      path: /spec/analysis\n      value: {}\n";
    let folder = folder(&[
        ("base/canary.yaml", &base),
        ("base/kustomization.yaml", "resources: [canary.yaml]\n"),
        ("a/kustomization.yaml", &kustomization("patches: [{path: patch.yaml}]\n")),
        ("a/patch.yaml", &patch("shop")),
        ("b/kustomization.yml", &kustomization("patchesStrategicMerge: [whole.yaml]\n")),
        ("b/whole.yaml", &whole),
        ("c/kustomization.yaml", &kustomization(inline)),
        ("d/loose.yaml", &patch("shop")),
    ]);
    run(&folder, "show -R -f .").shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
shop   <none>   <none>   login    pending   <unknown>   <unknown>
--- stderr
note: kustomize patches are not applied to Canary `shop`: ./a/patch.yaml:1, ./b/whole.yaml:2, ./c/kustomization.yaml:3, ./d/loose.yaml:1; to read the built result: kustomize build DIR | kubectl canary-traefik … -f -

"#]]);
    run(&folder, "show shop -o json -R -f .").shows(str![[r#"
exit: 0
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "declared": {
        "cookie": {
            "maxAge": 60,
            "name": "login"
        },
        "source": "annotation"
    },
    "entry": null,
    "findings": [],
    "kind": "StickyReport",
    "live": null,
    "manifest": {
        "file": "./base/canary.yaml",
        "line": 2,
        "patches": [
            "./a/patch.yaml:1",
            "./b/whole.yaml:2",
            "./c/kustomization.yaml:3",
            "./d/loose.yaml:1"
        ]
    },
    "name": "shop",
    "phase": null,
    "protectedBy": "unknown",
    "state": "pending",
    "traefikService": {
        "name": "shop",
        "status": "notGenerated"
    },
    "weights": {
        "canary": null,
        "primary": null
    }
}
--- stderr
note: kustomize patches are not applied to Canary `shop`: ./a/patch.yaml:1, ./b/whole.yaml:2, ./c/kustomization.yaml:3, ./d/loose.yaml:1; to read the built result: kustomize build DIR | kubectl canary-traefik … -f -

"#]]);
    run(&folder, "sticky get shop -R -f .").shows(str![[r#"
exit: 0
--- stdout
FIELD     DECLARED   LIVE
name      login      <unset>
max-age   60         <unset>

state       pending (declared in an annotation)
protected   <unknown>
--- stderr
note: kustomize patches are not applied to Canary `shop`: ./a/patch.yaml:1, ./b/whole.yaml:2, ./c/kustomization.yaml:3, ./d/loose.yaml:1; to read the built result: kustomize build DIR | kubectl canary-traefik … -f -

"#]]);
    run(&folder, "sticky set shop --max-age 300 --yes -R -f .").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/shop configured
--- stderr
--- ./base/canary.yaml (before)
+++ ./base/canary.yaml (after)
@@ -4,7 +4,7 @@
 metadata:
   name: shop
   annotations:
-    kubectl-canary-traefik/sticky-cookie: login; Max-Age=60
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300
 spec:
   provider: traefik
   targetRef:

"#]]);
    run(&folder, "show -f a").shows(str![[r#"
exit: 0
--- stdout
--- stderr
No resources found

"#]]);
}

#[test]
fn a_patch_of_another_canary_or_environment_stands_in_nobodys_way() {
    let folder = folder(&[
        ("shop/base/canary.yaml", &canary("shop", None)),
        ("shop/base/kustomization.yaml", "resources: [canary.yaml]\n"),
        ("cart/base/canary.yaml", &canary("cart", None)),
        // A JSON patch for another Canary, by name and by what its kustomization builds on.
        (
            "cart/dev/kustomization.yaml",
            "resources: [../base]\npatches:\n- path: cookie.yaml\n  target: {kind: Canary}\n",
        ),
        (
            "cart/dev/cookie.yaml",
            "- op: add\n  path: /metadata/annotations/kubectl-canary-traefik~1sticky-cookie\n  value: a\n",
        ),
        (
            "cart/prod/kustomization.yaml",
            "resources: [../base]\npatchesJson6902:\n- target: {kind: Canary, name: cart}\n  path: ../dev/cookie.yaml\n",
        ),
        ("cart/strategic.yaml", &declaring("cart")),
        // Annotations of Deployments.
        ("annotations.yaml", "- op: add\n  path: /metadata/annotations\n  value: {}\n"),
        ("chart/Chart.yaml", "name: chart\n"),
        ("chart/templates/canary.yaml", &("{{ if .a }}\n".to_owned() + &declaring("shop"))),
        ("chart/values.yaml", "annotations:\n  kubectl-canary-traefik/sticky-cookie: a\n"),
        (
            "release.yaml",
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: a}\nspec:\n  values:\n    annotations:\n      kubectl-canary-traefik/sticky-cookie: a\n",
        ),
    ]);
    run(&folder, "sticky set shop --max-age 300 --yes -R -f .").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/shop configured
--- stderr
warning: ./chart/templates/canary.yaml:1:2: skipped, a Helm template; with a Canary in: ./chart/templates/canary.yaml:3
--- ./shop/base/canary.yaml (before)
+++ ./shop/base/canary.yaml (after)
@@ -3,6 +3,8 @@
 kind: Canary
 metadata:
   name: shop
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=300
 spec:
   provider: traefik
   targetRef:

"#]]);
    run(&folder, "sticky set cart --max-age 300 --yes -R -f .").shows(str![[r#"
exit: 2
--- stdout
--- stderr
warning: ./chart/templates/canary.yaml:1:2: skipped, a Helm template; with a Canary in: ./chart/templates/canary.yaml:3
error: the cookie of Canary `cart` is declared in a kustomize patch: ./cart/dev/cookie.yaml:2, ./cart/strategic.yaml:6
caused by: the patch might override a declaration in ./cart/base/canary.yaml:2
hint: choose the file to change: -f FILE

"#]]);
}

#[test]
fn whatever_may_declare_the_same_cookie_is_named_before_a_change() {
    let refused = |name: &str, text: &str| {
        let folder = folder(&[("base/canary.yaml", &canary("shop", None)), (name, text)]);
        run(&folder, "sticky set shop --max-age 300 --yes -R -f .").stderr
    };
    let cases = [
        ("a/patch.yaml", declaring("shop")),
        ("a/patch.yaml", "- op: add\n  path: /metadata/annotations/kubectl-canary-traefik~1entry\n  value: /a\n".to_owned()),
        ("a/kustomization.yaml", "resources: [../base/canary.yaml]\ncommonAnnotations:\n  kubectl-canary-traefik/entry: /a\n".to_owned()),
        ("a/kustomization.yaml", "patches:\n- target: {kind: Canary}\n  patch: |-\n    - {op: remove, path: /metadata/annotations}\n".to_owned()),
        ("a/Kustomization", format!("patchesStrategicMerge:\n- |-\n  {}\n", declaring("shop").trim_end().replace('\n', "\n  "))),
        ("flux.yaml", format!("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: a}}\nspec:\n  patches:\n  - patch: |-\n      {}\n", declaring("shop").trim_end().replace('\n', "\n      "))),
        ("argo.yaml", format!("apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: a}}\nspec:\n  source:\n    kustomize:\n      patches:\n      - target: {{name: shop}}\n        patch: |-\n          {}\n", declaring("shop").trim_end().replace('\n', "\n          "))),
        ("argo.yaml", "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: a}\nspec:\n  template:\n    spec:\n      source:\n        kustomize:\n          commonAnnotations: {kubectl-canary-traefik/entry: /a}\n".to_owned()),
        ("argo.yaml", "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: a}\nspec:\n  templatePatch: |-\n    spec:\n      source:\n        kustomize:\n          commonAnnotations: {kubectl-canary-traefik/entry: /a}\n".to_owned()),
        ("flux.yaml", "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\nspec:\n  commonMetadata:\n    annotations: {kubectl-canary-traefik/entry: /a}\n".to_owned()),
        ("a/kustomization.yaml", format!("resources: [../base/canary.yaml]\nreplacements:\n- {REPLACEMENT}\n")),
        ("replacement.yaml", format!("apiVersion: builtin\nkind: ReplacementTransformer\nmetadata: {{name: a}}\nreplacements:\n- {REPLACEMENT}\n")),
        ("transformer.yaml", "apiVersion: builtin\nkind: AnnotationsTransformer\nmetadata: {name: a}\nannotations:\n  kubectl-canary-traefik/sticky-cookie: a\n".to_owned()),
    ];
    let said: String = cases.iter().map(|(name, text)| refused(name, text)).collect();
    snapbox::assert_data_eq!(
        said,
        str![[r#"
error: the cookie of Canary `shop` is declared in a kustomize patch: ./a/patch.yaml:6
caused by: the patch might override a declaration in ./base/canary.yaml:2
hint: choose the file to change: -f FILE
error: the cookie of Canary `shop` is declared in a kustomize patch: ./a/patch.yaml:2
caused by: the patch might override a declaration in ./base/canary.yaml:2
hint: change it by hand in ./a/patch.yaml:2: such a patch is not edited here
error: the cookie of Canary `shop` is declared in a kustomize patch: ./a/kustomization.yaml:3
caused by: the patch might override a declaration in ./base/canary.yaml:2
hint: change it by hand in ./a/kustomization.yaml:3: such a patch is not edited here
error: the cookie of Canary `shop` is declared in a kustomize patch: ./a/kustomization.yaml:1
caused by: the patch might override a declaration in ./base/canary.yaml:2
hint: change it by hand in ./a/kustomization.yaml:1: such a patch is not edited here
error: the cookie of Canary `shop` is declared in a kustomize patch: ./a/Kustomization:8
caused by: the patch might override a declaration in ./base/canary.yaml:2
hint: change it by hand in ./a/Kustomization:8: such a patch is not edited here
error: the cookie of Canary `shop` is declared in a kustomize patch: ./flux.yaml:12
caused by: the patch might override a declaration in ./base/canary.yaml:2
hint: change it by hand in ./flux.yaml:12: such a patch is not edited here
error: the cookie of Canary `shop` is declared in a kustomize patch: ./argo.yaml:15
caused by: the patch might override a declaration in ./base/canary.yaml:2
hint: change it by hand in ./argo.yaml:15: such a patch is not edited here
error: the cookie of Canary `shop` is declared in a kustomize patch: ./argo.yaml:9
caused by: the patch might override a declaration in ./base/canary.yaml:2
hint: change it by hand in ./argo.yaml:9: such a patch is not edited here
error: the cookie of Canary `shop` is declared in a kustomize patch: ./argo.yaml:9
caused by: the patch might override a declaration in ./base/canary.yaml:2
hint: change it by hand in ./argo.yaml:9: such a patch is not edited here
error: the cookie of Canary `shop` is declared in a kustomize patch: ./flux.yaml:6
caused by: the patch might override a declaration in ./base/canary.yaml:2
hint: change it by hand in ./flux.yaml:6: such a patch is not edited here
error: the cookie of Canary `shop` is declared in a kustomize patch: ./a/kustomization.yaml:3
caused by: the patch might override a declaration in ./base/canary.yaml:2
hint: change it by hand in ./a/kustomization.yaml:3: such a patch is not edited here
error: the cookie of Canary `shop` is declared in a kustomize patch: ./replacement.yaml:5
caused by: the patch might override a declaration in ./base/canary.yaml:2
hint: change it by hand in ./replacement.yaml:5: such a patch is not edited here
error: the cookie of Canary `shop` is declared in a kustomize patch: ./transformer.yaml:5
caused by: the patch might override a declaration in ./base/canary.yaml:2
hint: change it by hand in ./transformer.yaml:5: such a patch is not edited here

"#]]
    );
}

#[test]
fn a_template_gets_the_annotation_to_paste() {
    let template = "{{- if .Values.canary }}\n".to_owned() + &canary("{{ .Release.Name }}", None) + "{{- end }}\n";
    let folder = folder(&[
        ("Chart.yaml", "name: web\n"),
        ("templates/canary.yaml", &template),
        ("templates/service.yaml", "kind: {{ .Values.kind }}\n"),
    ]);
    run(&folder, "sticky set web --name login --max-age 60 --entry /login --yes -R -f .").shows(str![[r#"
exit: 4
--- stdout
--- stderr
warning: .: 2 Helm templates skipped; with a Canary in: ./templates/canary.yaml:4
error: no Canary `web` in the files
caused by: ./templates/canary.yaml:4 declares a Canary in a template, which cannot be edited
hint: to declare it in the template, add this to the Canary's metadata:
  annotations:
    kubectl-canary-traefik/entry: /login
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=60

"#]]);
    run(&folder, "sticky set web --name login --yes -f templates/canary.yaml").shows(str![[r#"
exit: 4
--- stdout
--- stderr
warning: templates/canary.yaml:1:3: skipped, a Helm template; with a Canary in: templates/canary.yaml:4
error: no Canary `web` in the files
caused by: templates/canary.yaml:4 declares a Canary in a template, which cannot be edited
hint: to declare it in the template, add this to the Canary's metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login

"#]]);
    run(&folder, "show -f templates/canary.yaml").shows(str![[r#"
exit: 0
--- stdout
--- stderr
warning: templates/canary.yaml:1:3: skipped, a Helm template; with a Canary in: templates/canary.yaml:4
No resources found

"#]]);
    run(&folder, "show -f templates/service.yaml").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: templates/service.yaml:1:8: expected string scalar
hint: this looks like a template; render it and pipe the result: helm template DIR | kubectl canary-traefik … -f -

"#]]);
    assert_eq!(folder.read("templates/canary.yaml"), template);
}

#[test]
fn a_release_whose_chart_may_make_the_canary_gets_the_patch_to_paste() {
    let release = |canary: &str| {
        format!(
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: podinfo, namespace: web}}\nspec:\n  chart: {{spec: {{chart: podinfo}}}}\n  values:\n    canary: {canary}\n"
        )
    };
    let on = folder(&[("release.yaml", &release("{enabled: true}"))]);
    run(&on, "sticky set podinfo --name login --max-age 60 --yes -R -f .").shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: no Canary `podinfo` in the files
caused by: ./release.yaml:1: HelmRelease `web/podinfo` may create one through its chart (spec.values.canary)
hint: to declare it, add this to the HelmRelease's spec:
  postRenderers:
  - kustomize:
      patches:
      - patch: |
          apiVersion: flagger.app/v1beta1
          kind: Canary
          metadata:
            annotations:
              kubectl-canary-traefik/sticky-cookie: login; Max-Age=60
            name: podinfo
        target:
          kind: Canary
          name: podinfo

"#]]);
    run(&on, "sticky remove podinfo --yes -R -f .").shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: no Canary `podinfo` in the files
caused by: ./release.yaml:1: HelmRelease `web/podinfo` may create one through its chart (spec.values.canary)

"#]]);
    let off = folder(&[("release.yaml", &release("{enabled: false}"))]);
    run(&off, "sticky set podinfo --name login --yes -R -f .").shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: no Canary `podinfo` in the files
hint: no document is a Canary (flagger.app/v1beta1)

"#]]);
}

#[test]
fn a_template_that_declares_a_cookie_already_gets_it_changed() {
    let template =
        "{{- if .Values.canary }}\n".to_owned() + &canary("web", Some("login; Max-Age=60; HttpOnly")) + "{{- end }}\n";
    let folder = folder(&[("Chart.yaml", "name: web\n"), ("templates/canary.yaml", &template)]);
    let said = |line: &str| run(&folder, &format!("{line} --yes -f templates/canary.yaml")).stderr;
    snapbox::assert_data_eq!(
        said("sticky set web --max-age 5m"),
        str![[r#"
warning: templates/canary.yaml:1:3: skipped, a Helm template; with a Canary in: templates/canary.yaml:4
error: no Canary `web` in the files
caused by: templates/canary.yaml:4 declares a Canary in a template, which cannot be edited
hint: to change it in the template, write this instead of templates/canary.yaml:8:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; HttpOnly

"#]]
    );
    snapbox::assert_data_eq!(
        said("sticky remove web"),
        str![[r#"
warning: templates/canary.yaml:1:3: skipped, a Helm template; with a Canary in: templates/canary.yaml:4
error: no Canary `web` in the files
caused by: templates/canary.yaml:4 declares a Canary in a template, which cannot be edited
hint: to remove it from the template, delete templates/canary.yaml:8

"#]]
    );
    folder.write("templates/canary.yaml", template.replace("login;", "{{ .Values.cookie }};"));
    snapbox::assert_data_eq!(
        said("sticky set web --max-age 5m"),
        str![[r#"
warning: templates/canary.yaml:1:3: skipped, a Helm template; with a Canary in: templates/canary.yaml:4
error: no Canary `web` in the files
caused by: templates/canary.yaml:4 declares a Canary in a template, which cannot be edited
hint: the template declares it at templates/canary.yaml:8: change it there

"#]]
    );
}

#[test]
fn a_declaration_with_a_variable_of_flux_is_changed_where_that_is_set() {
    let folder = folder(&[("canary.yaml", &canary("shop", Some("\"${COOKIE:=login; Max-Age=60}\"")))]);
    run(&folder, "sticky set shop --max-age 5m --yes -f .").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the declaration of Canary `shop` has a variable: ${COOKIE:=login; Max-Age=60}
caused by: its value is not known here
hint: change the cookie where the variable is set

"#]]);
}

#[test]
fn of_several_canaries_each_can_be_chosen_as_the_hint_says() {
    let all =
        in_namespace("a", &canary("shop", None)) + &canary("shop", None) + &in_namespace("b", &canary("shop", None));
    let folder = folder(&[("canaries.yaml", &all)]);
    let set = |more: &str| run(&folder, &format!("sticky set shop --name x --dry-run=client --yes -f .{more}"));
    set("").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: more than one Canary is named `shop`: ./canaries.yaml:2, ./canaries.yaml:16, ./canaries.yaml:29
hint: use -n a
hint: use -n b
hint: to choose ./canaries.yaml:16, give it a metadata.namespace

"#]]);
    set(" -n a").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/shop configured (dry run)
--- stderr
--- ./canaries.yaml (before)
+++ ./canaries.yaml (after)
@@ -4,6 +4,8 @@
 metadata:
   namespace: a
   name: shop
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: x
 spec:
   provider: traefik
   targetRef:
warning CT020: a/shop: a session cookie lives until the browser closes, so users stay on their track into the next rollout
  fix: declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set shop -n a --entry /login --max-age 2m

"#]]);
}

#[test]
fn a_patch_of_flux_is_for_its_path_whatever_kustomization_lists_it() {
    let patch = declaring("shop").trim_end().replace('\n', "\n      ");
    let flux = format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: apps}}\nspec:\n  path: ./apps\n  patches:\n  - patch: |-\n      {patch}\n"
    );
    let folder = folder(&[
        ("apps/canary.yaml", &canary("shop", None)),
        ("clusters/kustomization.yaml", "resources: [apps.yaml]\n"),
        ("clusters/apps.yaml", &flux),
    ]);
    run(&folder, "sticky set shop --max-age 300 --yes -R -f .").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the cookie of Canary `shop` is declared in a kustomize patch: ./clusters/apps.yaml:13
caused by: the patch might override a declaration in ./apps/canary.yaml:2
hint: change it by hand in ./clusters/apps.yaml:13: such a patch is not edited here

"#]]);
}
