//! The output formats with templates, beside the real kubectl over the same objects.

use canary_traefik::output::{custom_columns::CustomColumns, jsonpath::Template};
use serde_json::{Value, json};
use testbed::{bed, namespace::Namespace, objects, run::Run};

/// Templates of every form. Where kubectl fails, so does the program (`Err`), in other words.
const TEMPLATES: [&str; 33] = [
    "plain",
    "{}",
    "{@}",
    "{.}",
    "{.items[*].metadata.name}",
    "{.items[*]['metadata.name', 'spec.provider']}",
    "{.items[0].metadata.name}{.items[-1].metadata.name}",
    "{.items[0:2].metadata.name} {.items[::2].metadata.name} {.items[1:].metadata.name} {.items[0:0].kind}",
    "{.items[0,1].spec.provider}",
    r"{.items[0].metadata.annotations.a\.io/x}",
    r"{.items[0].metadata.annotations['a\.io/x']}",
    r#"{range .items[*]}{.metadata.name}{"\t"}{.spec.service.port}{'\n'}{end}!"#,
    "{range .items[*]}{.metadata.name}:{range .spec.analysis.stepWeights[*]}{@},{end};{end}",
    "{range .items[*]}{.metadata.name}",
    "{.items[?(@.spec.service.port>80)].metadata.name}",
    r#"{.items[?(@.metadata.name!="a")].metadata.name}"#,
    r#"{.items[?(@.metadata.name=='b')].spec.targetRef.name}"#,
    "{.items[?(@.spec.suspend)].metadata.name}",
    "{.items[?(@.spec.suspend==true)].metadata.name}",
    "{.items[?(@.spec.service.port<=80)].metadata.name}",
    "{..stepWeights}",
    "{.items[0].spec.analysis}",
    "{.items[0].spec.analysis.stepWeights}",
    "{.nothing.at.all}",
    "{.items[0].metadata.annotations}",
    r#"{"a\u00e9\""}"#,
    "{1}{2.5}{true}",
    "{.items[9].metadata.name}",
    "{.kind[0]}",
    "{.kind",
    "{end}",
    "{kind}",
    "{.items[x]}",
];

#[test]
fn templates_are_filled_in_as_the_real_kubectl_does() {
    let (namespace, list) = canaries();
    for template in TEMPLATES {
        let theirs = kubectl(&namespace, &format!("jsonpath={template}"));
        let ours = Template::parse(template).ok().and_then(|parsed| parsed.fill(&list).ok());
        assert_eq!(ours, theirs, "{template}");
    }
}

#[test]
fn columns_are_those_of_the_real_kubectl() {
    let (namespace, list) = canaries();
    for columns in [
        "N:.metadata.name",
        "NAME:metadata.name,PORT:{.spec.service.port},STEPS:.spec.analysis.stepWeights,S:{spec.suspend}",
        "STEPS:.spec.analysis.stepWeights[*],ANALYSIS:.spec.analysis,SERVICE:.spec.service",
        "NAME",
        "NAME:.metadata{.name}",
    ] {
        let theirs = kubectl(&namespace, &format!("custom-columns={columns}"));
        let ours = CustomColumns::parse(columns).ok().and_then(|parsed| parsed.table(&list, true).ok());
        assert_eq!(ours, theirs, "{columns}");
    }
}

/// Three Canaries, and the list of them.
fn canaries() -> (Namespace<'static>, Value) {
    let namespace = Namespace::new("templates");
    for (name, port, steps) in [("a", 80, json!([10, 20])), ("b", 81, json!([])), ("a-longer-name", 80, json!([5]))] {
        let mut canary = objects::canary(name);
        canary["metadata"]["annotations"] = json!({"a.io/x": "<y> & z"});
        canary["spec"]["service"]["port"] = json!(port);
        canary["spec"]["suspend"] = json!(name == "b");
        canary["spec"]["analysis"] = json!({"interval": "1m", "threshold": 5, "stepWeights": steps});
        namespace.create_value(&canary);
    }
    let list = kubectl(&namespace, "json").expect("JSON");
    (namespace, serde_json::from_str(&list).expect("JSON"))
}

/// What kubectl prints in this format; `None` if it fails.
fn kubectl(namespace: &Namespace, format: &str) -> Option<String> {
    let kubectl = bed::program("kubectl").unwrap_or_else(|error| panic!("{error}"));
    let arguments = ["get", "canaries", "-n", namespace.name(), "-o", format, "--show-managed-fields"];
    let output = Run::of(kubectl, arguments).kubeconfig(namespace.kubeconfig()).run();
    (output.code == Some(0)).then_some(output.stdout)
}
