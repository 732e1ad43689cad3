//! What the real kubectl reads in manifests that were edited in place.

use std::path::PathBuf;

use canary_traefik::model::declaration::{ANNOTATION, NATIVE_COOKIE};
use serde_json::Value;
use testbed::{
    bed,
    directory::Directory,
    matrix::{Row, rows},
    namespace::Namespace,
    run::Run,
};

/// What is YAML and not for kubectl: it splits a text at `---` before it parses.
const NOT_FOR_KUBECTL: [&str; 2] = ["directives-and-markers.yaml", "document-on-the-marker.yaml"];
/// kubectl writes this one anew from what it has read.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
const FLAGS: [&str; 5] = ["--name", "login", "--max-age", "300", "--http-only"];

/// Every object that kubectl finds in these files, as it would create them.
fn as_kubectl_reads(namespace: &Namespace, files: &[(PathBuf, Vec<u8>)]) -> Result<Vec<Value>, String> {
    let copy = Directory::new();
    for (path, bytes) in files {
        copy.write(path.to_str().expect("the names of the rows are plain"), bytes);
    }
    let kubectl = bed::program("kubectl").unwrap_or_else(|error| panic!("{error}"));
    let arguments = ["create", "--dry-run=client", "--validate=false", "-o", "json", "-R", "-f", "."];
    let output = Run::of(kubectl, arguments).kubeconfig(namespace.kubeconfig()).dir(copy.path()).run();
    if output.code != Some(0) {
        return Err(output.stderr);
    }
    let objects = serde_json::Deserializer::from_str(&output.stdout).into_iter::<Value>();
    Ok(objects.map(|object| object.expect("kubectl prints JSON")).collect())
}

fn is_podinfo(object: &Value) -> bool {
    object["kind"] == "Canary" && object["metadata"]["name"] == "podinfo" && object["spec"]["provider"] != "istio"
}

/// Takes what the Canary `podinfo` declares out of the objects: the annotation and the native cookie, with the mappings
/// that they leave empty.
fn declaration_of(objects: &mut [Value]) -> Value {
    let found: Vec<_> = objects.iter_mut().flat_map(items).filter(|object| is_podinfo(object)).collect();
    let [podinfo] = found.try_into().unwrap_or_else(|found: Vec<_>| panic!("{} Canaries `podinfo`", found.len()));
    taken(podinfo, &["metadata", "annotations", LAST_APPLIED]);
    let annotation = taken(podinfo, &["metadata", "annotations", ANNOTATION]);
    let native = taken(podinfo, &NATIVE_COOKIE);
    serde_json::json!({ "annotation": annotation, "native": native })
}

fn items(object: &mut Value) -> Vec<&mut Value> {
    if object["kind"] == "List" {
        object["items"].as_array_mut().expect("a list has items").iter_mut().collect()
    } else {
        vec![object]
    }
}

fn taken(value: &mut Value, path: &[&str]) -> Value {
    let [key, rest @ ..] = path else { return Value::Null };
    let Some(fields) = value.as_object_mut() else { return Value::Null };
    if rest.is_empty() {
        return fields.remove(*key).unwrap_or_default();
    }
    let Some(child) = fields.get_mut(*key) else { return Value::Null };
    let taken = taken(child, rest);
    if *child == serde_json::json!({}) || child.is_null() {
        fields.remove(*key);
    }
    taken
}

fn difference(before: &[Value], after: &[Value]) -> String {
    let text = |objects: &[Value]| format!("{:#}", Value::from(objects));
    similar::TextDiff::from_lines(text(before), text(after)).unified_diff().to_string()
}

fn check(namespace: &Namespace, row: &Row) -> Result<(), String> {
    let read = |files: &[(PathBuf, Vec<u8>)]| as_kubectl_reads(namespace, files);
    let mut before = match read(&row.files) {
        Ok(_) if NOT_FOR_KUBECTL.contains(&row.name.as_str()) => return Err("kubectl can read it".to_owned()),
        Ok(before) => before,
        Err(_) if NOT_FOR_KUBECTL.contains(&row.name.as_str()) => return Ok(()),
        Err(error) => return Err(format!("kubectl cannot read it: {error}")),
    };
    let was_declared = declaration_of(&mut before);

    let set = row.edited("set", &FLAGS, &row.files);
    let mut after = read(&set.files).map_err(|error| format!("kubectl cannot read it after `set`: {error}"))?;
    let declared = declaration_of(&mut after);
    let native = !was_declared["native"].is_null();
    let wished = if native { &declared["native"]["maxAge"] } else { &declared["annotation"] };
    if before != after {
        return Err(format!("more than the declaration changed\n{}", difference(&before, &after)));
    }
    match wished {
        Value::String(text) if text.starts_with("login; Max-Age=300") && text.contains("; HttpOnly") => {}
        Value::Number(number) if native && number.as_u64() == Some(300) && declared["annotation"].is_null() => {}
        _ => return Err(format!("not declared: {declared}")),
    }

    let removed = row.edited("remove", &[], &set.files);
    if removed.output.code != Some(0) {
        assert!(removed.files == set.files, "refused and changed all the same: {}", removed.output);
        return Ok(());
    }
    let mut after = read(&removed.files).map_err(|error| format!("kubectl cannot read it after `remove`: {error}"))?;
    let declared = declaration_of(&mut after);
    if before != after {
        return Err(format!("more than the declaration was removed\n{}", difference(&before, &after)));
    }
    if declared["annotation"].is_null() && declared["native"].is_null() {
        Ok(())
    } else {
        Err(format!("still declared: {declared}"))
    }
}

#[test]
fn kubectl_reads_the_same_objects_but_for_the_declaration() {
    let namespace = Namespace::new("manifests");
    let rows: Vec<_> = rows().into_iter().filter(|row| row.files.len() == 1 && !row.name.contains("refused")).collect();
    assert!(rows.len() >= 40, "{} rows", rows.len());
    let failed: Vec<_> = rows
        .iter()
        .filter_map(|row| check(&namespace, row).err().map(|error| format!("{}: {error}", row.name)))
        .collect();
    assert!(failed.is_empty(), "{} of {} rows:\n{}", failed.len(), rows.len(), failed.join("\n"));
}
