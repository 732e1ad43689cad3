//! Two at once: somebody else does something between any two requests of a change. Whatever they do and whenever, the
//! result is that of one after the other, or it is told; and what nobody agreed to change stays.

use std::{
    fmt::Write as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use canary_traefik::model::declaration::ANNOTATION;
use serde_json::{Value, json};
use snapbox::str;
use testbed::{
    directory::Directory,
    editor::Editor,
    fake::Request,
    flagger,
    namespace::Namespace,
    objects,
    proxy::{Moment, Proxy},
    run::{Output, Run, exactly},
};

use crate::rollout::{by, declare, set_live, without_bookkeeping};

const AT_ONCE: usize = 3;

/// What we do: the command, and what is declared and live before it.
type Ours = (&'static [&'static str], &'static str, Option<&'static str>);
/// What we do, a row for each command that changes a cookie.
const OURS: &[Ours] = &[
    (&["set", "podinfo", "--max-age", "300"], "login; Max-Age=60", Some("login")),
    (&["remove", "podinfo"], "login; Max-Age=60", Some("login")),
    (&["apply", "podinfo"], "login; Max-Age=60", None),
    (&["edit", "podinfo"], "login; Max-Age=60", Some("login")),
];
/// What the person types in the editor; what comes back from there undecided stays so.
const ROUNDS: [&str; 2] = [r#"sed -i 's/^maxAge:.*/maxAge: 300/' "$1""#, ":"];

/// What somebody else does meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Theirs {
    FlaggersStep,
    FlaggersStepReadBefore,
    FlaggersStatus,
    SetOfAnotherField,
    SetOfTheSame,
    Remove,
    Apply,
    KubectlEditOfTheCookie,
    KubectlAnnotate,
    KubectlEditElsewhere,
    ArgoOfTheCookie,
    DeletionOfTheTraefikService,
}

const THEIRS: [(Theirs, &str); 12] = [
    (Theirs::FlaggersStep, "Flagger's step"),
    (Theirs::FlaggersStepReadBefore, "Flagger's step, read before"),
    (Theirs::FlaggersStatus, "Flagger's status"),
    (Theirs::SetOfAnotherField, "sticky set --http-only"),
    (Theirs::SetOfTheSame, "sticky set --max-age 300"),
    (Theirs::Remove, "sticky remove"),
    (Theirs::Apply, "sticky apply"),
    (Theirs::KubectlEditOfTheCookie, "kubectl edit of the cookie"),
    (Theirs::KubectlAnnotate, "kubectl annotate"),
    (Theirs::KubectlEditElsewhere, "kubectl edit elsewhere"),
    (Theirs::ArgoOfTheCookie, "Argo CD's apply of the cookie"),
    (Theirs::DeletionOfTheTraefikService, "deletion of the TraefikService"),
];

/// The requests of a change, in their order.
const POINTS: [&str; 7] = [
    "read",
    "read the other",
    "try",
    "try the other",
    "write the declaration",
    "write the cookie",
    "ask for the guard",
];
/// Asked side by side with the one before: which of the two the server takes first is left to chance.
const BY_CHANCE: [&str; 3] = ["read the other", "try the other", "ask for the guard"];

/// Which point a request is, after these.
fn point(request: &Request, so_far: &[&str]) -> Option<&'static str> {
    let second = |first: &'static str, second: &'static str| if so_far.contains(&first) { second } else { first };
    let of_canary = request.path.contains("/canaries/");
    Some(match request.method.as_str() {
        _ if request.path.contains("admissionregistration") => "ask for the guard",
        "GET" if of_canary || request.path.contains("/traefikservices/") => second("read", "read the other"),
        "PATCH" if request.query.contains("dryRun=All") => second("try", "try the other"),
        "PATCH" if of_canary => "write the declaration",
        "PATCH" => "write the cookie",
        _ => return None,
    })
}

struct Case {
    namespace: Namespace<'static>,
    step: Mutex<Option<flagger::Step>>,
}

impl Case {
    fn new((_, declared, live): &Ours) -> Self {
        let namespace = Namespace::new("two");
        namespace.create_rollout("podinfo", 90, 10);
        declare(&namespace, "podinfo", declared);
        if let Some(name) = live {
            set_live(&namespace, "podinfo", &json!({ "name": name, "maxAge": 60 }));
        }
        let step = Mutex::new(Some(flagger::reads(&namespace, "podinfo")));
        Self { namespace, step }
    }

    fn theirs(&self, theirs: Theirs) {
        let namespace = &self.namespace;
        let sticky = |arguments: &[&str]| {
            drop(namespace.run(["sticky"]).arguments(arguments).arguments(["podinfo", "--yes"]).run());
        };
        match theirs {
            Theirs::FlaggersStep => while flagger::writes(namespace, "podinfo", 60, 40).is_err() {},
            Theirs::FlaggersStepReadBefore => {
                // What has changed since makes it fail; Flagger comes again at its next tick.
                let step = self.step.lock().expect("nothing panics while it is held").take();
                let _ = step.expect("it is theirs once").writes(60, 40);
            }
            Theirs::FlaggersStatus => {
                namespace.patch_status("Canary", "podinfo", &objects::status("Progressing", 40));
            }
            Theirs::SetOfAnotherField => sticky(&["set", "--http-only"]),
            Theirs::SetOfTheSame => sticky(&["set", "--max-age", "300"]),
            Theirs::Remove => sticky(&["remove"]),
            Theirs::Apply => sticky(&["apply"]),
            Theirs::KubectlEditOfTheCookie => {
                let cookie = json!({ "spec": { "weighted": { "sticky": { "cookie": { "secure": true } } } } });
                by("kubectl-edit", namespace, "TraefikService", "podinfo", &cookie);
            }
            Theirs::KubectlAnnotate => declare(namespace, "podinfo", "other; Max-Age=60; Secure"),
            Theirs::KubectlEditElsewhere => {
                let edit = json!({
                    "metadata": { "annotations": { "team": "sso" } },
                    "spec": { "analysis": { "interval": "7s" } },
                });
                by("kubectl-edit", namespace, "Canary", "podinfo", &edit);
            }
            Theirs::ArgoOfTheCookie => {
                let path = namespace.path("TraefikService", "podinfo") + "?fieldManager=argocd-controller&force=true";
                let object = json!({
                    "apiVersion": "traefik.io/v1alpha1",
                    "kind": "TraefikService",
                    "metadata": { "name": "podinfo" },
                    "spec": { "weighted": { "sticky": { "cookie": { "path": "/argo" } } } },
                });
                let admin = namespace.server().admin();
                let content = "application/apply-patch+yaml";
                admin.ask(&http::Method::PATCH, &path, content, object.to_string()).expect("server-side apply");
            }
            Theirs::DeletionOfTheTraefikService => {
                if namespace.find("TraefikService", "podinfo").is_some() {
                    namespace.delete("TraefikService", "podinfo");
                }
            }
        }
    }

    fn ours(&self, ours: &Ours) -> Output {
        change(ours, self.namespace.kubeconfig())
    }

    /// What is there: declared, live, and everything else of both objects.
    fn state(&self) -> State {
        let mut canary = without_bookkeeping(self.namespace.get("Canary", "podinfo"));
        let mut service = self.namespace.find("TraefikService", "podinfo").map(without_bookkeeping);
        let metadata = canary["metadata"].as_object_mut().expect("an object has metadata");
        let annotations = metadata.get_mut("annotations").and_then(Value::as_object_mut);
        let declared = annotations.and_then(|all| all.remove(ANNOTATION)).unwrap_or_default();
        if metadata.get("annotations") == Some(&json!({})) {
            metadata.remove("annotations");
        }
        let weighted = service.as_mut().and_then(|service| service["spec"]["weighted"].as_object_mut());
        let live = weighted.and_then(|weighted| weighted.remove("sticky")).unwrap_or_default();
        let mut rest = json!([canary, service]);
        for object in rest.as_array_mut().expect("two objects") {
            if let Some(metadata) = object["metadata"].as_object_mut() {
                for key in ["uid", "creationTimestamp", "ownerReferences"] {
                    metadata.remove(key);
                }
            }
        }
        State { declared, live, rest: rest.to_string().replace(self.namespace.name(), "NS") }
    }
}

/// Our change, by this kubeconfig.
fn change((command, ..): &Ours, kubeconfig: impl AsRef<std::path::Path>) -> Output {
    let (editor, temporary) = (Editor::new(&ROUNDS), Directory::new());
    let run = Run::new(["sticky"]).arguments(*command).arguments(["--yes"]).env("TMPDIR", temporary.path());
    editor.of(run).kubeconfig(kubeconfig).run()
}

#[derive(PartialEq)]
struct State {
    declared: Value,
    live: Value,
    rest: String,
}

/// What comes of it when one comes after the other.
struct InTurn {
    theirs_alone: State,
    theirs_then_ours: (Option<i32>, State),
    ours_then_theirs: State,
}

impl InTurn {
    fn new(ours: &Ours, theirs: Theirs) -> Self {
        let case = Case::new(ours);
        case.theirs(theirs);
        let theirs_alone = case.state();
        let output = case.ours(ours);
        let theirs_then_ours = (output.code, case.state());
        let case = Case::new(ours);
        let output = case.ours(ours);
        assert_eq!(output.code, Some(0), "{output}");
        case.theirs(theirs);
        Self { theirs_alone, theirs_then_ours, ours_then_theirs: case.state() }
    }

    /// The outcome in words. Panics when something is lost.
    fn judge(&self, output: &Output, state: &State, what: &str) -> String {
        let lost = "what nobody agreed to change is as they left it";
        let rest = [&self.theirs_alone.rest, &self.ours_then_theirs.rest];
        assert!(rest.contains(&&state.rest), "{lost}: {what}\n{output}\n{}", state.rest);
        let told = output.code != Some(0) && output.stderr.contains("error: ");
        let first = *state == self.theirs_then_ours.1 && output.code == self.theirs_then_ours.0;
        let last = *state == self.ours_then_theirs && output.code == Some(0);
        let anew =
            if output.stderr.contains("changed in the meantime; your change is now") { ", shown anew" } else { "" };
        match (first, last) {
            (true, true) => format!("the same either way{anew}"),
            (true, false) => format!("theirs, then ours{anew}"),
            (false, true) => format!("ours, then theirs{anew}"),
            (false, false) => {
                assert!(told, "neither one after the other nor told: {what}\n{output}");
                let shown = output.to_string();
                let error = shown.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
                let (declared, live) = (&state.declared, &state.live["cookie"]);
                let code = output.code.map_or_else(String::new, |code| code.to_string());
                format!("exit {code}{anew}, {error}; declared {declared}, live {live}")
            }
        }
    }
}

/// Every point of this pair, in words.
fn pair(ours: &Ours, theirs: Theirs, name: &str) -> String {
    let in_turn = InTurn::new(ours, theirs);
    let mut said = format!("sticky {} | {name}\n", ours.0.join(" ").replace(" podinfo", ""));
    let mut last = (String::new(), Vec::new());
    let mut tell = |outcome: String, point: &'static str| {
        if last.0 != outcome {
            if !last.1.is_empty() {
                writeln!(said, "  {}: {}", last.1.join(", "), last.0).expect("a text can be written to");
            }
            last = (outcome, Vec::new());
        }
        last.1.push(point);
    };
    for at in POINTS {
        let case = Arc::new(Case::new(ours));
        let (stop, passed) = (Arc::clone(&case), Arc::new(Mutex::new(Vec::new())));
        let has_passed = Arc::clone(&passed);
        let proxy = Proxy::start(case.namespace.server().admin(), move |request, moment| {
            let mut passed = passed.lock().expect("nothing panics while it is held");
            if let Some(here) = point(request, &passed).filter(|_| moment == Moment::Before) {
                if here == at && !passed.contains(&at) {
                    stop.theirs(theirs);
                }
                passed.push(here);
            }
            true
        });
        let output = change(ours, proxy.kubeconfig(case.namespace.name()));
        if !has_passed.lock().expect("nothing panics while it is held").contains(&at) {
            continue;
        }
        let outcome = in_turn.judge(&output, &case.state(), &format!("{name} before we {at}"));
        if !BY_CHANCE.contains(&at) {
            tell(outcome, at);
        }
    }
    tell(String::new(), "");
    said
}

#[test]
fn one_after_the_other_or_told_and_nothing_else_is_changed() {
    let all: Vec<_> =
        OURS.iter().flat_map(|ours| THEIRS.iter().map(move |(theirs, name)| (ours, *theirs, *name))).collect();
    let next = AtomicUsize::new(0);
    let said = Mutex::new(vec![String::new(); all.len()]);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some((ours, theirs, name)) = all.get(number) else { return };
                    let text = pair(ours, *theirs, name);
                    said.lock().expect("no other pair has panicked")[number] = text;
                }
            });
        }
    });
    let said = said.into_inner().expect("no pair has panicked").concat();
    exactly(
        &said,
        str![[r#"
sticky set --max-age 300 | Flagger's step
  read, try, write the declaration, write the cookie: theirs, then ours
sticky set --max-age 300 | Flagger's step, read before
  read, try, write the declaration, write the cookie: theirs, then ours
sticky set --max-age 300 | Flagger's status
  read, try, write the declaration, write the cookie: the same either way
sticky set --max-age 300 | sticky set --http-only
  read, try: the same either way
  write the declaration: the same either way, shown anew
  write the cookie: the same either way
sticky set --max-age 300 | sticky set --max-age 300
  read, try, write the declaration, write the cookie: the same either way
sticky set --max-age 300 | sticky remove
  read, try: theirs, then ours
  write the declaration, write the cookie: theirs, then ours, shown anew
sticky set --max-age 300 | sticky apply
  read, try, write the declaration, write the cookie: the same either way
sticky set --max-age 300 | kubectl edit of the cookie
  read, try: theirs, then ours
  write the declaration, write the cookie: theirs, then ours, shown anew
sticky set --max-age 300 | kubectl annotate
  read, try: theirs, then ours
  write the declaration: theirs, then ours, shown anew
  write the cookie: ours, then theirs
sticky set --max-age 300 | kubectl edit elsewhere
  read, try, write the declaration, write the cookie: the same either way
sticky set --max-age 300 | Argo CD's apply of the cookie
  read, try: theirs, then ours
  write the declaration, write the cookie: exit 5, error: the cookie was set by `argocd-controller` [A] ago; declared "login; Max-Age=300", live {"maxAge":60,"name":"login","path":"/argo"}
sticky set --max-age 300 | deletion of the TraefikService
  read, try, write the declaration, write the cookie: the same either way
sticky remove | Flagger's step
  read, try, write the declaration, write the cookie: the same either way
sticky remove | Flagger's step, read before
  read, try, write the declaration, write the cookie: theirs, then ours
sticky remove | Flagger's status
  read, try, write the declaration, write the cookie: the same either way
sticky remove | sticky set --http-only
  read, try: theirs, then ours
  write the declaration, write the cookie: theirs, then ours, shown anew
sticky remove | sticky set --max-age 300
  read, try: theirs, then ours
  write the declaration, write the cookie: theirs, then ours, shown anew
sticky remove | sticky remove
  read, try, write the declaration, write the cookie: the same either way
sticky remove | sticky apply
  read, try, write the declaration, write the cookie: the same either way
sticky remove | kubectl edit of the cookie
  read, try: theirs, then ours
  write the declaration, write the cookie: theirs, then ours, shown anew
sticky remove | kubectl annotate
  read, try: theirs, then ours
  write the declaration: theirs, then ours, shown anew
  write the cookie: ours, then theirs
sticky remove | kubectl edit elsewhere
  read, try, write the declaration, write the cookie: the same either way
sticky remove | Argo CD's apply of the cookie
  read, try: theirs, then ours
  write the declaration, write the cookie: exit 5, error: the cookie was set by `argocd-controller` [A] ago; declared null, live {"maxAge":60,"name":"login","path":"/argo"}
sticky remove | deletion of the TraefikService
  read, try, write the declaration, write the cookie: the same either way
sticky apply | Flagger's step
  read, try, write the cookie: theirs, then ours
sticky apply | Flagger's step, read before
  read, try, write the cookie: theirs, then ours
sticky apply | Flagger's status
  read, try, write the cookie: the same either way
sticky apply | sticky set --http-only
  read, try, write the cookie: the same either way
sticky apply | sticky set --max-age 300
  read, try, write the cookie: the same either way
sticky apply | sticky remove
  read: the same either way
  try, write the cookie: exit 5, error: the declaration was removed in the meantime; declared null, live {"maxAge":60,"name":"login"}
sticky apply | sticky apply
  read, try, write the cookie: the same either way
sticky apply | kubectl edit of the cookie
  read, try: theirs, then ours
  write the cookie: theirs, then ours, shown anew
sticky apply | kubectl annotate
  read: theirs, then ours
  try, write the cookie: theirs, then ours, shown anew
sticky apply | kubectl edit elsewhere
  read, try, write the cookie: the same either way
sticky apply | Argo CD's apply of the cookie
  read, try, write the cookie: theirs, then ours
sticky apply | deletion of the TraefikService
  read: the same either way
  try, write the cookie: exit 4, error: the live cookie cannot be changed: Flagger has not created TraefikService `podinfo` yet; declared "login; Max-Age=60", live null
sticky edit | Flagger's step
  read, try, write the declaration, write the cookie: theirs, then ours
sticky edit | Flagger's step, read before
  read, try, write the declaration, write the cookie: theirs, then ours
sticky edit | Flagger's status
  read, try, write the declaration, write the cookie: the same either way
sticky edit | sticky set --http-only
  read, try: the same either way
  write the declaration: the same either way, shown anew
  write the cookie: the same either way
sticky edit | sticky set --max-age 300
  read, try, write the declaration, write the cookie: the same either way
sticky edit | sticky remove
  read: the same either way
  try, write the declaration, write the cookie: exit 5, error: the cookie was removed by someone else in the meantime; declared null, live null
sticky edit | sticky apply
  read, try, write the declaration, write the cookie: the same either way
sticky edit | kubectl edit of the cookie
  read, try: theirs, then ours
  write the declaration, write the cookie: theirs, then ours, shown anew
sticky edit | kubectl annotate
  read, try: theirs, then ours
  write the declaration: theirs, then ours, shown anew
  write the cookie: ours, then theirs
sticky edit | kubectl edit elsewhere
  read, try, write the declaration, write the cookie: the same either way
sticky edit | Argo CD's apply of the cookie
  read, try: theirs, then ours
  write the declaration, write the cookie: exit 5, error: the cookie was set by `argocd-controller` [A] ago; declared "login; Max-Age=300", live {"maxAge":60,"name":"login","path":"/argo"}
sticky edit | deletion of the TraefikService
  read, try, write the declaration, write the cookie: the same either way

"#]],
    );
}
