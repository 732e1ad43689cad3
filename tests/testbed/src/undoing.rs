//! What a change prints to take it back, typed: for every command that changes a cookie, from every state that it may begin
//! in. One line a case.

use canary_traefik::model::{
    Cookie,
    declaration::{self, ANNOTATION},
    entry::ENTRY_ANNOTATION,
};
use http::Method;
use serde_json::{Value, json};

use super::{
    bed,
    directory::Directory,
    editor::Editor,
    namespace::Namespace,
    run::{Output, Run},
};

/// What is declared and what is live before a change.
struct Given {
    name: &'static str,
    declared: Option<&'static str>,
    live: Option<&'static str>,
}

/// What comes before an entry that is declared without a cookie.
const ENTRY: &str = "entry ";

const GIVEN: [Given; 10] = [
    Given { name: "nothing", declared: None, live: None },
    Given { name: "declared", declared: Some("a; Max-Age=60; HttpOnly"), live: None },
    Given {
        name: "synced",
        declared: Some("a; Path=/a'b&c; SameSite=Lax"),
        live: Some("a; Path=/a'b&c; SameSite=Lax"),
    },
    Given { name: "undeclared", declared: None, live: Some("a; Secure") },
    Given { name: "derived", declared: Some(""), live: Some("") },
    Given { name: "differs", declared: Some("a; Max-Age=60"), live: Some("b; Max-Age=90; Secure") },
    Given { name: "empty", declared: None, live: Some("") },
    Given { name: "halfway", declared: Some("entry /login"), live: None },
    Given { name: "malformed", declared: Some("a; Max-Age=soon"), live: None },
    Given { name: "no-path", declared: Some("entry it's"), live: Some("b; Max-Age=90") },
];

const COMMANDS: [(&str, &str); 7] = [
    ("set", "set"),
    ("set-live", "set --live-only"),
    ("set-decl", "set --declare-only"),
    ("edit", "edit"),
    ("remove", "remove"),
    ("rm-live", "remove --live-only"),
    ("rm-decl", "remove --declare-only"),
];

/// A rollout for each case, as it is before the change.
pub fn begin(namespace: &Namespace) {
    for (given, name, _) in cases() {
        namespace.create_rollout(&name, 90, 10);
        if let Some(text) = given.declared {
            let (key, text) = text.strip_prefix(ENTRY).map_or((ANNOTATION, text), |entry| (ENTRY_ANNOTATION, entry));
            let patch = json!({ "metadata": { "annotations": { key: text } } });
            by("kubectl-annotate", namespace, "Canary", &name, &patch);
        }
        if let Some(text) = given.live {
            let patch = json!({ "spec": { "weighted": { "sticky": sticky(text) } } });
            by("kubectl-patch", namespace, "TraefikService", &name, &patch);
        }
    }
}

fn cases() -> impl Iterator<Item = (&'static Given, String, &'static str)> {
    let apply = ("apply", "apply");
    let all = GIVEN.iter().flat_map(move |given| {
        let has_apply = given.declared.is_some().then_some(apply);
        COMMANDS.into_iter().chain(has_apply).map(move |(short, command)| (given, short, command))
    });
    all.map(|(given, short, command)| (given, format!("{}-{short}", given.name), command))
}

/// Makes each change and takes it back: what was declared and live, the command, how it ended, and for each command that it
/// printed what that left.
pub fn table(namespace: &Namespace) -> String {
    let mut table = String::new();
    for (given, name, command) in cases() {
        let before = state(namespace, &name);
        let output = change(namespace, &name, command);
        table.push_str(&format!("{:<10}  {command}\n", given.name));
        match output.code {
            Some(0) => {}
            code => {
                let why = output.stderr.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
                assert_eq!(state(namespace, &name), before, "{name}: {output}");
                let why = why.replace(namespace.name(), "[NS]");
                table.push_str(&format!("            exit {}, {why}\n", code.expect("an exit code")));
                continue;
            }
        }
        let commands: Vec<_> = output.stderr.lines().filter_map(|line| line.strip_prefix("to undo: ")).collect();
        for undo in &commands {
            let said = undo.strip_prefix("kubectl canary-traefik ").unwrap_or(undo);
            table.push_str(&format!("            {}\n", said.replace(&name, "NAME")));
            let run = typed(namespace, undo);
            assert_eq!(run.code, Some(0), "{name}: {undo}\n{run}");
        }
        let now = state(namespace, &name);
        let declared = now[0].as_str().and_then(|text| declaration::parse(text).ok());
        let declared = declared.map_or(Value::Null, |cookie: Cookie| cookie.to_sticky());
        let outcome = if now == before {
            "as before".to_owned()
        } else if now[2] != before[2] {
            format!("declared: {}; live: {}; entry: {}", now[0], now[1], now[2])
        } else if now[0] == before[0] && now[1] == declared {
            "as declared before, which is live".to_owned()
        } else if now[0] == before[0] {
            format!("declared as before; live: {}", now[1])
        } else {
            format!("declared: {}; live: {}", now[0], now[1])
        };
        table.push_str(&format!("            {outcome}\n"));
    }
    table
}

fn change(namespace: &Namespace, name: &str, command: &str) -> Output {
    let mut words = command.split(' ');
    let verb = words.next().expect("a verb");
    let mut run = namespace.run(["sticky", verb, name, "--yes"]).arguments(words);
    if verb == "set" {
        run = run.arguments(["--name", "c", "--max-age", "300", "--secure=false"]);
    }
    let (editor, temporary) = (Editor::new(&[r#"printf 'name: c\nmaxAge: 300\n' >"$1""#]), Directory::new());
    if verb == "edit" {
        run = editor.of(run.env("TMPDIR", temporary.path()));
    }
    run.run()
}

fn typed(namespace: &Namespace, command: &str) -> Output {
    let kubectl = bed::program("kubectl").unwrap_or_else(|error| panic!("{error}"));
    Run::typed(command).env("KUBECTL", kubectl).kubeconfig(namespace.kubeconfig()).run()
}

/// The declared cookie, the live one, and the entry; null for none.
fn state(namespace: &Namespace, name: &str) -> [Value; 3] {
    let canary = namespace.get("Canary", name);
    let service = namespace.get("TraefikService", name);
    let annotation = |key: &str| canary["metadata"]["annotations"][key].clone();
    [annotation(ANNOTATION), service["spec"]["weighted"]["sticky"].clone(), annotation(ENTRY_ANNOTATION)]
}

fn sticky(text: &str) -> Value {
    let cookie: Cookie = declaration::parse(text).expect("the test's declaration is well-formed");
    cookie.to_sticky()
}

fn by(manager: &str, namespace: &Namespace, kind: &str, name: &str, patch: &Value) {
    let path = format!("{}?fieldManager={manager}", namespace.path(kind, name));
    let admin = namespace.server().admin();
    admin.ask(&Method::PATCH, &path, "application/merge-patch+json", patch.to_string()).expect("a patch by kubectl");
}
