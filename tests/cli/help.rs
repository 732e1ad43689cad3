//! What every command says of itself.

use std::os::unix::fs::symlink;

use snapbox::{IntoData, str};

use crate::support::{
    directory::Directory,
    run::{Output, Run, exactly},
};

fn help(line: &str) -> Output {
    Run::new(line.split(' ')).run()
}

/// What a command says around the flags that say how to connect, which are the same everywhere.
#[track_caller]
fn own(line: &str, expected: impl IntoData) {
    let (output, root) = (help(line), help("--help"));
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    let (body, examples) = match output.stdout.split_once("\nExamples:\n") {
        Some((body, examples)) => (body, format!("\nExamples:\n{examples}")),
        None => (output.stdout.as_str(), String::new()),
    };
    let (own, connection) = body.split_once("\nConnection:\n").expect("the flags of the connection");
    let (_, expected_connection) = root.stdout.split_once("\nConnection:\n").expect("the flags of the connection");
    exactly(connection, expected_connection);
    exactly(&format!("{own}{examples}"), expected);
}

#[test]
fn the_program() {
    help("--help").shows(str![[r#"
exit: 0
--- stdout
Keep the users of a Flagger canary on Traefik on one track

During a rollout Traefik draws the track of each request anew, so flows that
redirect (SSO logins) hit both versions and break. This plugin declares a sticky
cookie on the Canary and puts it on the TraefikService that Flagger generates.

With -f the commands that have it work on manifests, without a cluster. Flags
must come after canary-traefik; kubectl takes none before a plugin's name.

Usage: kubectl canary-traefik [OPTIONS] <COMMAND>

Commands:
  show        Show Canaries on Traefik: weights, cookie, and whether it is kept
  describe    Show everything about one Canary and its cookie
  render      Print the TraefikService that Flagger generates for a Canary, with
              the declared cookie
  diff        Compare the declared cookie with the live one
  sticky      Read and change the sticky cookie of a Canary
  guard       Keep declared cookies through every write of Flagger's
  rbac        Print the least Role for a command, or check that one has it
  completion  Print a shell's completion script, or install what kubectl asks
  man         Write the man pages into a folder
  version     Show the versions of this program, Kubernetes, Flagger, Traefik
              and the guard
  help        Print this message or the help of the given subcommand(s)

Options:
      --color <WHEN>
          When to colour

          Possible values:
          - auto:   On a terminal that can, unless NO_COLOR is set
          - always: Into files and pipes too
          - never:  Not at all

  -h, --help
          Print help (see a summary with '-h')

  -V, --version
          Print version

Connection:
      --kubeconfig <FILE>
          Read this kubeconfig instead of those of KUBECONFIG or ~/.kube/config

      --context <NAME>
          Use this context of the kubeconfig

      --cluster <NAME>
          Use this cluster of the kubeconfig

      --user <NAME>
          Use this user of the kubeconfig

  -n, --namespace <NAME>
          Look in this namespace

  -s, --server <URL>
          Address of the API server

      --token <TOKEN>
          Bearer token for the API server

      --as <USER>
          Act as this user or service account

      --as-group <GROUP>
          Act as a member of this group; can be repeated

      --as-uid <UID>
          Act with this user id

      --as-user-extra <KEY=VALUE>
          Act with this extra information about the user; can be repeated

      --username <NAME>
          User name for basic authentication

      --password <PASSWORD>
          Password for basic authentication

      --client-certificate <FILE>
          Client certificate for TLS

      --client-key <FILE>
          Key of the client certificate

      --certificate-authority <FILE>
          Certificate authority that signs the server's certificate

      --tls-server-name <NAME>
          Name that the server's certificate must have instead of the server's
          own

      --insecure-skip-tls-verify[=<BOOL>]
          Do not check the server's certificate; anybody can then read and
          change what is sent
          
          [possible values: true, false]

      --request-timeout <DURATION>
          Give up on an answer after this long (30s, 1m30s; 0 is never)
          [default: 60s]

      --disable-compression[=<BOOL>]
          Do not ask for compressed answers
          
          [possible values: true, false]

  -v, --v <LEVEL>
          Say what is asked of the server: 6 requests, 8 with bodies

      --warnings-as-errors[=<BOOL>]
          Fail when the server sends a warning
          
          [possible values: true, false]
--- stderr

"#]]);
    help("-h").shows(str![[r#"
exit: 0
--- stdout
Keep the users of a Flagger canary on Traefik on one track

Usage: kubectl canary-traefik [OPTIONS] <COMMAND>

Commands:
  show        Show Canaries on Traefik: weights, cookie, and whether it is kept
  describe    Show everything about one Canary and its cookie
  render      Print the TraefikService that Flagger generates for a Canary, with
              the declared cookie
  diff        Compare the declared cookie with the live one
  sticky      Read and change the sticky cookie of a Canary
  guard       Keep declared cookies through every write of Flagger's
  rbac        Print the least Role for a command, or check that one has it
  completion  Print a shell's completion script, or install what kubectl asks
  man         Write the man pages into a folder
  version     Show the versions of this program, Kubernetes, Flagger, Traefik
              and the guard
  help        Print this message or the help of the given subcommand(s)

Options:
      --color <WHEN>  When to colour [possible values: auto, always, never]
  -h, --help          Print help (see more with '--help')
  -V, --version       Print version

Connection:
      --context <NAME>    Use this context of the kubeconfig
  -n, --namespace <NAME>  Look in this namespace
--- stderr

"#]]);
    assert_eq!(help("help").to_string(), help("--help").to_string());
    help("--version").shows(str![[r#"
exit: 0
--- stdout
kubectl canary-traefik 0.1.0
--- stderr

"#]]);
}

#[test]
fn without_a_command_the_short_help_is_a_wrong_use() {
    let (nothing, short) = (Run::new([""; 0]).run(), help("-h"));
    assert_eq!((nothing.code, &nothing.stderr, nothing.stdout.as_str()), (Some(2), &short.stdout, ""));
    let nothing = help("sticky");
    let short = help("sticky -h");
    assert_eq!((nothing.code, &nothing.stderr, nothing.stdout.as_str()), (Some(2), &short.stdout, ""));
}

#[test]
fn describe() {
    own(
        "describe --help",
        str![[r#"
Show everything about one Canary and its cookie

The tracks with the cookie that pins to each (as Traefik 3.3.4 and later write
it unless safeNaming is on), the cookie declared and live, who applies the
Canary, what keeps the stanza, Flagger's next write and what that does to it,
the routes in its namespace that lead to the TraefikService, what is wrong, and
the last events. What may not be looked at is shown as unknown, with the reason.

Usage: kubectl canary-traefik describe [OPTIONS] <NAME>

Arguments:
  <NAME>
          The Canary

Options:
  -o, --output <FORMAT>
          For programs instead of people
          
          [possible values: json, yaml]

  -f, --filename <FILE>
          Read manifests instead of a cluster: a file, a folder, or - for
          standard input; can be repeated

  -R, --recursive
          With -f, go into the folders of a folder too

      --color <WHEN>
          When to colour

          Possible values:
          - auto:   On a terminal that can, unless NO_COLOR is set
          - always: Into files and pipes too
          - never:  Not at all

  -h, --help
          Print help (see a summary with '-h')

Examples:
  # What will become of the cookie in this rollout?
  kubectl canary-traefik describe checkout

  # Whatever is known from manifests, without a cluster
  kubectl canary-traefik describe checkout -f deploy/ -R

"#]],
    );
}

#[test]
fn show() {
    own(
        "show --help",
        str![[r#"
Show Canaries on Traefik: weights, cookie, and whether it is kept

WEIGHT is what Traefik works with, primary/canary; - is a track that is not
listed. COOKIE is the declared name, else the live one. STATE compares declared
and live: none, synced, missing, differs, undeclared, pending (no TraefikService
yet), malformed. KEPT says whether the stanza outlives Flagger's next write.

Usage: kubectl canary-traefik show [OPTIONS] [NAME]...

Arguments:
  [NAME]...
          Canaries; without any, all of the namespace

Options:
  -A, --all-namespaces
          Look in all namespaces

  -l, --selector <SELECTOR>
          Only Canaries with these labels (key=value, key!=value, key in (a,b),
          key, !key; with commas)

  -o, --output <FORMAT>
          How results are written
          
          [possible values: table, wide, json, yaml, name]

  -f, --filename <FILE>
          Read manifests instead of a cluster: a file, a folder, or - for
          standard input; can be repeated

  -R, --recursive
          With -f, go into the folders of a folder too

      --color <WHEN>
          When to colour

          Possible values:
          - auto:   On a terminal that can, unless NO_COLOR is set
          - always: Into files and pipes too
          - never:  Not at all

  -h, --help
          Print help (see a summary with '-h')

Examples:
  # All Canaries on Traefik in all namespaces
  kubectl canary-traefik show -A

  # What manifests declare, without a cluster
  kubectl canary-traefik show -f deploy/ -R

"#]],
    );
    help("show -h").shows(str![[r#"
exit: 0
--- stdout
Show Canaries on Traefik: weights, cookie, and whether it is kept

Usage: kubectl canary-traefik show [OPTIONS] [NAME]...

Arguments:
  [NAME]...  Canaries; without any, all of the namespace

Options:
  -A, --all-namespaces       Look in all namespaces
  -l, --selector <SELECTOR>  Only Canaries with these labels (key=value,
                             key!=value, key in (a,b), key, !key; with commas)
  -o, --output <FORMAT>      How results are written [possible values: table,
                             wide, json, yaml, name]
  -f, --filename <FILE>      Read manifests instead of a cluster: a file, a
                             folder, or - for standard input; can be repeated
  -R, --recursive            With -f, go into the folders of a folder too
      --color <WHEN>         When to colour [possible values: auto, always,
                             never]
  -h, --help                 Print help (see more with '--help')

Connection:
      --context <NAME>    Use this context of the kubeconfig
  -n, --namespace <NAME>  Look in this namespace

Examples:
  # All Canaries on Traefik in all namespaces
  kubectl canary-traefik show -A

  # What manifests declare, without a cluster
  kubectl canary-traefik show -f deploy/ -R
--- stderr

"#]]);
}

#[test]
fn render() {
    own(
        "render --help",
        str![[r#"
Print the TraefikService that Flagger generates for a Canary, with the declared
cookie

Without --weight, the canary's weight is the live one, or 0 where there is no
TraefikService yet. At 100 the primary's weight is absent, as Flagger writes it;
Traefik makes 1 of it.

Usage: kubectl canary-traefik render [OPTIONS] <NAME>

Arguments:
  <NAME>
          The Canary

Options:
      --weight <WEIGHT>
          Weight of the canary, 0 to 100

  -o, --output <FORMAT>
          How it is written
          
          [default: yaml]
          [possible values: yaml, json]

  -f, --filename <FILE>
          Read manifests instead of a cluster: a file, a folder, or - for
          standard input; can be repeated

  -R, --recursive
          With -f, go into the folders of a folder too

      --color <WHEN>
          When to colour

          Possible values:
          - auto:   On a terminal that can, unless NO_COLOR is set
          - always: Into files and pipes too
          - never:  Not at all

  -h, --help
          Print help (see a summary with '-h')

Examples:
  # What Flagger will write at the step to 20 percent
  kubectl canary-traefik render checkout --weight 20

"#]],
    );
}

#[test]
fn diff() {
    own(
        "diff --help",
        str![[r#"
Compare the declared cookie with the live one

Shows how the TraefikService would change if the declared cookie were made live.
Exit status: 0 no difference, 1 a difference, more than 1 an error.
KUBECTL_EXTERNAL_DIFF names another program to show it.

Usage: kubectl canary-traefik diff [OPTIONS] [NAME]...

Arguments:
  [NAME]...
          Canaries; without any, all of the namespace

Options:
  -A, --all-namespaces
          Look in all namespaces

  -l, --selector <SELECTOR>
          Only Canaries with these labels (key=value, key!=value, key in (a,b),
          key, !key; with commas)

  -f, --filename <FILE>
          Read manifests instead of a cluster: a file, a folder, or - for
          standard input; can be repeated

  -R, --recursive
          With -f, go into the folders of a folder too

      --color <WHEN>
          When to colour

          Possible values:
          - auto:   On a terminal that can, unless NO_COLOR is set
          - always: Into files and pipes too
          - never:  Not at all

  -h, --help
          Print help (see a summary with '-h')

Examples:
  # Has the stanza of some Canary been dropped? Exit status 1 if so
  kubectl canary-traefik diff -A

"#]],
    );
}

#[test]
fn sticky() {
    own(
        "sticky --help",
        str![[r#"
Read and change the sticky cookie of a Canary

Usage: kubectl canary-traefik sticky [OPTIONS] <COMMAND>

Commands:
  get     Show the cookie of a Canary, declared and live
  set     Change some fields of the cookie, leave the others
  edit    Edit the cookie in your editor
  remove  Take the cookie away, from the Canary and from its TraefikService
  apply   Make live what is declared
  help    Print this message or the help of the given subcommand(s)

Options:
      --color <WHEN>
          When to colour

          Possible values:
          - auto:   On a terminal that can, unless NO_COLOR is set
          - always: Into files and pipes too
          - never:  Not at all

  -h, --help
          Print help (see a summary with '-h')

"#]],
    );
}

#[test]
fn sticky_get() {
    own(
        "sticky get --help",
        str![[r#"
Show the cookie of a Canary, declared and live

Usage: kubectl canary-traefik sticky get [OPTIONS] <NAME>

Arguments:
  <NAME>
          The Canary

Options:
  -o, --output <FORMAT>
          How results are written
          
          [possible values: table, wide, json, yaml, name]

  -f, --filename <FILE>
          Read manifests instead of a cluster: a file, a folder, or - for
          standard input; can be repeated

  -R, --recursive
          With -f, go into the folders of a folder too

      --color <WHEN>
          When to colour

          Possible values:
          - auto:   On a terminal that can, unless NO_COLOR is set
          - always: Into files and pipes too
          - never:  Not at all

  -h, --help
          Print help (see a summary with '-h')

"#]],
    );
}

#[test]
fn sticky_set() {
    own(
        "sticky set --help",
        str![[r#"
Change some fields of the cookie, leave the others

The others stay as they are declared, or as they are live where nothing is
declared (with --live-only the other way round). The cookie is declared on the
Canary and made live on its TraefikService.

On a terminal and without a flag of the cookie it asks: which Canary, what for,
then field by field; Esc leaves everything as it is.

Usage: kubectl canary-traefik sticky set [OPTIONS] [CANARY]

Arguments:
  [CANARY]
          The Canary; on a terminal it is asked for when it is left out

Options:
  -f, --filename <FILE>
          Read manifests instead of a cluster: a file, a folder, or - for
          standard input; can be repeated

  -R, --recursive
          With -f, go into the folders of a folder too

      --color <WHEN>
          When to colour

          Possible values:
          - auto:   On a terminal that can, unless NO_COLOR is set
          - always: Into files and pipes too
          - never:  Not at all

  -h, --help
          Print help (see a summary with '-h')

Cookie:
      --name <NAME>
          Name of the cookie; unset = Traefik derives one, such as _8d2a5
          (Traefik 2.0+)

      --max-age <SECONDS>
          Seconds that a client stays on its track, also 5m or 1h30m; never
          renewed; unset = until the browser closes (Traefik 3.0+)

      --path <PATH>
          Path the browser sends the cookie to; unset = / (Traefik 3.3+)

      --domain <DOMAIN>
          Domain the browser sends the cookie to; unset = the host that set it
          (Traefik 3.4+)

      --secure[=<BOOL>]
          Send the cookie over HTTPS only; unset = false (Traefik 2.0+)
          
          [possible values: true, false]

      --http-only[=<BOOL>]
          Hide the cookie from scripts; unset = false (Traefik 2.0+)
          
          [possible values: true, false]

      --same-site <WHEN>
          Send the cookie on requests that come from other sites: none (always),
          lax (links) or strict (never); unset = the browser decides, mostly lax
          (Traefik 3.0+)
          
          [possible values: none, lax, strict]

      --unset <FIELD>
          Take a field away; can be repeated, or a list with commas
          
          [possible values: name, max-age, path, domain, secure, http-only,
          same-site]

Writing:
  -y, --yes
          Agree to the change without being asked

      --dry-run[=<WHERE>]
          Show what would change and stop: worked out here (client) or by the
          server
          
          [possible values: none, client, server]

      --force-conflicts
          Change the cookie even where someone else manages the stanza

      --live-only
          Change the TraefikService alone; Flagger's next write undoes it

      --declare-only
          Change the declaration on the Canary alone

  -o, --output <FORMAT>
          Print the changed objects instead of one line each
          
          [possible values: yaml, json, name]

Examples:
  # Be asked
  kubectl canary-traefik sticky set

  # Keep each login on one track for five minutes
  kubectl canary-traefik sticky set checkout --name login --max-age 5m
  --http-only

  # See what would change, and change nothing
  kubectl canary-traefik sticky set checkout --secure --same-site lax
  --dry-run=server

  # Change the declaration in a manifest, in place
  kubectl canary-traefik sticky set checkout --max-age 10m -f deploy/canary.yaml

"#]],
    );
    help("sticky set -h").shows(str![[r#"
exit: 0
--- stdout
Change some fields of the cookie, leave the others

Usage: kubectl canary-traefik sticky set [OPTIONS] [CANARY]

Arguments:
  [CANARY]  The Canary; on a terminal it is asked for when it is left out

Options:
  -f, --filename <FILE>  Read manifests instead of a cluster: a file, a folder,
                         or - for standard input; can be repeated
  -R, --recursive        With -f, go into the folders of a folder too
      --color <WHEN>     When to colour [possible values: auto, always, never]
  -h, --help             Print help (see more with '--help')

Cookie:
      --name <NAME>         Name of the cookie; unset = Traefik derives one,
                            such as _8d2a5 (Traefik 2.0+)
      --max-age <SECONDS>   Seconds that a client stays on its track, also 5m or
                            1h30m; never renewed; unset = until the browser
                            closes (Traefik 3.0+)
      --path <PATH>         Path the browser sends the cookie to; unset = /
                            (Traefik 3.3+)
      --domain <DOMAIN>     Domain the browser sends the cookie to; unset = the
                            host that set it (Traefik 3.4+)
      --secure[=<BOOL>]     Send the cookie over HTTPS only; unset = false
                            (Traefik 2.0+) [possible values: true, false]
      --http-only[=<BOOL>]  Hide the cookie from scripts; unset = false (Traefik
                            2.0+) [possible values: true, false]
      --same-site <WHEN>    Send the cookie on requests that come from other
                            sites: none (always), lax (links) or strict (never);
                            unset = the browser decides, mostly lax (Traefik
                            3.0+) [possible values: none, lax, strict]
      --unset <FIELD>       Take a field away; can be repeated, or a list with
                            commas [possible values: name, max-age, path,
                            domain, secure, http-only, same-site]

Writing:
  -y, --yes                Agree to the change without being asked
      --dry-run[=<WHERE>]  Show what would change and stop: worked out here
                           (client) or by the server [possible values: none,
                           client, server]
      --force-conflicts    Change the cookie even where someone else manages the
                           stanza
      --live-only          Change the TraefikService alone; Flagger's next write
                           undoes it
      --declare-only       Change the declaration on the Canary alone
  -o, --output <FORMAT>    Print the changed objects instead of one line each
                           [possible values: yaml, json, name]

Connection:
      --context <NAME>    Use this context of the kubeconfig
  -n, --namespace <NAME>  Look in this namespace

Examples:
  # Be asked
  kubectl canary-traefik sticky set

  # Keep each login on one track for five minutes
  kubectl canary-traefik sticky set checkout --name login --max-age 5m
  --http-only

  # See what would change, and change nothing
  kubectl canary-traefik sticky set checkout --secure --same-site lax
  --dry-run=server

  # Change the declaration in a manifest, in place
  kubectl canary-traefik sticky set checkout --max-age 10m -f deploy/canary.yaml
--- stderr

"#]]);
}

#[test]
fn sticky_edit() {
    own(
        "sticky edit --help",
        str![[r#"
Edit the cookie in your editor

The editor is KUBE_EDITOR, else EDITOR, else vi. It gets the cookie as YAML with
a comment per field. What is wrong opens again with the reason above its line;
an empty file, or one without a change, changes nothing. Others' changes made
meanwhile are kept where they are of other fields, else both values are shown.
What was typed is never lost: whatever fails says in which file it is.

Usage: kubectl canary-traefik sticky edit [OPTIONS] <NAME>

Arguments:
  <NAME>
          The Canary

Options:
  -f, --filename <FILE>
          Read manifests instead of a cluster: a file, a folder, or - for
          standard input; can be repeated

  -R, --recursive
          With -f, go into the folders of a folder too

      --color <WHEN>
          When to colour

          Possible values:
          - auto:   On a terminal that can, unless NO_COLOR is set
          - always: Into files and pipes too
          - never:  Not at all

  -h, --help
          Print help (see a summary with '-h')

Writing:
  -y, --yes
          Agree to the change without being asked

      --dry-run[=<WHERE>]
          Show what would change and stop: worked out here (client) or by the
          server
          
          [possible values: none, client, server]

      --force-conflicts
          Change the cookie even where someone else manages the stanza

      --live-only
          Change the TraefikService alone; Flagger's next write undoes it

      --declare-only
          Change the declaration on the Canary alone

  -o, --output <FORMAT>
          Print the changed objects instead of one line each
          
          [possible values: yaml, json, name]

Examples:
  # In an editor of its own window, which has to wait
  KUBE_EDITOR='code --wait' kubectl canary-traefik sticky edit checkout

  # The declaration in a manifest, in place
  kubectl canary-traefik sticky edit checkout -f deploy/canary.yaml

"#]],
    );
}

#[test]
fn sticky_remove() {
    own(
        "sticky remove --help",
        str![[r#"
Take the cookie away, from the Canary and from its TraefikService

Usage: kubectl canary-traefik sticky remove [OPTIONS] <NAME>

Arguments:
  <NAME>
          The Canary

Options:
  -f, --filename <FILE>
          Read manifests instead of a cluster: a file, a folder, or - for
          standard input; can be repeated

  -R, --recursive
          With -f, go into the folders of a folder too

      --color <WHEN>
          When to colour

          Possible values:
          - auto:   On a terminal that can, unless NO_COLOR is set
          - always: Into files and pipes too
          - never:  Not at all

  -h, --help
          Print help (see a summary with '-h')

Writing:
  -y, --yes
          Agree to the change without being asked

      --dry-run[=<WHERE>]
          Show what would change and stop: worked out here (client) or by the
          server
          
          [possible values: none, client, server]

      --force-conflicts
          Change the cookie even where someone else manages the stanza

      --live-only
          Change the TraefikService alone; Flagger's next write undoes it

      --declare-only
          Change the declaration on the Canary alone

  -o, --output <FORMAT>
          Print the changed objects instead of one line each
          
          [possible values: yaml, json, name]

"#]],
    );
}

#[test]
fn sticky_apply() {
    own(
        "sticky apply --help",
        str![[r#"
Make live what is declared

For every named or selected Canary whose declared cookie is missing or different
on its TraefikService. Nothing else is touched; what is live and not declared
stays. A second run has nothing to do.

Usage: kubectl canary-traefik sticky apply [OPTIONS] [NAME]...

Arguments:
  [NAME]...
          Canaries; without any, all of the namespace

Options:
  -A, --all-namespaces
          Look in all namespaces

  -l, --selector <SELECTOR>
          Only Canaries with these labels (key=value, key!=value, key in (a,b),
          key, !key; with commas)

      --color <WHEN>
          When to colour

          Possible values:
          - auto:   On a terminal that can, unless NO_COLOR is set
          - always: Into files and pipes too
          - never:  Not at all

  -h, --help
          Print help (see a summary with '-h')

Writing:
  -y, --yes
          Agree to the change without being asked

      --dry-run[=<WHERE>]
          Show what would change and stop: worked out here (client) or by the
          server
          
          [possible values: none, client, server]

      --force-conflicts
          Change the cookie even where someone else manages the stanza

      --live-only
          Change the TraefikService alone; Flagger's next write undoes it

      --declare-only
          Change the declaration on the Canary alone

  -o, --output <FORMAT>
          Print the changed objects instead of one line each
          
          [possible values: yaml, json, name]

Examples:
  # Bring back what Flagger dropped, in all namespaces, without being asked
  kubectl canary-traefik sticky apply -A --yes

"#]],
    );
}

#[test]
fn guard() {
    own(
        "guard --help",
        str![[r#"
Keep declared cookies through every write of Flagger's

Usage: kubectl canary-traefik guard [OPTIONS] <COMMAND>

Commands:
  install    Install the guard, or bring it up to this version
  status     Show whether the guard is there, acts, and what it covers
  uninstall  Take the guard away
  run        Be the guard, for clusters that have no admission policies
  help       Print this message or the help of the given subcommand(s)

Options:
      --color <WHEN>
          When to colour

          Possible values:
          - auto:   On a terminal that can, unless NO_COLOR is set
          - always: Into files and pipes too
          - never:  Not at all

  -h, --help
          Print help (see a summary with '-h')

"#]],
    );
}

#[test]
fn guard_run() {
    own(
        "guard run --help",
        str![[r#"
Be the guard, for clusters that have no admission policies

A mutating and validating admission webhook: an API server asks it about each
write of a TraefikService, and it puts the declared cookie back inside that
write. What was written while it did not run is repaired by one write for each
loss. A malformed declaration on a Canary is refused. With -n it guards that
namespace alone.

With --webhook-url it runs outside the cluster and registers that address with
the API server until it ends; with --service it runs inside, and several
processes share their certificates by --cert-secret. Serves /healthz, /readyz
and /metrics beside /mutate and /validate.

At /gate/drained it answers Flagger's confirm-promotion webhook: closed until
the cookies that pin people to the primary have run out. Flagger does not know
the authority here, so --gate-listen answers that path without TLS.

Usage: kubectl canary-traefik guard run [OPTIONS]

Options:
      --listen <ADDRESS>
          Listen on this address
          
          [default: 0.0.0.0:8443]

      --webhook-url <URL>
          Tell API servers to ask this address (https://HOST:PORT), until the
          end

      --service <NAMESPACE/NAME>
          Run behind this Service, and keep the authority right in the
          configuration that guard install made

      --cert-secret <NAMESPACE/NAME>
          Share certificates with other processes in this Secret, which is made
          and renewed here

      --cert-dir <DIR>
          Use tls.crt and tls.key of this folder, read again when they change,
          and for --webhook-url its ca.crt; without it, certificates are made
          and renewed here

      --cert-lifetime <DURATION>
          How long certificates made here hold (renewed at two thirds)
          
          [default: 2160h]

      --selector <SELECTOR>
          Guard only Canaries with these labels

      --namespace-selector <SELECTOR>
          Guard only namespaces with these labels

      --no-repairs
          Answer, and never write a TraefikService

      --gate-listen <ADDRESS>
          Answer Flagger's confirm-promotion webhook on this address, by http

      --log-format <FORMAT>
          How lines are logged

          Possible values:
          - text: For people
          - json: One JSON object a line

      --color <WHEN>
          When to colour

          Possible values:
          - auto:   On a terminal that can, unless NO_COLOR is set
          - always: Into files and pipes too
          - never:  Not at all

  -h, --help
          Print help (see a summary with '-h')

"#]],
    );
}

#[test]
fn guard_install() {
    own(
        "guard install --help",
        str![[r#"
Install the guard, or bring it up to this version

From Kubernetes 1.36 on: three admission policies that the API server runs by
itself, and their bindings; nothing else runs, nothing has to be operated.
Before, or with --mode webhook: two small processes that the API server asks
(see guard run), of an image of this program. In both forms a declared cookie is
re-added inside each write that drops it, and a malformed declaration is
refused.

Without selectors, an installed guard keeps the ones it has; a new one covers
everything. Where the other form is installed, it is taken away as soon as this
one acts, so that no write comes between.

Usage: kubectl canary-traefik guard install [OPTIONS]

Options:
      --mode <MODE>
          Which form: policies where they are served and else the webhook
          (auto), or one of them
          
          [possible values: auto, policy, webhook]

      --image <IMAGE>
          The image of this program that the webhook runs

      --guard-namespace <NAME>
          The namespace that the webhook runs in (a new one of its own unless
          given)

      --selector <SELECTOR>
          Cover only Canaries with these labels; '' covers all of them

      --namespace-selector <SELECTOR>
          Cover only namespaces with these labels; '' covers all of them

      --force-conflicts
          Overwrite fields of the objects that others have changed

  -o, --output <FORMAT>
          Print the objects and stop, to keep them in Git; asks no server
          
          [possible values: yaml, json, name]

      --wait <DURATION>
          How long to wait until the guard acts; 0s tries once
          
          [default: 60s]

      --color <WHEN>
          When to colour

          Possible values:
          - auto:   On a terminal that can, unless NO_COLOR is set
          - always: Into files and pipes too
          - never:  Not at all

  -h, --help
          Print help (see a summary with '-h')

Writing:
  -y, --yes
          Agree to the change without being asked

      --dry-run[=<WHERE>]
          Show what would change and stop: worked out here (client) or by the
          server
          
          [possible values: none, client, server]

Examples:
  # Keep every declared cookie of the cluster
  kubectl canary-traefik guard install

  # Only in labelled namespaces
  kubectl canary-traefik guard install --namespace-selector
  canary-traefik=guarded

  # The policies as YAML, for Git
  kubectl canary-traefik guard install -o yaml

"#]],
    );
}

#[test]
fn guard_status() {
    own(
        "guard status --help",
        str![[r#"
Show whether the guard is there, acts, and what it covers

Exit status: 0 all is well, 1 something is missing, different or malformed, more
than 1 an error.

Usage: kubectl canary-traefik guard status [OPTIONS]

Options:
  -o, --output <FORMAT>
          How it is written
          
          [possible values: table, json, yaml]

      --color <WHEN>
          When to colour

          Possible values:
          - auto:   On a terminal that can, unless NO_COLOR is set
          - always: Into files and pipes too
          - never:  Not at all

  -h, --help
          Print help (see a summary with '-h')

"#]],
    );
}

#[test]
fn guard_uninstall() {
    own(
        "guard uninstall --help",
        str![[r#"
Take the guard away

Canaries and TraefikServices stay as they are. From then on Flagger's next write
of each TraefikService drops its stanza.

Usage: kubectl canary-traefik guard uninstall [OPTIONS]

Options:
      --color <WHEN>
          When to colour

          Possible values:
          - auto:   On a terminal that can, unless NO_COLOR is set
          - always: Into files and pipes too
          - never:  Not at all

  -h, --help
          Print help (see a summary with '-h')

Writing:
  -y, --yes
          Agree to the change without being asked

      --dry-run[=<WHERE>]
          Show what would change and stop: worked out here (client) or by the
          server
          
          [possible values: none, client, server]

"#]],
    );
}

/// Every command of the parser, as typed.
fn commands() -> Vec<String> {
    fn below(command: &clap::Command, name: &str, all: &mut Vec<String>) {
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            let name = format!("{name} {}", sub.get_name());
            below(sub, &name, all);
            all.push(name.trim().to_owned());
        }
    }
    let (mut command, mut all) = (canary_traefik::cli::command(), Vec::new());
    command.build();
    below(&command, "", &mut all);
    all
}

#[test]
fn no_command_is_without_a_snapshot_here() {
    let snapshots = include_str!("help.rs");
    let own = |command: &String| snapshots.matches(&format!("\"{command} --help\",")).count() == 1;
    let without: Vec<_> = commands().into_iter().filter(|command| !own(command)).collect();
    assert_eq!(without, [""; 0]);
}

#[test]
fn no_line_of_help_is_longer_than_the_terminal() {
    for columns in [60, 80, 100] {
        for command in commands().iter().map(String::as_str).chain([""]) {
            for flag in ["-h", "--help"] {
                let words = command.split(' ').filter(|word| !word.is_empty()).chain([flag]);
                let output = Run::new(words).env("COLUMNS", columns.to_string()).run();
                let long = |line: &&str| line.chars().count() > columns && !line.starts_with("Usage: ");
                let long: Vec<_> = output.stdout.lines().filter(long).collect();
                assert_eq!(long, [""; 0], "{command} {flag} at {columns} columns");
            }
        }
    }
}

#[test]
fn a_program_of_another_name_calls_itself_by_it() {
    let folder = Directory::new();
    symlink(env!("CARGO_BIN_EXE_kubectl-canary_traefik"), folder.path().join("ct")).expect("a link can be made");
    Run::of(folder.path().join("ct"), ["shwo"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: unrecognized subcommand 'shwo'

  tip: a similar subcommand exists: 'show'

Usage: ct [OPTIONS] <COMMAND>

For more information, try '--help'.

"#]]);
    Run::new(["shwo"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: unrecognized subcommand 'shwo'

  tip: a similar subcommand exists: 'show'

Usage: kubectl canary-traefik [OPTIONS] <COMMAND>

For more information, try '--help'.

"#]]);
}

#[test]
fn a_narrow_terminal_gets_narrow_help() {
    Run::new(["sticky", "get", "-h"]).env("COLUMNS", "40").run().shows(str![[r#"
exit: 0
--- stdout
Show the cookie of a Canary, declared
and live

Usage: kubectl canary-traefik sticky get [OPTIONS] <NAME>

Arguments:
  <NAME>  The Canary

Options:
  -o, --output <FORMAT>
          How results are written
          [possible values: table, wide,
          json, yaml, name]
  -f, --filename <FILE>
          Read manifests instead of a
          cluster: a file, a folder, or
          - for standard input; can be
          repeated
  -R, --recursive
          With -f, go into the folders
          of a folder too
      --color <WHEN>
          When to colour [possible
          values: auto, always, never]
  -h, --help
          Print help (see more with
          '--help')

Connection:
      --context <NAME>
          Use this context of the
          kubeconfig
  -n, --namespace <NAME>
          Look in this namespace
--- stderr

"#]]);
}

#[test]
fn rbac() {
    own(
        "rbac --help",
        str![[r#"
Print the least Role for a command, or check that one has it

What is in a namespace is in a Role, what is in none in a ClusterRole; with -A,
and for commands that look at all namespaces in any case, everything. Without a
command, it is about all of them. A comment says what a command does without a
rule that it can do without.

Exit status of --check: 0 the command works, 1 a right is missing that it needs,
more than 1 an error.

Usage: kubectl canary-traefik rbac [OPTIONS] [COMMAND]...

Arguments:
  [COMMAND]...
          The command

Options:
      --check
          Ask the server which of the rights this user has

  -A, --all-namespaces
          For all namespaces

  -o, --output <FORMAT>
          How it is written: roles as yaml or json, the check also as a table
          
          [possible values: table, json, yaml]

      --color <WHEN>
          When to colour

          Possible values:
          - auto:   On a terminal that can, unless NO_COLOR is set
          - always: Into files and pipes too
          - never:  Not at all

  -h, --help
          Print help (see a summary with '-h')

Examples:
  # Let a group change cookies in one namespace
  kubectl canary-traefik rbac sticky set -n shop | kubectl apply -f -
  kubectl -n shop create rolebinding cookies --role
  kubectl-canary-traefik-sticky-set --group web

  # Would guard install work, as me?
  kubectl canary-traefik rbac guard install --check

"#]],
    );
}

#[test]
fn completion() {
    own(
        "completion --help",
        str![[r#"
Print a shell's completion script, or install what kubectl asks

The script completes the executable kubectl-canary_traefik itself, when it is
run by that name. kubectl completes `kubectl canary-traefik` by asking an
executable of another name on the PATH, which completion install puts there; its
own completion has to be set up too (kubectl completion --help).

Usage: kubectl canary-traefik completion [OPTIONS] <SHELL>
       kubectl canary-traefik completion <COMMAND>

Commands:
  install  Install what kubectl asks to complete kubectl canary-traefik
  help     Print this message or the help of the given subcommand(s)

Arguments:
  <SHELL>
          The shell
          
          [possible values: bash, zsh, fish, powershell, elvish]

Options:
      --color <WHEN>
          When to colour

          Possible values:
          - auto:   On a terminal that can, unless NO_COLOR is set
          - always: Into files and pipes too
          - never:  Not at all

  -h, --help
          Print help (see a summary with '-h')

Examples:
  # Complete kubectl canary-traefik, in every shell that completes kubectl
  kubectl canary-traefik completion install

  # Complete kubectl-canary_traefik in this bash
  source <(kubectl-canary_traefik completion bash)

"#]],
    );
    own(
        "completion install --help",
        str![[r#"
Install what kubectl asks to complete kubectl canary-traefik

A link named kubectl_complete-canary_traefik to this executable. It can be run
again, and has to be when the executable has moved.

Usage: kubectl canary-traefik completion install [OPTIONS]

Options:
      --dir <DIR>
          The folder, which has to be on the PATH; without it the one of the
          executable

      --color <WHEN>
          When to colour

          Possible values:
          - auto:   On a terminal that can, unless NO_COLOR is set
          - always: Into files and pipes too
          - never:  Not at all

  -h, --help
          Print help (see a summary with '-h')

"#]],
    );
}

#[test]
fn man() {
    own(
        "man --help",
        str![[r#"
Write the man pages into a folder

One page a command, in section 1: kubectl-canary-traefik-show.1. `man DIR/PAGE`
shows one; a folder man1 below one of MANPATH makes them known by name.

Usage: kubectl canary-traefik man [OPTIONS] <DIR>

Arguments:
  <DIR>
          The folder; made if it is not there

Options:
      --color <WHEN>
          When to colour

          Possible values:
          - auto:   On a terminal that can, unless NO_COLOR is set
          - always: Into files and pipes too
          - never:  Not at all

  -h, --help
          Print help (see a summary with '-h')

"#]],
    );
}

#[test]
fn version() {
    own(
        "version --help",
        str![[r#"
Show the versions of this program, Kubernetes, Flagger, Traefik and the guard

Flagger and Traefik are found by the labels of their Deployments and DaemonSets
in all namespaces; who may not list them is told that they are unknown. What is
too old for something is said below.

Usage: kubectl canary-traefik version [OPTIONS]

Options:
      --client
          This program's version alone; asks no server

  -o, --output <FORMAT>
          How it is written
          
          [possible values: table, json, yaml]

      --color <WHEN>
          When to colour

          Possible values:
          - auto:   On a terminal that can, unless NO_COLOR is set
          - always: Into files and pipes too
          - never:  Not at all

  -h, --help
          Print help (see a summary with '-h')

"#]],
    );
}
