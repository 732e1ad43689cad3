//! Completion through the real kubectl, with names from a real API server.

use std::os::unix::fs::symlink;

use serde_json::json;
use snapbox::str;
use testbed::{
    bed,
    directory::Directory,
    namespace::Namespace,
    objects::canary,
    run::{Output, Run},
    wait::until,
};

use crate::rollout::rollout;

/// What kubectl offers for the words behind the plugin's name.
fn offered(namespace: &Namespace, words: &[&str]) -> Run {
    let kubectl = bed::program("kubectl").unwrap_or_else(|error| panic!("{error}"));
    let folder = Directory::new();
    for name in ["kubectl-canary_traefik", "kubectl_complete-canary_traefik"] {
        symlink(env!("CARGO_BIN_EXE_kubectl-canary_traefik"), folder.path().join(name)).expect("a link can be made");
    }
    Run::of(kubectl, ["__complete", "canary-traefik"].into_iter().chain(words.iter().copied()))
        .keeping(folder)
        .kubeconfig(namespace.kubeconfig())
        .redact(namespace.name(), "NS")
}

/// The same for names that the server is asked for. One that does not answer within a second is left alone, as that of a
/// busy machine may be.
fn named(namespace: &Namespace, words: &[&str]) -> Output {
    until("names in time", || Some(offered(namespace, words).run()).filter(|output| output.stdout != ":4\n"))
}

#[test]
fn kubectl_completes_commands_flags_values_and_live_names() {
    let namespace = rollout("complete");
    namespace.create_value(&canary("checkout"));
    let shows = |words: &[&str]| offered(&namespace, words).run();
    shows(&[""]).shows(str![[r#"
exit: 0
--- stdout
show	Show Canaries on Traefik: weights, cookie, and what protects it
describe	Show everything about one Canary and its cookie
render	Print the TraefikService that Flagger generates for a Canary, with the declared cookie, and the entry's objects
cookie	Show the cookies that pin a browser to a track, or decode one
simulate	Simulate a rollout of a Canary, and show what people would see
lint	Find what keeps cookies from working
verify	Check over HTTP whether the cookie keeps browsers on their track
diff	Compare the declared cookie with the live one
sticky	Read and change the sticky cookie of a Canary
guard	Protect declared cookies from Flagger's writes
rbac	Print the permissions a command needs, or check your own
completion	Set up shell completion
man	Write the man pages to a directory
options	List the connection flags, which every command accepts
version	Show the versions of this program, Kubernetes, Flagger, Traefik and the guard
help	Print this message or the help of the given subcommand(s)
:4
--- stderr
[Debug] Cleared global flags for plugin completion
[Debug] About to look for: kubectl_complete-canary_traefik
[Debug] About to call: [BIN]/kubectl_complete-canary_traefik 
Completion ended with directive: ShellCompDirectiveNoFileComp

"#]]);
    shows(&["sticky", "set", "--http"]).shows(str![[r#"
exit: 0
--- stdout
--http-only	Hide the cookie from scripts; unset = false (Traefik 2.0+)
:4
--- stderr
[Debug] Cleared global flags for plugin completion
[Debug] About to look for: kubectl_complete-canary_traefik
[Debug] About to call: [BIN]/kubectl_complete-canary_traefik sticky set --http
Completion ended with directive: ShellCompDirectiveNoFileComp

"#]]);
    shows(&["sticky", "set", "--same-site", ""]).shows(str![[r#"
exit: 0
--- stdout
none
lax
strict
:4
--- stderr
[Debug] Cleared global flags for plugin completion
[Debug] About to look for: kubectl_complete-canary_traefik
[Debug] About to call: [BIN]/kubectl_complete-canary_traefik sticky set --same-site 
Completion ended with directive: ShellCompDirectiveNoFileComp

"#]]);
    named(&namespace, &["show", ""]).shows(str![[r#"
exit: 0
--- stdout
checkout
podinfo
:4
--- stderr
[Debug] Cleared global flags for plugin completion
[Debug] About to look for: kubectl_complete-canary_traefik
[Debug] About to call: [BIN]/kubectl_complete-canary_traefik show 
Completion ended with directive: ShellCompDirectiveNoFileComp

"#]]);
    named(&namespace, &["sticky", "set", "po"]).shows(str![[r#"
exit: 0
--- stdout
podinfo
:4
--- stderr
[Debug] Cleared global flags for plugin completion
[Debug] About to look for: kubectl_complete-canary_traefik
[Debug] About to call: [BIN]/kubectl_complete-canary_traefik sticky set po
Completion ended with directive: ShellCompDirectiveNoFileComp

"#]]);
    named(&namespace, &["show", "podinfo", ""]).shows(str![[r#"
exit: 0
--- stdout
checkout
:4
--- stderr
[Debug] Cleared global flags for plugin completion
[Debug] About to look for: kubectl_complete-canary_traefik
[Debug] About to call: [BIN]/kubectl_complete-canary_traefik show podinfo 
Completion ended with directive: ShellCompDirectiveNoFileComp

"#]]);
    shows(&["show", "--context", ""]).shows(str![[r#"
exit: 0
--- stdout
bed
:4
--- stderr
[Debug] Cleared global flags for plugin completion
[Debug] About to look for: kubectl_complete-canary_traefik
[Debug] About to call: [BIN]/kubectl_complete-canary_traefik show --context 
Completion ended with directive: ShellCompDirectiveNoFileComp

"#]]);
    shows(&["show", "-f", ""]).shows(str![[r#"
exit: 0
--- stdout
:0
--- stderr
[Debug] Cleared global flags for plugin completion
[Debug] About to look for: kubectl_complete-canary_traefik
[Debug] About to call: [BIN]/kubectl_complete-canary_traefik show -f 
Completion ended with directive: ShellCompDirectiveDefault

"#]]);
}

#[test]
fn kubectl_completes_namespaces_and_the_canaries_in_them() {
    let (here, there) = (Namespace::new("here"), rollout("there"));
    let namespaces = named(&here, &["show", "-n", "there-"]);
    let names: Vec<_> = namespaces.stdout.lines().collect();
    assert!(names.contains(&there.name()) && names.ends_with(&[":4"]), "{namespaces}");
    assert_eq!(offered(&here, &["show", ""]).run().stdout, ":4\n");
    assert_eq!(named(&here, &["show", "-n", there.name(), ""]).stdout, "podinfo\n:4\n");
    let joined = format!("--namespace={}", there.name());
    assert_eq!(named(&here, &[&joined, "sticky", "get", "p"]).stdout, "podinfo\n:4\n");
    assert_eq!(offered(&here, &["-n", "nowhere", "sticky", "get", "p"]).run().stdout, ":4\n");
}

#[test]
fn a_user_without_rights_is_offered_nothing_and_told_nothing() {
    let namespace = rollout("complete");
    let nobody = namespace.user_with("[]");
    let output = offered(&namespace, &["show", ""]).kubeconfig(&nobody).run();
    assert_eq!((output.code, output.stdout.as_str()), (Some(0), ":4\n"), "{output}");
    let wrong = json!({ "contexts": 7 }).to_string();
    let directory = Directory::new();
    let output = offered(&namespace, &["show", ""]).kubeconfig(directory.write("config", wrong)).run();
    assert_eq!((output.code, output.stdout.as_str()), (Some(0), ":4\n"), "{output}");
}
