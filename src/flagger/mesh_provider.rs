//! Flagger's mesh provider: the provider of Canaries that name none.

use serde_json::Value;

/// What Flagger takes if it is not told (`cmd/flagger/main.go:init`).
pub const DEFAULT: &str = "istio";

/// Returns the mesh provider in the arguments of a Deployment, if it runs Flagger.
pub fn of_deployment(object: &Value) -> Option<String> {
    let containers = object.pointer("/spec/template/spec/containers")?.as_array()?;
    containers.iter().find_map(of_container)
}

fn of_container(container: &Value) -> Option<String> {
    let texts =
        |key: &str| container.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let mut arguments = texts("command").chain(texts("args"));
    while let Some(argument) = arguments.next() {
        let name = argument.trim_start_matches('-');
        match name.split_once('=') {
            Some(("mesh-provider", provider)) => return Some(provider.to_owned()),
            None if name == "mesh-provider" && name != argument => return arguments.next().map(str::to_owned),
            _ => {}
        }
    }
    let image = container.get("image").and_then(Value::as_str)?.split('@').next()?;
    let name = image.rsplit('/').next()?.split(':').next()?;
    (name == "flagger").then(|| DEFAULT.to_owned())
}

/// Returns the mesh provider in a chart's values (`charts/flagger/templates/deployment.yaml`); without one, it is the default.
pub fn in_values(values: Option<&Value>) -> Option<String> {
    let provider = values.and_then(|values| values.get("meshProvider")).and_then(Value::as_str);
    provider.filter(|provider| !provider.is_empty()).map(str::to_owned)
}

/// Returns the one mesh provider that all of these agree on.
pub fn agreed(providers: impl IntoIterator<Item = String>) -> Option<String> {
    let mut providers = providers.into_iter();
    let first = providers.next()?;
    providers.all(|other| other == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_provider_is_an_argument_in_every_form_that_go_accepts_or_the_default() {
        let of =
            |container: Value| of_deployment(&json!({"spec": {"template": {"spec": {"containers": [container]}}}}));
        for arguments in [json!(["-mesh-provider=traefik"]), json!(["-v", "--mesh-provider", "traefik"])] {
            assert_eq!(of(json!({"args": arguments, "image": "x"})).as_deref(), Some("traefik"), "{arguments}");
            assert_eq!(of(json!({"command": arguments, "image": "x"})).as_deref(), Some("traefik"), "{arguments}");
        }
        for image in ["flagger", "ghcr.io/fluxcd/flagger:1.44.0", "host:5000/flagger@sha256:0"] {
            assert_eq!(of(json!({"image": image})).as_deref(), Some("istio"), "{image}");
        }
        for image in ["ghcr.io/fluxcd/flagger-loadtester:0.36.0", "flagger/web"] {
            assert_eq!(of(json!({"image": image})), None, "{image}");
        }
        assert_eq!(in_values(Some(&json!({"meshProvider": "traefik"}))).as_deref(), Some("traefik"));
        assert_eq!(in_values(Some(&json!({"meshProvider": ""}))), None);
    }

    #[test]
    fn flaggers_that_differ_decide_nothing() {
        let agreed = |all: &[&str]| agreed(all.iter().map(|it| (*it).to_owned()));
        assert_eq!(agreed(&["a", "a"]).as_deref(), Some("a"));
        assert_eq!((agreed(&["a", "b"]), agreed(&[])), (None, None));
    }
}
