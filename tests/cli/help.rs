//! What every command says of itself.

use std::os::unix::fs::symlink;

use snapbox::{IntoData, str};
use testbed::{
    directory::Directory,
    run::{Output, Run, exactly},
};

fn help(line: &str) -> Output {
    Run::new(line.split(' ')).run()
}

/// The help of a command, in full.
#[track_caller]
fn own(line: &str, expected: impl IntoData) {
    let output = help(line);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    exactly(&output.stdout, expected);
}

/// The flags that every command accepts, once for all of them.
#[test]
fn options() {
    Run::new(["options"]).run().shows(str![[r#"
exit: 0
--- stdout
The following flags can be passed to any command:

      --kubeconfig <FILE>
          Use this kubeconfig instead of KUBECONFIG or ~/.kube/config
      --context <NAME>
          Use this context of the kubeconfig
      --cluster <NAME>
          Use this cluster of the kubeconfig
      --user <NAME>
          Use this user of the kubeconfig
  -n, --namespace <NAME>
          Use this namespace
  -s, --server <URL>
          Address of the API server
      --token <TOKEN>
          Bearer token for the API server
      --as <USER>
          Impersonate this user or service account
      --as-group <GROUP>
          Impersonate this group; can be repeated
      --as-uid <UID>
          Impersonate this user ID
      --as-user-extra <KEY=VALUE>
          Impersonate this extra attribute of the user; can be repeated
      --username <NAME>
          User name for basic authentication
      --password <PASSWORD>
          Password for basic authentication
      --client-certificate <FILE>
          Client certificate for TLS
      --client-key <FILE>
          Private key of the client certificate
      --certificate-authority <FILE>
          Certificate authority that signs the server's certificate
      --tls-server-name <NAME>
          Name to expect in the server's certificate instead of the server's
          host name
      --insecure-skip-tls-verify[=<BOOL>]
          Do not verify the server's certificate; others can then read and
          change the traffic [possible values: true, false]
      --request-timeout <DURATION>
          How long to wait for an answer: 30s, 1m30s; 0 waits forever [default:
          60s]
      --disable-compression[=<BOOL>]
          Request uncompressed responses [possible values: true, false]
  -v, --v <LEVEL>
          Log API requests: 6 = request lines, 8 = with bodies
      --warnings-as-errors[=<BOOL>]
          Fail when the server sends a warning [possible values: true, false]
      --traefik-api <URL>
          URL of Traefik's own API, over http or https: also check the routers
          of its other providers (file, Docker, ...) for conflicts with an
          entry's paths
--- stderr

"#]]);
    let lists = |line: &str| help(line).stdout.split_whitespace().any(|word| word == "--kubeconfig");
    let listing: Vec<_> = commands().into_iter().filter(|command| lists(&format!("{command} --help"))).collect();
    assert_eq!(listing, [""; 0]);
}

#[test]
fn options_of_its_own() {
    own(
        "options --help",
        str![[r#"
List the connection flags, which every command accepts

Usage: kubectl canary-traefik options [OPTIONS]

Options:
      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

Connection flags (-n, --context, ...): kubectl canary-traefik options

"#]],
    );
}

#[test]
fn the_program() {
    help("--help").shows(str![[r#"
exit: 0
--- stdout
Keep each login on one version during a Flagger canary rollout on Traefik

During a rollout Traefik chooses a version for each request independently, so
flows that redirect (SSO logins) hit both versions and break. This plugin
declares a sticky cookie on the Canary and puts it on the TraefikService that
Flagger generates.

With -f, commands work on local manifests and never contact a cluster (except
diff --live). Flags must come after canary-traefik; kubectl takes none before a
plugin's name.

Usage: kubectl canary-traefik [OPTIONS] <COMMAND>

Commands:
  show        Show Canaries on Traefik: weights, cookie, and what protects it
  describe    Show everything about one Canary and its cookie
  render      Print the TraefikService that Flagger generates for a Canary, with
              the declared cookie, and the entry's objects
  cookie      Show the cookies that pin a browser to a track, or decode one
  simulate    Simulate a rollout of a Canary, and show what people would see
  lint        Find what keeps cookies from working
  verify      Check over HTTP whether the cookie keeps browsers on their track
  diff        Compare the declared cookie with the live one
  sticky      Read and change the sticky cookie of a Canary
  guard       Protect declared cookies from Flagger's writes
  rbac        Print the permissions a command needs, or check your own
  completion  Set up shell completion
  man         Write the man pages to a directory
  options     List the connection flags, which every command accepts
  version     Show the versions of this program, Kubernetes, Flagger, Traefik
              and the guard
  help        Print this message or the help of the given subcommand(s)

Options:
      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

  -V, --version
          Print version

Connection flags (-n, --context, ...): kubectl canary-traefik options
--- stderr

"#]]);
    help("-h").shows(str![[r#"
exit: 0
--- stdout
Keep each login on one version during a Flagger canary rollout on Traefik

Usage: kubectl canary-traefik [OPTIONS] <COMMAND>

Commands:
  show        Show Canaries on Traefik: weights, cookie, and what protects it
  describe    Show everything about one Canary and its cookie
  render      Print the TraefikService that Flagger generates for a Canary, with
              the declared cookie, and the entry's objects
  cookie      Show the cookies that pin a browser to a track, or decode one
  simulate    Simulate a rollout of a Canary, and show what people would see
  lint        Find what keeps cookies from working
  verify      Check over HTTP whether the cookie keeps browsers on their track
  diff        Compare the declared cookie with the live one
  sticky      Read and change the sticky cookie of a Canary
  guard       Protect declared cookies from Flagger's writes
  rbac        Print the permissions a command needs, or check your own
  completion  Set up shell completion
  man         Write the man pages to a directory
  options     List the connection flags, which every command accepts
  version     Show the versions of this program, Kubernetes, Flagger, Traefik
              and the guard
  help        Print this message or the help of the given subcommand(s)

Options:
      --color <WHEN>  When to use colour [possible values: auto, always, never]
  -h, --help          Print help (see more with '--help')
  -V, --version       Print version

Connection flags (-n, --context, ...): kubectl canary-traefik options
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

The two tracks and the cookie value that pins a user to each (as Traefik 3.3.4
and later write it unless safeNaming is on); the declared and the live cookie,
what protects it, and Flagger's next write; who applies the Canary; the routes
that lead to the TraefikService, and those that miss it; findings and recent
events. What you may not read is shown as unknown, with the reason.

Usage: kubectl canary-traefik describe [OPTIONS] <NAME>

Arguments:
  <NAME>
          The Canary

Options:
  -o, --output <FORMAT>
          Output format; jsonpath=TEMPLATE as in kubectl, over the fields of -o
          json
          
          [possible values: json, yaml, jsonpath=]

  -w, --watch
          Watch for changes: redraw in place on a terminal; in a pipe, print the
          whole report for each change

  -f, --filename <FILE>
          Read manifests instead of a cluster: files, directories, patterns
          ('*.yaml'), or - for standard input; repeat or separate with commas

  -R, --recursive
          With -f, also read the subdirectories of a directory

      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

Examples:
  # Will the cookie survive this rollout?
  kubectl canary-traefik describe checkout

  # Follow it
  kubectl canary-traefik describe checkout --watch

  # The same from manifests, without a cluster
  kubectl canary-traefik describe checkout -f deploy/ -R

Connection flags (-n, --context, ...): kubectl canary-traefik options

"#]],
    );
}

#[test]
fn show() {
    own(
        "show --help",
        str![[r#"
Show Canaries on Traefik: weights, cookie, and what protects it

WEIGHT: the live weights, primary/canary; - if the track is not listed. COOKIE:
the declared name, else the live one. STATE: declared compared with live: none,
synced, missing, differs, undeclared, pending (no TraefikService yet),
malformed. PROTECTED: what protects the cookie from Flagger's next write: guard,
flagger, none, or - without a cookie. What you may not read is unknown.

With --watch also STEP: steps or iterations of the analysis that the rollout has
reached. NEXT, on a terminal: the time until Flagger's next check, computed from
status.lastTransitionTime and the interval.

Usage: kubectl canary-traefik show [OPTIONS] [NAME]...

Arguments:
  [NAME]...
          Canaries; all Canaries in the namespace if none is named

Options:
  -A, --all-namespaces
          Look in all namespaces

  -l, --selector <SELECTOR>
          Only Canaries with these labels: key=value, key!=value, key in (a,b),
          key or !key, separated by commas

  -o, --output <FORMAT>
          Output format; jsonpath=TEMPLATE and custom-columns=HEADER:PATH,... as
          in kubectl, over the fields of -o json
          
          [possible values: table, wide, json, yaml, name, jsonpath=,
          custom-columns=]

      --no-headers
          Print no headings

  -w, --watch
          Watch for changes after listing: redraw in place on a terminal; in a
          pipe, print a line or document for each change

  -f, --filename <FILE>
          Read manifests instead of a cluster: files, directories, patterns
          ('*.yaml'), or - for standard input; repeat or separate with commas

  -R, --recursive
          With -f, also read the subdirectories of a directory

      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

Examples:
  # All Canaries on Traefik in all namespaces
  kubectl canary-traefik show -A

  # Follow a rollout
  kubectl canary-traefik show checkout --watch

  # What manifests declare, without a cluster
  kubectl canary-traefik show -f deploy/ -R

Connection flags (-n, --context, ...): kubectl canary-traefik options

"#]],
    );
    help("show -h").shows(str![[r#"
exit: 0
--- stdout
Show Canaries on Traefik: weights, cookie, and what protects it

Usage: kubectl canary-traefik show [OPTIONS] [NAME]...

Arguments:
  [NAME]...  Canaries; all Canaries in the namespace if none is named

Options:
  -A, --all-namespaces       Look in all namespaces
  -l, --selector <SELECTOR>  Only Canaries with these labels: key=value,
                             key!=value, key in (a,b), key or !key, separated by
                             commas
  -o, --output <FORMAT>      Output format; jsonpath=TEMPLATE and
                             custom-columns=HEADER:PATH,... as in kubectl, over
                             the fields of -o json [possible values: table,
                             wide, json, yaml, name, jsonpath=, custom-columns=]
      --no-headers           Print no headings
  -w, --watch                Watch for changes after listing: redraw in place on
                             a terminal; in a pipe, print a line or document for
                             each change
  -f, --filename <FILE>      Read manifests instead of a cluster: files,
                             directories, patterns ('*.yaml'), or - for standard
                             input; repeat or separate with commas
  -R, --recursive            With -f, also read the subdirectories of a
                             directory
      --color <WHEN>         When to use colour [possible values: auto, always,
                             never]
  -h, --help                 Print help (see more with '--help')

Examples:
  # All Canaries on Traefik in all namespaces
  kubectl canary-traefik show -A

  # Follow a rollout
  kubectl canary-traefik show checkout --watch

  # What manifests declare, without a cluster
  kubectl canary-traefik show -f deploy/ -R

Connection flags (-n, --context, ...): kubectl canary-traefik options
--- stderr

"#]]);
}

#[test]
fn render() {
    own(
        "render --help",
        str![[r#"
Print the TraefikService that Flagger generates for a Canary, with the declared
cookie, and the entry's objects

Without --weight, the canary gets its live weight, or 0 if there is no
TraefikService yet. At 100, Flagger leaves out the primary's weight, and Traefik
then uses 1. The objects of a declared entry follow: `sticky apply` makes them
live, or commit them next to the routes from which they are derived.

Usage: kubectl canary-traefik render [OPTIONS] <NAME>

Arguments:
  <NAME>
          The Canary

Options:
      --weight <WEIGHT>
          Weight of the canary, 0 to 100

      --entry
          Print the objects of the entry alone

  -o, --output <FORMAT>
          Output format
          
          [default: yaml]
          [possible values: yaml, json]

  -f, --filename <FILE>
          Read manifests instead of a cluster: files, directories, patterns
          ('*.yaml'), or - for standard input; repeat or separate with commas

  -R, --recursive
          With -f, also read the subdirectories of a directory

      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

Examples:
  # What Flagger will write at the step to 20 percent
  kubectl canary-traefik render checkout --weight 20

  # The objects of the entry, to commit them
  kubectl canary-traefik render checkout --entry -f deploy/ -R >
  deploy/checkout-entry.yaml

Connection flags (-n, --context, ...): kubectl canary-traefik options

"#]],
    );
}

#[test]
fn cookie() {
    own(
        "cookie --help",
        str![[r#"
Show the cookies that pin a browser to a track, or decode one

Lists, for each track, the cookie that each version of Traefik writes. Values do
not change between rollouts, so a tester can use one to reach the canary at any
weight, as long as the TraefikService lists it. Newer versions of Traefik accept
the values of older ones.

Usage: kubectl canary-traefik cookie [OPTIONS] <NAME>
       kubectl canary-traefik cookie <COMMAND>

Commands:
  decode  Show which track a cookie pins to
  help    Print this message or the help of the given subcommand(s)

Arguments:
  <NAME>
          The Canary

Options:
      --track <TRACK>
          Print only the cookie of this track: primary or canary

      --safe-naming
          With --track, print the cookie for a Traefik that has
          providers.kubernetesCRD.safeNaming enabled

  -o, --output <FORMAT>
          Output format
          
          [possible values: table, json, yaml]

  -f, --filename <FILE>
          Read manifests instead of a cluster: files, directories, patterns
          ('*.yaml'), or - for standard input; repeat or separate with commas

  -R, --recursive
          With -f, also read the subdirectories of a directory

      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

Examples:
  # The cookies of both tracks
  kubectl canary-traefik cookie checkout

  # See the canary's version of a page
  curl -b "$(kubectl canary-traefik cookie checkout --track canary)"
  https://shop.example.com/

  # Which track is a user on?
  kubectl canary-traefik cookie decode checkout login=0ac98df64aa42da5

Connection flags (-n, --context, ...): kubectl canary-traefik options

"#]],
    );
}

#[test]
fn cookie_decode() {
    own(
        "cookie decode --help",
        str![[r#"
Show which track a cookie pins to

Exit status: 0 the cookie pins to a track; 1 it does not, so Traefik chooses one
and sets a new cookie; more than 1 an error.

Usage: kubectl canary-traefik cookie decode [OPTIONS] <NAME> <COOKIE>

Arguments:
  <NAME>
          The Canary

  <COOKIE>
          The cookie's value, or NAME=VALUE, or a whole Cookie or Set-Cookie
          header

Options:
  -o, --output <FORMAT>
          Output format
          
          [possible values: table, json, yaml]

  -f, --filename <FILE>
          Read manifests instead of a cluster: files, directories, patterns
          ('*.yaml'), or - for standard input; repeat or separate with commas

  -R, --recursive
          With -f, also read the subdirectories of a directory

      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

Connection flags (-n, --context, ...): kubectl canary-traefik options

"#]],
    );
}

#[test]
fn verify() {
    own(
        "verify --help",
        str![[r#"
Check over HTTP whether the cookie keeps browsers on their track

Opens pages as browsers do, with GET requests only. Each browser has its own
cookies, handles them as RFC 6265bis says, and follows redirects only to hosts
of these pages. The value of the cookie shows which track answers. With a
declared entry, its paths are opened on each host, too.

Checks that every page sets the cookie, that browsers store it and send it back,
that each browser stays on its track, that nothing else sets a cookie of this
name, that the cookie lives as long as a flow, that Traefik chooses a track
again at the entry and nowhere else, and that the tracks are chosen in
proportion to their weights. PINS is how often Traefik chose the track, REQUESTS
how many requests the track answered.

Exit status: 0 no check fails, though some may be skipped; 1 a check fails; more
than 1 an error.

Usage: kubectl canary-traefik verify [OPTIONS] <NAME>

Arguments:
  <NAME>
          The Canary

Options:
      --url <URL>
          A page to open; can be repeated. Default: pages on the hosts of the
          routes to the TraefikService

      --resolve <HOST:PORT:ADDRESS>
          Connect to this address for a host and port; can be repeated

      --through-cluster[=<NAMESPACE/POD>]
          Connect to a pod of Traefik through the API server, as kubectl
          port-forward does: to this one, else the first that is ready

      --insecure
          Do not verify the certificates of the pages

      --ca-file <FILE>
          PEM file of certificate authorities to trust for the pages, instead of
          the system's

      --browsers <NUMBER>
          Number of browsers
          
          [default: 13]

      --requests <NUMBER>
          Number of pages that each browser opens [default: each page twice, at
          least 8]

      --for <DURATION>
          How long to run the browsers: seconds, or 5m, at most 1h; instead of
          --requests

      --rate <NUMBER>
          Maximum requests per second, all browsers together
          
          [default: 20]

      --flow <DURATION>
          How long a flow takes, such as a login from its first request to its
          last one: seconds, or 1m30s
          
          [default: 60s]

  -o, --output <FORMAT>
          Output format
          
          [possible values: text, json, junit]

      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

Examples:
  # Does a login stay on its track?
  kubectl canary-traefik verify checkout --url https://shop.example.com/login

  # The hosts of the routes, at the address of a load balancer that has no DNS
  record yet
  kubectl canary-traefik verify checkout --resolve
  shop.example.com:443:203.0.113.7

  # In a pipeline
  kubectl canary-traefik verify checkout --url https://shop.example.com/ -o
  junit > verify.xml

Connection flags (-n, --context, ...): kubectl canary-traefik options

"#]],
    );
}

#[test]
fn lint() {
    own(
        "lint --help",
        str![[r#"
Find what keeps cookies from working

Checks each Canary with its TraefikService, the routes that reach or bypass it,
other Canaries, and the version and arguments of Traefik where they can be seen.
`lint explain` lists the rules; docs/lint.md explains all. A note names what is
skipped because you may not read it.

Exit status: 0 no finding reaches the severity of --fail-on; 1 at least one
does; more than 1 an error.

Usage: kubectl canary-traefik lint [OPTIONS] [NAME]...
       kubectl canary-traefik lint <COMMAND>

Commands:
  explain  Explain a rule, or list all rules
  help     Print this message or the help of the given subcommand(s)

Arguments:
  [NAME]...
          Canaries; all Canaries in the namespace if none is named

Options:
  -A, --all-namespaces
          Look in all namespaces

  -l, --selector <SELECTOR>
          Only Canaries with these labels: key=value, key!=value, key in (a,b),
          key or !key, separated by commas

      --fail-on <SEVERITY>
          Exit with 1 if something of at least this severity is found
          
          [default: error]
          [possible values: error, warning, never]

      --ignore <CODE>
          Leave out these rules; repeat or separate with commas

  -o, --output <FORMAT>
          Output format
          
          [possible values: text, json, sarif, github]

  -f, --filename <FILE>
          Read manifests instead of a cluster: files, directories, patterns
          ('*.yaml'), or - for standard input; repeat or separate with commas

  -R, --recursive
          With -f, also read the subdirectories of a directory

      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

Examples:
  # Every Canary in the cluster
  kubectl canary-traefik lint -A

  # Manifests in a pull request, as GitHub annotations
  kubectl canary-traefik lint -f deploy/ -R -o github --fail-on warning

  # What is CT011?
  kubectl canary-traefik lint explain CT011

Connection flags (-n, --context, ...): kubectl canary-traefik options

"#]],
    );
    own(
        "lint explain --help",
        str![[r#"
Explain a rule, or list all rules

Usage: kubectl canary-traefik lint explain [OPTIONS] [CODE]

Arguments:
  [CODE]
          The rule's code, such as CT011

Options:
      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

Connection flags (-n, --context, ...): kubectl canary-traefik options

"#]],
    );
}

#[test]
fn simulate() {
    own(
        "simulate --help",
        str![[r#"
Simulate a rollout of a Canary, and show what people would see

For each step: the canary's share of the page views of new visitors (NEW) and of
returning users (RETURNING), and how many of the logins begun in it change
version because they are routed to the other track. The row `promotion` shows
how many of the logins under way at that time change version because the
primary's pods are replaced. The row `rollout` shows the averages, and how many
logins change version in all.

The cookie, the entry and the analysis are those of the Canary; if no cookie is
declared, the live one. Each can be replaced by a flag. The same input always
gives the same result; docs/promotion.md lists the assumptions.

Usage: kubectl canary-traefik simulate [OPTIONS] <NAME>

Arguments:
  <NAME>
          The Canary

Options:
      --max-age <DURATION>
          Max-Age of the cookie: seconds, or 5m, 1h30m; 0 lasts until the
          browser closes, -1 is no cookie

      --flow <DURATION>
          How long a login takes, from its first request to its last one:
          seconds, or 1m30s
          
          [default: 60s]

      --steps <WEIGHTS>
          The canary's weights, step by step: 10,30,100

      --interval <DURATION>
          Time between two steps: seconds, or 1m30s

      --entry[=<BOOL>]
          Simulate with an entry, or without one (--entry=false); default: as
          declared. Takes no path
          
          [possible values: true, false]

      --plot <FILE>
          Also write a plot as SVG; an existing file is replaced

  -o, --output <FORMAT>
          Output format
          
          [possible values: table, json, yaml]

  -f, --filename <FILE>
          Read manifests instead of a cluster: files, directories, patterns
          ('*.yaml'), or - for standard input; repeat or separate with commas

  -R, --recursive
          With -f, also read the subdirectories of a directory

      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

Examples:
  # What will people see with the cookie that is declared?
  kubectl canary-traefik simulate checkout

  # And with a shorter one, if logins take up to 90 seconds?
  kubectl canary-traefik simulate checkout --max-age 90s --flow 90s

  # From manifests, with a plot
  kubectl canary-traefik simulate checkout -f deploy/ -R --plot checkout.svg

Connection flags (-n, --context, ...): kubectl canary-traefik options

"#]],
    );
}

#[test]
fn diff() {
    own(
        "diff --help",
        str![[r#"
Compare the declared cookie with the live one

Shows how applying the declared cookie would change the TraefikService. With -f,
the manifests are compared with each other; with -f and --live, what they
declare is compared with the cluster, as kubectl diff -f does. Exit status: 0 no
difference, 1 a difference, more than 1 an error. KUBECTL_EXTERNAL_DIFF selects
another diff program.

Usage: kubectl canary-traefik diff [OPTIONS] [NAME]...

Arguments:
  [NAME]...
          Canaries; all Canaries in the namespace if none is named

Options:
  -A, --all-namespaces
          Look in all namespaces

  -l, --selector <SELECTOR>
          Only Canaries with these labels: key=value, key!=value, key in (a,b),
          key or !key, separated by commas

  -f, --filename <FILE>
          Read manifests instead of a cluster: files, directories, patterns
          ('*.yaml'), or - for standard input; repeat or separate with commas

  -R, --recursive
          With -f, also read the subdirectories of a directory

      --live
          With -f, compare with the cluster instead of the TraefikServices in
          the files

      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

Examples:
  # Has the cookie of any Canary been removed? Exit status 1 if so
  kubectl canary-traefik diff -A

  # What would change in the cluster if these manifests were applied
  kubectl canary-traefik diff --live -f deploy/ -R

Connection flags (-n, --context, ...): kubectl canary-traefik options

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
  set     Set fields of the sticky cookie, and the entry; the rest stays as it
          is
  edit    Edit the cookie in your editor
  remove  Remove the cookie from the Canary and its TraefikService
  apply   Make declared cookies and entries live
  help    Print this message or the help of the given subcommand(s)

Options:
      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

Connection flags (-n, --context, ...): kubectl canary-traefik options

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
          Output format; jsonpath=TEMPLATE and custom-columns=HEADER:PATH,... as
          in kubectl, over the fields of -o json
          
          [possible values: table, wide, json, yaml, name, jsonpath=,
          custom-columns=]

      --no-headers
          Print no headings

  -f, --filename <FILE>
          Read manifests instead of a cluster: files, directories, patterns
          ('*.yaml'), or - for standard input; repeat or separate with commas

  -R, --recursive
          With -f, also read the subdirectories of a directory

      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

Connection flags (-n, --context, ...): kubectl canary-traefik options

"#]],
    );
}

#[test]
fn sticky_set() {
    own(
        "sticky set --help",
        str![[r#"
Set fields of the sticky cookie, and the entry; the rest stays as it is

The cookie is declared on the Canary and applied to its TraefikService. Fields
that are not named keep their declared value, or their live value if nothing is
declared (with --live-only the other way round).

Without any cookie flag, on a terminal, it asks for the Canary, how long to pin
a user, each field and the entry. Esc cancels.

Usage: kubectl canary-traefik sticky set [OPTIONS] [CANARY]

Arguments:
  [CANARY]
          The Canary; if it is left out, you are asked for it on a terminal

Options:
  -f, --filename <FILE>
          Read manifests instead of a cluster: files, directories, patterns
          ('*.yaml'), or - for standard input; repeat or separate with commas

  -R, --recursive
          With -f, also read the subdirectories of a directory

      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

Cookie:
      --name <NAME>
          Cookie name; unset = Traefik derives one, such as _8d2a5 (Traefik
          2.0+)

      --max-age <DURATION>
          How long a user stays on one track: seconds, or 5m, 1h30m. Counted
          from the first response, not extended; unset = until the browser
          closes (Traefik 3.0+)

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

      --entry <PATH>
          Paths where logins begin, such as /login: Traefik chooses a track
          again, and removes all cookies from the request; repeat or separate
          with commas

      --unset <FIELD>
          Remove a field; repeat or separate with commas
          
          [possible values: name, max-age, path, domain, secure, http-only,
          same-site, entry]

Writing:
  -y, --yes
          Make the change without asking for confirmation

      --dry-run[=<WHERE>]
          Only show what would change

          Possible values:
          - none:   Make the change
          - client: Compute the result locally
          - server: Let the API server compute the result

      --force-conflicts
          Overwrite the cookie and the entry's objects even where another field
          manager owns them

      --live-only
          Change only the live cookie, not the declaration; lasts until
          Flagger's next write

      --declare-only
          Change only the declaration on the Canary

  -o, --output <FORMAT>
          Print the changed objects instead of a summary line for each
          
          [possible values: yaml, json, name]

Examples:
  # Interactive: choose the Canary and fill in each field
  kubectl canary-traefik sticky set

  # Keep each login on one version, from the path where it begins
  kubectl canary-traefik sticky set checkout --name login --max-age 2m --entry
  /login

  # See what would change, and change nothing
  kubectl canary-traefik sticky set checkout --secure --same-site lax
  --dry-run=server

  # Change the declaration in a manifest, in place
  kubectl canary-traefik sticky set checkout --max-age 10m -f deploy/canary.yaml

Connection flags (-n, --context, ...): kubectl canary-traefik options

"#]],
    );
    help("sticky set -h").shows(str![[r#"
exit: 0
--- stdout
Set fields of the sticky cookie, and the entry; the rest stays as it is

Usage: kubectl canary-traefik sticky set [OPTIONS] [CANARY]

Arguments:
  [CANARY]  The Canary; if it is left out, you are asked for it on a terminal

Options:
  -f, --filename <FILE>  Read manifests instead of a cluster: files,
                         directories, patterns ('*.yaml'), or - for standard
                         input; repeat or separate with commas
  -R, --recursive        With -f, also read the subdirectories of a directory
      --color <WHEN>     When to use colour [possible values: auto, always,
                         never]
  -h, --help             Print help (see more with '--help')

Cookie:
      --name <NAME>         Cookie name; unset = Traefik derives one, such as
                            _8d2a5 (Traefik 2.0+)
      --max-age <DURATION>  How long a user stays on one track: seconds, or 5m,
                            1h30m. Counted from the first response, not
                            extended; unset = until the browser closes (Traefik
                            3.0+)
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
      --entry <PATH>        Paths where logins begin, such as /login: Traefik
                            chooses a track again, and removes all cookies from
                            the request; repeat or separate with commas
      --unset <FIELD>       Remove a field; repeat or separate with commas
                            [possible values: name, max-age, path, domain,
                            secure, http-only, same-site, entry]

Writing:
  -y, --yes                Make the change without asking for confirmation
      --dry-run[=<WHERE>]  Only show what would change [possible values: none,
                           client, server]
      --force-conflicts    Overwrite the cookie and the entry's objects even
                           where another field manager owns them
      --live-only          Change only the live cookie, not the declaration;
                           lasts until Flagger's next write
      --declare-only       Change only the declaration on the Canary
  -o, --output <FORMAT>    Print the changed objects instead of a summary line
                           for each [possible values: yaml, json, name]

Examples:
  # Interactive: choose the Canary and fill in each field
  kubectl canary-traefik sticky set

  # Keep each login on one version, from the path where it begins
  kubectl canary-traefik sticky set checkout --name login --max-age 2m --entry
  /login

  # See what would change, and change nothing
  kubectl canary-traefik sticky set checkout --secure --same-site lax
  --dry-run=server

  # Change the declaration in a manifest, in place
  kubectl canary-traefik sticky set checkout --max-age 10m -f deploy/canary.yaml

Connection flags (-n, --context, ...): kubectl canary-traefik options
--- stderr

"#]]);
}

#[test]
fn sticky_edit() {
    own(
        "sticky edit --help",
        str![[r#"
Edit the cookie in your editor

The editor is KUBE_EDITOR, else EDITOR, else vi. It opens the cookie as YAML
with a comment for each field. If your input is rejected, the editor reopens
with the reason above the line. Save an empty or unchanged file to cancel. If
someone else changes another field in the meantime, both changes are kept; if it
is the same field, both values are shown. If anything fails, the path of your
saved text is printed.

Usage: kubectl canary-traefik sticky edit [OPTIONS] <NAME>

Arguments:
  <NAME>
          The Canary

Options:
  -f, --filename <FILE>
          Read manifests instead of a cluster: files, directories, patterns
          ('*.yaml'), or - for standard input; repeat or separate with commas

  -R, --recursive
          With -f, also read the subdirectories of a directory

      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

Writing:
  -y, --yes
          Make the change without asking for confirmation

      --dry-run[=<WHERE>]
          Only show what would change

          Possible values:
          - none:   Make the change
          - client: Compute the result locally
          - server: Let the API server compute the result

      --force-conflicts
          Overwrite the cookie and the entry's objects even where another field
          manager owns them

      --live-only
          Change only the live cookie, not the declaration; lasts until
          Flagger's next write

      --declare-only
          Change only the declaration on the Canary

  -o, --output <FORMAT>
          Print the changed objects instead of a summary line for each
          
          [possible values: yaml, json, name]

Examples:
  # In an editor with its own window, told to wait
  KUBE_EDITOR='code --wait' kubectl canary-traefik sticky edit checkout

  # The declaration in a manifest, in place
  kubectl canary-traefik sticky edit checkout -f deploy/canary.yaml

Connection flags (-n, --context, ...): kubectl canary-traefik options

"#]],
    );
}

#[test]
fn sticky_remove() {
    own(
        "sticky remove --help",
        str![[r#"
Remove the cookie from the Canary and its TraefikService

Usage: kubectl canary-traefik sticky remove [OPTIONS] <NAME>

Arguments:
  <NAME>
          The Canary

Options:
  -f, --filename <FILE>
          Read manifests instead of a cluster: files, directories, patterns
          ('*.yaml'), or - for standard input; repeat or separate with commas

  -R, --recursive
          With -f, also read the subdirectories of a directory

      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

Writing:
  -y, --yes
          Make the change without asking for confirmation

      --dry-run[=<WHERE>]
          Only show what would change

          Possible values:
          - none:   Make the change
          - client: Compute the result locally
          - server: Let the API server compute the result

      --force-conflicts
          Overwrite the cookie and the entry's objects even where another field
          manager owns them

      --live-only
          Change only the live cookie, not the declaration; lasts until
          Flagger's next write

      --declare-only
          Change only the declaration on the Canary

  -o, --output <FORMAT>
          Print the changed objects instead of a summary line for each
          
          [possible values: yaml, json, name]

Connection flags (-n, --context, ...): kubectl canary-traefik options

"#]],
    );
}

#[test]
fn sticky_apply() {
    own(
        "sticky apply --help",
        str![[r#"
Make declared cookies and entries live

Changes the TraefikService of each named or selected Canary if it lacks the
declared cookie or has another, and the entry's objects if they no longer fit
the routes. A live cookie without a declaration stays; objects of an entry
without one are deleted. Running it again changes nothing.

Usage: kubectl canary-traefik sticky apply [OPTIONS] [NAME]...

Arguments:
  [NAME]...
          Canaries; all Canaries in the namespace if none is named

Options:
  -A, --all-namespaces
          Look in all namespaces

  -l, --selector <SELECTOR>
          Only Canaries with these labels: key=value, key!=value, key in (a,b),
          key or !key, separated by commas

      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

Writing:
  -y, --yes
          Make the change without asking for confirmation

      --dry-run[=<WHERE>]
          Only show what would change

          Possible values:
          - none:   Make the change
          - client: Compute the result locally
          - server: Let the API server compute the result

      --force-conflicts
          Overwrite the cookie and the entry's objects even where another field
          manager owns them

  -o, --output <FORMAT>
          Print the changed objects instead of a summary line for each
          
          [possible values: yaml, json, name]

Examples:
  # Restore the cookies that Flagger removed, in all namespaces, without
  confirmation
  kubectl canary-traefik sticky apply -A --yes

Connection flags (-n, --context, ...): kubectl canary-traefik options

"#]],
    );
}

#[test]
fn guard() {
    own(
        "guard --help",
        str![[r#"
Protect declared cookies from Flagger's writes

Usage: kubectl canary-traefik guard [OPTIONS] <COMMAND>

Commands:
  install    Install the guard, or update it to this version
  status     Show whether the guard is installed and works, and what it covers
  uninstall  Remove the guard
  run        Run the guard as a webhook server, in or outside the cluster
  help       Print this message or the help of the given subcommand(s)

Options:
      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

Connection flags (-n, --context, ...): kubectl canary-traefik options

"#]],
    );
}

#[test]
fn guard_run() {
    own(
        "guard run --help",
        str![[r#"
Run the guard as a webhook server, in or outside the cluster

A mutating and validating admission webhook. On writes to TraefikServices, it
restores the declared cookie; on writes to Canaries, it rejects malformed
declarations. Cookies lost while it was down are restored with one write each.
With -n it covers only that namespace.

With --webhook-url it runs outside the cluster and registers that address with
the API server until it exits. With --service it runs inside, and replicas share
their certificates through --cert-secret. It also serves /healthz, /readyz and
/metrics.

/gate/drained answers Flagger's confirm-promotion webhook: it stays closed until
the cookies that pin users to the primary have expired. Flagger does not trust
this server's certificate, so --gate-listen serves it and /verify/sticky without
TLS.

/verify/sticky answers a rollout webhook: it opens the pages that the webhook's
metadata.url names, as the command verify does, and fails if the cookie does not
stick. It needs --traefik-url.

Usage: kubectl canary-traefik guard run [OPTIONS]

Options:
      --listen <ADDRESS>
          Listen on this address
          
          [default: 0.0.0.0:8443]

      --webhook-url <URL>
          Register this address (https://HOST:PORT) with the API server until
          the process exits

      --service <NAMESPACE/NAME>
          Run behind this Service, and maintain the CA bundle in the
          configuration that guard install created

      --cert-secret <NAMESPACE/NAME>
          Share certificates with other replicas in this Secret, which is
          created and renewed here

      --cert-dir <DIR>
          Use tls.crt and tls.key from this directory, reloaded when they
          change, and ca.crt for --webhook-url; without it, certificates are
          created and renewed here

      --cert-lifetime <DURATION>
          Validity of certificates created here; they are renewed after two
          thirds of it
          
          [default: 2160h]

      --selector <SELECTOR>
          Cover only Canaries with these labels

      --namespace-selector <SELECTOR>
          Cover only namespaces with these labels

      --no-repairs
          Only answer requests; repair nothing

      --entries
          Update the objects of declared entries when the routes to their
          TraefikServices change

      --gate-listen <ADDRESS>
          Serve Flagger's webhooks on this address over plain HTTP

      --traefik-url <URL>
          Where to reach Traefik, to verify cookies for Flagger; repeat for http
          and https

      --log-format <FORMAT>
          Log format

          Possible values:
          - text: Text
          - json: One JSON object per line

      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

Connection flags (-n, --context, ...): kubectl canary-traefik options

"#]],
    );
}

#[test]
fn guard_install() {
    own(
        "guard install --help",
        str![[r#"
Install the guard, or update it to this version

Kubernetes 1.36 and later: three admission policies and their bindings, which
the API server evaluates itself. On older clusters, or with --mode webhook: a
webhook that the API server calls (see guard run), in a Deployment with two
replicas of --image. Both forms restore the declared cookie in every write that
removes it, and reject malformed declarations.

Without selectors, an update keeps the current ones; a new guard covers
everything. If the other form is installed, it is removed once the new one
works, so that every write stays protected.

Usage: kubectl canary-traefik guard install [OPTIONS]

Options:
      --mode <MODE>
          Form of the guard

          Possible values:
          - auto:    Admission policies if the cluster serves them, else the
            webhook
          - policy:  Admission policies
          - webhook: The webhook

      --image <IMAGE>
          Image of this program, for the webhook

      --guard-namespace <NAME>
          Namespace for the webhook; by default a new one is created

      --selector <SELECTOR>
          Cover only Canaries with these labels; '' covers all of them

      --namespace-selector <SELECTOR>
          Cover only namespaces with these labels; '' covers all of them

      --entries[=<BOOL>]
          Also update the objects of declared entries when your routes change
          (webhook only); --entries=false turns this off
          
          [possible values: true, false]

      --traefik-url <URL>
          Where the webhook reaches Traefik, to verify cookies for Flagger
          (webhook only); repeat for http and https; '' turns this off

      --force-conflicts
          Overwrite fields that other field managers own

  -o, --output <FORMAT>
          Only print the objects, for example to keep them in Git; makes no API
          requests
          
          [possible values: yaml, json, name]

      --wait <DURATION>
          How long to wait until the guard works; 0s tests it once
          
          [default: 60s]

      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

Writing:
  -y, --yes
          Make the change without asking for confirmation

      --dry-run[=<WHERE>]
          Only show what would change

          Possible values:
          - none:   Make the change
          - client: Compute the result locally
          - server: Let the API server compute the result

Examples:
  # Protect every declared cookie in the cluster
  kubectl canary-traefik guard install

  # Only in labelled namespaces
  kubectl canary-traefik guard install --namespace-selector
  canary-traefik=guarded

  # Print the policies as YAML, for Git
  kubectl canary-traefik guard install -o yaml

Connection flags (-n, --context, ...): kubectl canary-traefik options

"#]],
    );
}

#[test]
fn guard_status() {
    own(
        "guard status --help",
        str![[r#"
Show whether the guard is installed and works, and what it covers

Exit status: 0 no problem, 1 something is missing, different or malformed, more
than 1 an error.

Usage: kubectl canary-traefik guard status [OPTIONS]

Options:
  -o, --output <FORMAT>
          Output format
          
          [possible values: table, json, yaml]

      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

Connection flags (-n, --context, ...): kubectl canary-traefik options

"#]],
    );
}

#[test]
fn guard_uninstall() {
    own(
        "guard uninstall --help",
        str![[r#"
Remove the guard

Canaries and TraefikServices are not changed, but Flagger's next write to each
TraefikService then removes its cookie.

Usage: kubectl canary-traefik guard uninstall [OPTIONS]

Options:
      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

Writing:
  -y, --yes
          Make the change without asking for confirmation

      --dry-run[=<WHERE>]
          Only show what would change

          Possible values:
          - none:   Make the change
          - client: Compute the result locally
          - server: Let the API server compute the result

Connection flags (-n, --context, ...): kubectl canary-traefik options

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

/// The short and the long help of a command and of those below it, with the width asserted.
fn check_width(command: &mut clap::Command, columns: usize) {
    for page in [command.render_help(), command.render_long_help()].map(|page| page.to_string()) {
        let long = |line: &&str| line.chars().count() > columns && !line.starts_with("Usage: ");
        let long: Vec<_> = page.lines().filter(long).collect();
        assert_eq!(long, [""; 0], "{} at {columns} columns", command.get_name());
    }
    command.get_subcommands_mut().for_each(|command| check_width(command, columns));
}

#[test]
fn no_line_of_help_is_longer_than_the_terminal() {
    for columns in [60, 80, 100] {
        let mut command = canary_traefik::cli::command().bin_name("kubectl canary-traefik").term_width(columns);
        command.build();
        check_width(&mut command, columns);
        let show = command.find_subcommand_mut("show").expect("a command");
        let shown = Run::new(["show", "--help"]).env("COLUMNS", columns.to_string()).run().stdout;
        assert_eq!(shown.trim_end(), show.render_long_help().to_string().trim_end());
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
          Output format;
          jsonpath=TEMPLATE and
          custom-columns=HEADER:PATH,...
          as in kubectl, over the fields
          of -o json [possible values:
          table, wide, json, yaml, name,
          jsonpath=, custom-columns=]
      --no-headers
          Print no headings
  -f, --filename <FILE>
          Read manifests instead of a
          cluster: files, directories,
          patterns ('*.yaml'), or - for
          standard input; repeat or
          separate with commas
  -R, --recursive
          With -f, also read the
          subdirectories of a directory
      --color <WHEN>
          When to use colour [possible
          values: auto, always, never]
  -h, --help
          Print help (see more with
          '--help')

Connection flags (-n, --context, ...):
kubectl canary-traefik options
--- stderr

"#]]);
}

#[test]
fn rbac() {
    own(
        "rbac --help",
        str![[r#"
Print the permissions a command needs, or check your own

Namespaced rules go into a Role, cluster-wide rules into a ClusterRole. With -A,
and for commands that always read all namespaces, everything goes into a
ClusterRole. Without a command, the rules cover all commands. Comments mark
optional rules and say what happens without them.

Exit status of --check: 0 the command works, 1 a required permission is missing,
more than 1 an error.

Usage: kubectl canary-traefik rbac [OPTIONS] [COMMAND]...

Arguments:
  [COMMAND]...
          The command

Options:
      --check
          Ask the server which of these permissions you have

      --entry
          Include what the command needs where Canaries declare entries

      --watch
          Include what show and describe need for --watch

      --through-cluster
          Include what verify needs for --through-cluster

  -A, --all-namespaces
          For all namespaces

  -o, --output <FORMAT>
          Output format; table only with --check
          
          [possible values: table, json, yaml]

      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

Examples:
  # Let a group change cookies in one namespace
  kubectl canary-traefik rbac sticky set -n shop | kubectl apply -f -
  kubectl -n shop create rolebinding cookies --role
  kubectl-canary-traefik-sticky-set --group web

  # Would guard install work, as me?
  kubectl canary-traefik rbac guard install --check

Connection flags (-n, --context, ...): kubectl canary-traefik options

"#]],
    );
}

#[test]
fn completion() {
    own(
        "completion --help",
        str![[r#"
Set up shell completion

The script completes kubectl-canary_traefik when it is run by that name. To
complete `kubectl canary-traefik`, kubectl calls another executable on the PATH,
which completion install creates; kubectl's own completion must be set up too
(kubectl completion --help).

Usage: kubectl canary-traefik completion [OPTIONS] <SHELL>
       kubectl canary-traefik completion <COMMAND>

Commands:
  install  Install the executable that kubectl calls to complete kubectl
           canary-traefik
  help     Print this message or the help of the given subcommand(s)

Arguments:
  <SHELL>
          The shell
          
          [possible values: bash, zsh, fish, powershell, elvish]

Options:
      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

Examples:
  # Complete kubectl canary-traefik, in every shell that completes kubectl
  kubectl canary-traefik completion install

  # Complete kubectl-canary_traefik in this bash
  source <(kubectl-canary_traefik completion bash)

Connection flags (-n, --context, ...): kubectl canary-traefik options

"#]],
    );
    own(
        "completion install --help",
        str![[r#"
Install the executable that kubectl calls to complete kubectl canary-traefik

Creates a symbolic link named kubectl_complete-canary_traefik to this
executable. Run it again after moving the executable.

Usage: kubectl canary-traefik completion install [OPTIONS]

Options:
      --dir <DIR>
          Directory for the link, which must be on the PATH; by default the
          directory of the executable

      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

Connection flags (-n, --context, ...): kubectl canary-traefik options

"#]],
    );
}

#[test]
fn man() {
    own(
        "man --help",
        str![[r#"
Write the man pages to a directory

Writes one page for each command, in section 1: kubectl-canary-traefik-show.1.
To read one: `man DIR/PAGE`. To find them by name, write them to a directory
man1 below a directory of MANPATH.

Usage: kubectl canary-traefik man [OPTIONS] <DIR>

Arguments:
  <DIR>
          The directory; created if it does not exist

Options:
      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

Connection flags (-n, --context, ...): kubectl canary-traefik options

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
in all namespaces; they are unknown if you may not list these. Versions that are
too old for a feature are listed below the table.

Usage: kubectl canary-traefik version [OPTIONS]

Options:
      --client
          Only this program's version; makes no API requests

  -o, --output <FORMAT>
          Output format
          
          [possible values: table, json, yaml]

      --color <WHEN>
          When to use colour

          Possible values:
          - auto:   On a terminal that supports it, unless NO_COLOR is set
          - always: Even when piped
          - never:  Do not use colour

  -h, --help
          Print help (see a summary with '-h')

Connection flags (-n, --context, ...): kubectl canary-traefik options

"#]],
    );
}
