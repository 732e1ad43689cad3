//! Manifests whose names `kubectl create` is to make (`generateName`), those without any, and those of another version: nothing
//! is lost in silence, and nothing is listed without a name.

use snapbox::str;
use testbed::directory::Directory;

use crate::manifests::{canary, folder, run};

/// A folder with a Canary, and the same with this instead of its name.
fn place(instead: &str) -> Directory {
    let other = canary("shop", None).replace("  name: shop\nspec", &format!("  {instead}\nspec"));
    folder(&[("named.yaml", &canary("cart", None)), ("other.yaml", &other)])
}

#[test]
fn a_canary_without_a_name_is_skipped_with_a_warning() {
    run(&place("generateName: shop-"), "show -f .").shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
cart   <none>   <none>   <none>   none    -           <unknown>
--- stderr
warning: ./other.yaml:2: skipped, a Canary without metadata.name

"#]]);
    for instead in ["name: \"\"", "name: null", "name: 5", "labels: {a: b}"] {
        let output = run(&place(instead), "show -f . -o name");
        assert_eq!(
            (output.code, output.stdout.as_str(), output.stderr.as_str()),
            (
                Some(0),
                "canary.flagger.app/cart\n",
                "warning: ./other.yaml:2: skipped, a Canary without metadata.name\n"
            ),
            "{instead}"
        );
    }
}

#[test]
fn where_it_is_the_only_one_the_hint_says_what_it_lacks() {
    run(&place("generateName: shop-"), "sticky set shop --max-age 60 --yes -f other.yaml").shows(str![[r#"
exit: 4
--- stdout
--- stderr
warning: other.yaml:2: skipped, a Canary without metadata.name
error: no Canary `shop` in the files
hint: give the Canary at other.yaml:2 a metadata.name

"#]]);
    run(&place("generateName: shop-"), "lint -f other.yaml").shows(str![[r#"
exit: 0
--- stdout
--- stderr
warning: other.yaml:2: skipped, a Canary without metadata.name
nothing found in 0 Canaries

"#]]);
}

#[test]
fn a_canary_of_another_version_is_skipped_with_a_warning() {
    let old = canary("shop", None).replace("v1beta1", "v1alpha3");
    let folder = folder(&[("named.yaml", &canary("cart", None)), ("old.yaml", &old)]);
    run(&folder, "show -f . -o name").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/cart
--- stderr
warning: ./old.yaml:2: skipped, a Canary of flagger.app/v1alpha3: only flagger.app/v1beta1 is read

"#]]);
    run(&folder, "sticky set shop --max-age 60 --yes -f old.yaml").shows(str![[r#"
exit: 4
--- stdout
--- stderr
warning: old.yaml:2: skipped, a Canary of flagger.app/v1alpha3: only flagger.app/v1beta1 is read
error: no Canary `shop` in the files
hint: change the apiVersion of the Canary at old.yaml:2 to flagger.app/v1beta1

"#]]);
}

#[test]
fn a_patch_for_whatever_a_kustomization_selects_needs_no_name() {
    let patch = "apiVersion: flagger.app/v1beta1\nkind: Canary\nspec: {suspend: true}\n";
    let whole = canary("shop", None).replace("  name: shop\nspec", "  labels: {a: b}\nspec");
    let kustomization = "resources: [cart.yaml]\npatches:\n- {path: patch.yaml, target: {kind: Canary}}\n- {path: whole.yaml, target: {kind: Canary}}\n";
    let folder = folder(&[
        ("cart.yaml", &canary("cart", None)),
        ("kustomization.yaml", kustomization),
        ("patch.yaml", patch),
        ("whole.yaml", &whole),
    ]);
    let output = run(&folder, "show -f . -o name");
    assert_eq!((output.code, output.stdout.as_str()), (Some(0), "canary.flagger.app/cart\n"), "{output}");
    let warnings = output.stderr.lines().filter(|line| line.starts_with("warning: "));
    assert_eq!(warnings.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn other_objects_are_shown_with_what_their_names_begin_with() {
    let route = "---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {generateName: web-}
spec: {entryPoints: [web], routes: [{match: Host(`shop.example`), services: [{kind: TraefikService, name: cart}]}]}
---
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata: {generateName: cart}
spec: {weighted: {services: [{name: cart-primary, port: 80}]}}
";
    let folder = folder(&[("all.yaml", &(canary("cart", Some("login; Max-Age=60")) + route))]);
    let output = run(&folder, "describe cart -f .");
    let lines =
        output.stdout.lines().filter(|line| line.starts_with("TraefikService") || line.starts_with("  Ingress"));
    let expected = ["TraefikService:  cart, not created yet", "  IngressRoute/web-* on web"];
    assert_eq!(lines.collect::<Vec<_>>(), expected, "{output}");
}
