//! kubectl's output formats, names as kubectl prints them, and errors for programs.

use snapbox::str;
use testbed::{fake::Fake, run::Run};

use crate::manifests::{canary, folder, over, run, service};

/// Two Canaries, one of which declares a cookie.
fn two() -> String {
    [canary("checkout", Some("login; Max-Age=300")), service("checkout", None), canary("podinfo", None)].concat()
}

#[test]
fn templates_are_filled_in_with_the_fields_of_json() {
    let template =
        r#"show -f canary.yaml -o jsonpath={range.items[*]}{.name}{"\t"}{.declared.cookie.maxAge}{"\n"}{end}"#;
    over(&two(), template).shows(str![[r#"
exit: 0
--- stdout
checkout	300
podinfo	
--- stderr

"#]]);
    over(&two(), "show checkout -f canary.yaml -o jsonpath={.weights}").shows(str![[r#"
exit: 0
--- stdout
{"canary":30,"primary":70}
(no newline at the end)
--- stderr

"#]]);
    over(&two(), "sticky get checkout -f canary.yaml -o jsonpath={.declared.cookie.name}").shows(str![[r#"
exit: 0
--- stdout
login
(no newline at the end)
--- stderr

"#]]);
    over(&two(), "describe checkout -f canary.yaml -o jsonpath={.tracks[*].name}").shows(str![[r#"
exit: 0
--- stdout
primary canary
(no newline at the end)
--- stderr

"#]]);
}

#[test]
fn a_template_that_is_wrong_is_refused_before_anything_is_read() {
    over(&two(), "show -f nowhere.yaml -o jsonpath={.items[*.name}").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'jsonpath={.items[*.name}' for '--output <FORMAT>': [ without ]

"#]]);
    over(&two(), "show -f nowhere.yaml -o custom-columns=NAME").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'custom-columns=NAME' for '--output <FORMAT>': `NAME` is not HEADER:PATH

"#]]);
    over(&two(), "show -f canary.yaml -o jsonpath={.items[2].name}").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: jsonpath: index 2 is out of range in a list of 2

"#]]);
}

#[test]
fn an_unknown_format_is_told_with_those_that_are_known() {
    over(&two(), "show -f canary.yaml -o xml").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'xml' for '--output <FORMAT>'
  [possible values: table, wide, json, yaml, name, jsonpath=, custom-columns=]

For more information, try '--help'.

"#]]);
    over(&two(), "describe checkout -f canary.yaml -o custom-columns=A:.name").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'custom-columns=A:.name' for '--output <FORMAT>'
  [possible values: json, yaml, jsonpath=]

For more information, try '--help'.

"#]]);
}

#[test]
fn columns_are_chosen_by_path() {
    over(&two(), "show -f canary.yaml -o custom-columns=N:.name,PHASE:.phase,COOKIE:.declared.cookie").shows(str![[
        r#"
exit: 0
--- stdout
N          PHASE    COOKIE
checkout   <none>   map[maxAge:300 name:login]
podinfo    <none>   <none>
--- stderr

"#
    ]]);
    over(&two(), "show checkout -f canary.yaml -o custom-columns=N:name --no-headers").shows(str![[r#"
exit: 0
--- stdout
checkout
--- stderr

"#]]);
}

#[test]
fn headings_can_be_left_out() {
    over(&two(), "show -f canary.yaml --no-headers").shows(str![[r#"
exit: 0
--- stdout
checkout   <none>   70/30    login    missing   <unknown>   <unknown>
podinfo    <none>   <none>   <none>   none      -           <unknown>
--- stderr

"#]]);
    over(&two(), "sticky get checkout -f canary.yaml --no-headers").shows(str![[r#"
exit: 0
--- stdout
name      login   <unset>
max-age   300     <unset>

state       missing (declared in an annotation)
protected   <unknown>
--- stderr

"#]]);
}

#[test]
fn names_can_be_typed_as_kubectl_prints_them() {
    let shown = |line: &str| {
        let output = over(&two(), line);
        (output.code, output.stdout, output.stderr)
    };
    let expected = shown("show checkout podinfo -f canary.yaml");
    for names in [
        "canary/checkout canaries/podinfo",
        "canary.flagger.app/checkout Canary.v1beta1.flagger.app/podinfo",
        "canaries.flagger.app/checkout canaries.v1beta1.flagger.app/podinfo",
    ] {
        assert_eq!(shown(&format!("show {names} -f canary.yaml")), expected, "{names}");
    }
    for command in
        ["describe", "render", "simulate", "cookie", "sticky get", "diff", "sticky set --max-age 5m --dry-run"]
    {
        let expected = shown(&format!("{command} checkout -f canary.yaml"));
        assert_eq!(shown(&format!("{command} canary/checkout -f canary.yaml")), expected, "{command}");
    }
    over(&two(), "show deployment/checkout -f canary.yaml").shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: no Canary `deployment/checkout` in the files
hint: did you mean `checkout`?

"#]]);
}

#[test]
fn one_wrong_name_does_not_stand_in_the_way_of_the_others() {
    over(&two(), "show checkout nobody podinfo -f canary.yaml").shows(str![[r#"
exit: 4
--- stdout
NAME       PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
checkout   <none>   70/30    login    missing   <unknown>   <unknown>
podinfo    <none>   <none>   <none>   none      -           <unknown>
--- stderr
error: nobody: no Canary `nobody` in the files
hint: Canaries in the files: checkout, podinfo
error: 1 of 3 Canaries failed; see the errors above

"#]]);
    over(&two(), "show nobody podinfo -f canary.yaml -o json").shows(str![[r#"
exit: 4
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "items": [
        {
            "declared": null,
            "entry": null,
            "findings": [],
            "live": null,
            "manifest": {
                "file": "canary.yaml",
                "line": 31,
                "patches": []
            },
            "name": "podinfo",
            "phase": null,
            "protectedBy": null,
            "state": "none",
            "traefikService": {
                "name": "podinfo",
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
{"apiVersion":"kubectl-canary-traefik/v1","causes":[],"exitCode":4,"hints":["Canaries in the files: checkout, podinfo"],"kind":"Error","message":"nobody: no Canary `nobody` in the files","reason":"notFound"}
{"apiVersion":"kubectl-canary-traefik/v1","causes":[],"exitCode":4,"hints":[],"kind":"Error","message":"1 of 2 Canaries failed; see the errors above","reason":"notFound"}

"#]]);
}

#[test]
fn errors_are_json_where_the_results_are() {
    over(&two(), "show nobody -f canary.yaml -o json").shows(str![[r#"
exit: 4
--- stdout
--- stderr
{"apiVersion":"kubectl-canary-traefik/v1","causes":[],"exitCode":4,"hints":["Canaries in the files: checkout, podinfo"],"kind":"Error","message":"no Canary `nobody` in the files","reason":"notFound"}

"#]]);
    over(&two(), "describe checkout -f canary.yaml --output=json --nope").shows(str![[r#"
exit: 2
--- stdout
--- stderr
{"apiVersion":"kubectl-canary-traefik/v1","causes":[],"exitCode":2,"hints":[],"kind":"Error","message":"unexpected argument '--nope' found","reason":"usage"}

"#]]);
    let folder = folder(&[("canary.yaml", &two())]);
    run(&folder, "show nobody -f canary.yaml --color always -ojson").shows(str![[r#"
exit: 4
--- stdout
--- stderr
{"apiVersion":"kubectl-canary-traefik/v1","causes":[],"exitCode":4,"hints":["Canaries in the files: checkout, podinfo"],"kind":"Error","message":"no Canary `nobody` in the files","reason":"notFound"}

"#]]);
    let fake = Fake::start();
    Run::new(["show", "-o", "json"]).kubeconfig(fake.kubeconfig()).run().shows(str![[r#"
exit: 4
--- stdout
--- stderr
{"apiVersion":"kubectl-canary-traefik/v1","causes":[],"exitCode":4,"hints":["install Flagger, or name another cluster with --context"],"kind":"Error","message":"the cluster serves no Canaries: Flagger's custom resource definitions are not installed","reason":"notFound"}

"#]]);
}
