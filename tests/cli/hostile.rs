//! Strings that a terminal would obey, in every field of every object: none reaches an output as it is, and what is
//! printed as JSON or YAML is the same value still.

use std::os::unix::fs::PermissionsExt as _;

use canary_traefik::yaml;
use serde_json::{Value, json};
use testbed::{
    directory::Directory,
    editor::Editor,
    fake::{Fake, Reply},
    pty::{Key, Pty},
    run::{Output, Run},
};

use crate::manifests::{canary, folder};

/// One of each kind that is obeyed: a colour, a title, a deleted screen, C1, DEL, line ends, and what turns the direction.
const HOSTILE: &str =
    "\u{1b}[35m\u{1b}[8m\u{1b}]0;t\u{7}\u{9b}2J\u{7f}\u{85}\r\u{8}\u{202e}\u{2066}\u{200f}\u{200e}\u{61c}\u{2028}";

/// Whether a terminal obeys a character (written anew, since the program's own is what is on trial).
fn is_obeyed(c: char) -> bool {
    let code = u32::from(c);
    (code < 0x20 && c != '\n')
        || (0x7f..=0x9f).contains(&code)
        || [0x61c, 0x200e, 0x200f, 0x2028, 0x2029].contains(&code)
        || (0x202a..=0x202e).contains(&code)
        || (0x2066..=0x2069).contains(&code)
}

/// Asserts that nothing of the kind was printed but colours of the program's own.
#[track_caller]
fn is_harmless(printed: &str, what: &str) {
    let mut rest = printed.to_owned();
    for own in ["0", "1", "31", "32", "33", "36"] {
        rest = rest.replace(&format!("\u{1b}[{own}m"), "");
    }
    let found: Vec<_> = rest.chars().filter(|c| is_obeyed(*c)).map(|c| c.escape_unicode().to_string()).collect();
    assert!(found.is_empty(), "{what}: {found:?} in {rest:?}");
}

/// A Canary, its TraefikService and a route to it, with as many fields as are read.
fn objects() -> Vec<Value> {
    let reference = |kind: &str| json!({ "apiVersion": "apps/v1", "kind": kind, "name": "web" });
    let check = |name: &str| json!({ "name": name, "interval": "1m", "thresholdRange": { "max": 500 }, "query": "q" });
    vec![
        json!({
            "apiVersion": "flagger.app/v1beta1",
            "kind": "Canary",
            "metadata": {
                "name": "web", "namespace": "shop", "creationTimestamp": "2026-11-01T00:00:00Z",
                "labels": { "app": "web", "kustomize.toolkit.fluxcd.io/name": "apps",
                    "kustomize.toolkit.fluxcd.io/namespace": "flux-system" },
                "annotations": { "kubectl-canary-traefik/sticky-cookie": "login; Max-Age=300", "note": "n",
                    "meta.helm.sh/release-name": "web", "argocd.argoproj.io/tracking-id": "app:flagger.app/Canary:shop/web" },
                "managedFields": [{ "manager": "helm", "operation": "Update", "time": "2026-11-01T00:00:00Z",
                    "fieldsV1": { "f:metadata": { "f:annotations": { "f:kubectl-canary-traefik/sticky-cookie": {} } } } }],
            },
            "spec": {
                "provider": "traefik", "targetRef": reference("Deployment"), "autoscalerRef": reference("Scaler"),
                "ingressRef": reference("Ingress"),
                "service": { "name": "web", "port": 80, "portName": "http", "targetPort": "http", "apex": { "labels": { "a": "b" } } },
                "analysis": { "interval": "1m", "threshold": 5, "stepWeight": 10, "maxWeight": 50, "metrics": [check("rate")],
                    "webhooks": [{ "name": "gate", "type": "confirm-promotion", "url": "http://gate/" }] },
            },
            "status": {
                "phase": "Progressing", "canaryWeight": 30, "failedChecks": 0, "lastTransitionTime": "2026-11-01T00:00:00Z",
                "conditions": [{ "type": "Promoted", "status": "Unknown", "reason": "Progressing", "message": "New revision" }],
            },
        }),
        json!({
            "apiVersion": "traefik.io/v1alpha1",
            "kind": "TraefikService",
            "metadata": { "name": "web", "namespace": "shop",
                "ownerReferences": [{ "apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "web", "controller": true }] },
            "spec": { "weighted": {
                "services": [
                    { "name": "web-primary", "namespace": "shop", "port": 80, "weight": 70 },
                    { "name": "web-canary", "namespace": "shop", "port": "http", "weight": 30 },
                ],
                "sticky": { "cookie": { "name": "old", "maxAge": 3, "path": "/", "sameSite": "lax", "domain": "example.com" } },
            } },
        }),
        json!({
            "apiVersion": "traefik.io/v1alpha1",
            "kind": "IngressRoute",
            "metadata": { "name": "web", "namespace": "shop" },
            "spec": { "entryPoints": ["websecure"], "routes": [{ "kind": "Rule", "match": "Host(`example.com`)",
                "services": [{ "kind": "TraefikService", "name": "web" }] }] },
        }),
    ]
}

/// The places of all strings as JSON pointers, with the object's first.
fn places() -> Vec<(usize, String)> {
    fn strings(value: &Value, place: &str, found: &mut Vec<String>) {
        match value {
            Value::String(_) => found.push(place.to_owned()),
            Value::Array(items) => {
                (0..).zip(items).for_each(|(index, item)| strings(item, &format!("{place}/{index}"), found));
            }
            Value::Object(fields) => {
                for (key, field) in fields {
                    strings(field, &format!("{place}/{}", key.replace('~', "~0").replace('/', "~1")), found);
                }
            }
            _ => {}
        }
    }
    let mut places = Vec::new();
    for (index, object) in objects().iter().enumerate() {
        let mut found = Vec::new();
        strings(object, "", &mut found);
        places.extend(found.into_iter().map(|place| (index, place)));
    }
    places
}

/// Whether an object is still what it is with another string at this place.
fn is_of_no_consequence(place: &str) -> bool {
    !["/kind", "/apiVersion", "/name", "/namespace", "/provider", "sticky-cookie", "/interval", "Timestamp", "/cookie/"]
        .iter()
        .any(|part| place.contains(part))
}

/// The objects as manifests, with this name wherever one of them is named, and a hostile string at these places.
fn manifests(name: &str, places: &[(usize, String)]) -> Directory {
    let mut objects = objects();
    for (index, place) in places {
        *objects[*index].pointer_mut(place).expect("a place of the object") = HOSTILE.into();
    }
    let texts: Vec<_> =
        objects.iter().map(|object| object.to_string().replace("\"web", &format!("\"{name}"))).collect();
    // YAML takes no such characters but as escapes.
    let text = texts.join("\n---\n");
    let escaped = text.chars().map(|c| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) });
    folder(&[("canary.yaml", &escaped.collect::<String>().replace('\u{7f}', "\\u007f"))])
}

/// The name with what is hostile behind it, and the same as JSON has it between quotes.
fn hostile_name() -> (String, String) {
    let name = format!("web{HOSTILE}");
    let escaped = serde_json::to_string(&name).expect("JSON");
    (name, escaped.trim_matches('"').to_owned())
}

const COMMANDS: [&str; 15] = [
    "show -A",
    "show -A -o wide",
    "show -A -o json",
    "show -A -o yaml",
    "show -A -o name",
    "diff -A",
    "describe NAME",
    "describe NAME -o json",
    "describe NAME -o yaml",
    "sticky get NAME",
    "render NAME",
    "render NAME -o json",
    "simulate NAME --steps 10,100",
    "simulate NAME --steps 10,100 -o json",
    "sticky set NAME --max-age 77 --dry-run=client",
];

fn run(folder: &Directory, name: &str, command: &str, color: &str) -> Output {
    let words = command.split(' ').map(|word| if word == "NAME" { name } else { word });
    Run::new(words.chain(["-f", "canary.yaml", color])).dir(folder.path()).run()
}

#[test]
fn no_string_of_an_object_reaches_an_output_as_something_that_is_obeyed() {
    let (harmless, heavy): (Vec<_>, Vec<_>) = places().into_iter().partition(|(_, place)| is_of_no_consequence(place));
    let (name, escaped) = hostile_name();
    // All at once where that changes nothing else, all names, and each of the others alone.
    let mut cases = vec![("web".to_owned(), harmless.clone()), (name.clone(), harmless)];
    cases.extend(heavy.into_iter().map(|place| ("web".to_owned(), vec![place])));
    for (index, (name, places)) in cases.iter().enumerate() {
        let folder = manifests(if name == "web" { "web" } else { &escaped }, places);
        // Of those alone, every third command.
        let step = if index < 2 { 1 } else { 3 };
        for command in COMMANDS.iter().skip(index % step).step_by(step) {
            let color = if (index + command.len()) % 2 == 0 { "--color=never" } else { "--color=always" };
            let output = run(&folder, name, command, color);
            let what = format!("{command} with {places:?}");
            assert!(index >= 2 || matches!(output.code, Some(0 | 1)), "{what}: {output}");
            assert!(matches!(output.code, Some(0..=4)), "{what}: {output}");
            is_harmless(&output.stdout, &what);
            is_harmless(&output.stderr, &what);
        }
    }
}

#[test]
fn what_is_printed_as_json_and_yaml_is_the_same_value() {
    let (name, escaped) = hostile_name();
    let harmless: Vec<_> = places().into_iter().filter(|(_, place)| is_of_no_consequence(place)).collect();
    let folder = manifests(&escaped, &harmless);
    for command in
        ["show -A", "describe NAME", "sticky get NAME", "render NAME", "sticky set NAME --secure --dry-run=client"]
    {
        let values = ["json", "yaml"].map(|format| {
            let output = run(&folder, &name, &format!("{command} -o {format}"), "--color=always");
            assert_eq!(output.code, Some(0), "{command}: {output}");
            is_harmless(&output.stdout, command);
            // JSON is YAML; and YAML is read here as kubectl reads it. Of manifests all documents are printed.
            let first = output.stdout.split("\n---\n").next().unwrap_or_default();
            let mut value = yaml::parse(first).expect("it can be read");
            // As kubectl does, the object is printed without; the file keeps what it has.
            if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.remove("managedFields");
            }
            value
        });
        let [json, yaml] = values;
        assert_eq!(json, yaml, "{command}");
        let item = if json["items"].is_array() { &json["items"][0] } else { &json };
        let named = item.get("name").or(item.pointer("/metadata/name")).or(item.pointer("/canary/name"));
        assert_eq!(named.and_then(Value::as_str), Some(name.as_str()), "{command}: {item}");
        if let Some(phase) = item.get("phase") {
            assert_eq!(phase, HOSTILE, "{command}");
        }
    }
}

#[test]
fn what_an_editor_and_other_programs_get_is_harmless_too() {
    let cookie: Vec<_> = places().into_iter().filter(|(_, place)| place.contains("/cookie/")).collect();
    for declared in ["login; Max-Age=300", "login; Max-Age=5m", HOSTILE] {
        let (name, escaped) = hostile_name();
        let folder = manifests(&escaped, &cookie);
        let text = folder
            .read("canary.yaml")
            .replace("login; Max-Age=300", &serde_json::to_string(declared).expect("JSON").replace('"', ""));
        let text = text.chars().map(|c| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) });
        folder.write("canary.yaml", text.collect::<String>().replace('\u{7f}', "\\u007f"));
        let editor = Editor::new(&[":"]);
        let edit = Run::new(["sticky", "edit", &name, "-f", "canary.yaml", "--dry-run=client"]).dir(folder.path());
        let output = editor.of(edit).run();
        assert_eq!(editor.rounds(), 1, "{output}");
        is_harmless(&editor.given(1), "the text in the editor");
        let program = folder.write("show", "#!/bin/sh\n/bin/ls $1 $2\n/bin/cat $1/* $2/*\nexit 1\n");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("one's own file");
        let diff = Run::new(["diff", "-f", "canary.yaml"]).dir(folder.path()).env("KUBECTL_EXTERNAL_DIFF", &program);
        let output = diff.run();
        assert_eq!(output.code, Some(1), "{output}");
        is_harmless(&output.stdout, "folders to be compared");
        is_harmless(&output.stderr, "folders to be compared");
    }
}

#[test]
fn file_names_and_arguments_are_no_way_around() {
    let file = format!("canary{}.yaml", HOSTILE.replace('/', ""));
    let folder = folder(&[(file.as_str(), canary("web", None).as_str()), ("broken\u{1b}[8m.yaml", "a: [\n")]);
    for words in [
        vec!["show", "-f", &file],
        vec!["show", "-f", "."],
        vec!["sticky", "set", "web", "--secure", "-f", &file],
        vec!["sticky", "set", HOSTILE, "--secure", "-f", &file],
        vec!["show", HOSTILE, "-f", &file, HOSTILE],
        vec!["show", "-n", HOSTILE, "-f", &file],
        vec![HOSTILE],
        vec!["show", "--color=always", &format!("--{HOSTILE}")],
        vec!["show", "--context", HOSTILE],
        vec!["sticky", "set", "web", "--name", HOSTILE, "-f", &file],
    ] {
        let output = Run::new(words.clone()).dir(folder.path()).run();
        is_harmless(&output.stdout, &format!("{words:?}"));
        is_harmless(&output.stderr, &format!("{words:?}"));
    }
}

#[test]
fn nothing_that_a_server_says_is_obeyed_at_any_verbosity() {
    let list = "/apis/flagger.app/v1beta1/namespaces/shop/canaries";
    let mut objects = objects();
    objects[0]["metadata"]["annotations"]["note"] = HOSTILE.into();
    objects[0]["status"]["phase"] = HOSTILE.into();
    let items = json!({ "kind": "CanaryList", "metadata": { "continue": "" }, "items": [objects[0]] });
    // As it would be sent by who means it: not escaped where JSON lets it stand.
    let raw = items.to_string().replace("\\u001b", "\u{1b}");
    for reply in [
        Reply::json(200, &items),
        Reply::text(200, "application/json", raw),
        Reply::text(200, "text/html", HOSTILE),
        Reply::text(502, "text/plain", HOSTILE),
        Reply::refusal(403, "Forbidden", HOSTILE),
        Reply::refusal(422, "Invalid", HOSTILE),
        Reply::json(200, &items).header("warning", "299 - \"\u{1b}[8mhidden\u{9b}2J\u{202e}\""),
    ] {
        let fake = Fake::start();
        fake.on("GET", list, [reply.clone()]);
        for level in ["0", "6", "8", "10"] {
            let output = Run::new(["show", "--color=always", "-v", level]).kubeconfig(fake.kubeconfig()).run();
            is_harmless(&output.stdout, &format!("-v {level} {reply:?}"));
            is_harmless(&output.stderr, &format!("-v {level} {reply:?}"));
        }
    }
}

#[test]
fn questions_show_nothing_that_is_obeyed() {
    let phase = HOSTILE.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect::<String>();
    let phase = |name: &str| canary(name, None) + &format!("status: {{phase: \"{phase}\"}}\n");
    let file = format!("canary{HOSTILE}.yaml");
    let folder = folder(&[(file.as_str(), (phase("one") + &phase("two")).as_str())]);
    let run = Run::new(["sticky", "set", "--max-age", "5m", "-f", &file]).dir(folder.path());
    let mut pty = Pty::start(run);
    pty.wait_for("> one");
    pty.wait_for_keys();
    pty.press(Key::Enter);
    pty.wait_for("[y]es / [N]o");
    pty.wait_for_keys();
    pty.press(Key::Escape);
    let seen = pty.ends();
    assert_eq!(seen.code, Some(3), "{seen:?}");
    // What questions are made of.
    let mut printed = seen.printed.replace("\r\n", "\n").replace('\r', "");
    for own in ["\u{1b}[?2004h", "\u{1b}[?2004l", "\u{1b}[?25h", "\u{1b}[?25l", "\u{1b}[J", "\u{1b}[2K"] {
        printed = printed.replace(own, "");
    }
    for lines in 1..5 {
        printed = printed.replace(&format!("\u{1b}[{lines}A"), "");
    }
    is_harmless(&printed, "a question");
}
