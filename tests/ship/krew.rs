//! Real krew and real kubectl with the archives and the manifest as they would be published, from a local server.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use canary_traefik::yaml;
use snapbox::str;
use testbed::{
    bed,
    directory::Directory,
    run::{Output, Run},
};

use super::release::{PATH, VERSION, all_platforms};

/// Archives and manifest, and a server that has them at this address.
struct Published {
    out: PathBuf,
    address: String,
    /// Another run of these tests in this checkout makes the same files, and waits.
    _turn: File,
}

/// What all these tests install.
static PUBLISHED: LazyLock<Published> = LazyLock::new(|| {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("published");
    let turn = File::create(out.with_extension("lock")).expect("a file in Cargo's own folder");
    turn.lock().expect("a file can be locked");
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port can be bound");
    let address = format!("http://{}", listener.local_addr().expect("a bound socket has an address"));
    all_platforms(&out, &address);
    serve(listener, out.clone());
    Published { out, address, _turn: turn }
});

impl Published {
    fn manifest(&self) -> String {
        fs::read_to_string(self.out.join("plugins/canary-traefik.yaml")).expect("it was made")
    }

    /// A manifest of an older version of the same bytes.
    fn older(&self) -> String {
        self.manifest().replacen(&format!("version: {VERSION}\n"), "version: v0.0.9\n", 1)
    }

    /// The sum of this machine's archive.
    fn sum(&self) -> String {
        let sums = fs::read_to_string(self.out.join("sha256sums")).expect("it was made");
        let line = sums.lines().find(|line| line.ends_with(&archive())).expect("this machine's archive");
        line.split(' ').next().expect("a sum").to_owned()
    }
}

/// Someone with kubectl, krew and git who has installed nothing so far.
struct Person {
    home: Directory,
}

impl Person {
    fn new() -> Self {
        let home = Directory::new();
        fs::create_dir(home.path().join("tools")).expect("a folder");
        for (name, program) in [("kubectl", "kubectl"), ("kubectl-krew", "krew")] {
            let program = bed::program(program).unwrap_or_else(|error| panic!("{error}"));
            symlink(program, home.path().join("tools").join(name)).expect("a link");
        }
        Self { home }
    }

    fn kubectl(&self, arguments: &[&str]) -> Run {
        self.run(&self.home.path().join("tools/kubectl"), arguments)
    }

    /// A run where krew's programs are found, and nothing is asked of the Internet.
    fn run(&self, program: &Path, arguments: &[&str]) -> Run {
        let place = |name: &str| self.home.path().join(name).display().to_string();
        Run::of(program, arguments.iter().copied())
            .env("PATH", format!("{}:{}:{PATH}", place("krew/bin"), place("tools")))
            .env("KREW_ROOT", place("krew"))
            .env("KREW_NO_UPGRADE_CHECK", "1")
            .redact(&place("krew"), "[KREW]")
            .redact(&place("index"), "[INDEX]")
            .redact(&PUBLISHED.address, "[ADDRESS]")
            .redact(&archive(), "[ARCHIVE]")
            .redact(&PUBLISHED.sum(), "[SUM]")
            .redact(VERSION, "[VERSION]")
            .redact(env!("CARGO_PKG_VERSION"), "[VERSION]")
    }

    fn installed(&self) -> Vec<String> {
        let entries = fs::read_dir(self.home.path().join("krew/bin")).expect("krew has made it");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }

    /// Puts the manifest where krew looks for it in a git repository, and commits it.
    fn publish_in_index(&self, manifest: &str) {
        let file = self.home.write("index/plugins/canary-traefik.yaml", manifest);
        let index = file.ancestors().nth(2).expect("its repository").display().to_string();
        let git = |arguments: &[&str]| {
            let who = ["-c", "user.name=Tests", "-c", "user.email=tests@example.com", "-c", "init.defaultBranch=main"];
            let run = Run::of("/usr/bin/env", ["git", "-C", &index]).arguments(who);
            let _ = done(run.arguments(arguments.iter().copied()).env("PATH", PATH));
        };
        git(&["init", "--quiet"]);
        git(&["add", "plugins"]);
        git(&["commit", "--quiet", "--message", "Release"]);
    }

    fn index(&self) -> String {
        format!("file://{}", self.home.path().join("index").display())
    }
}

fn done(run: Run) -> Output {
    let output = run.run();
    assert_eq!(output.code, Some(0), "{output}");
    output
}

/// The name of this machine's archive.
fn archive() -> String {
    let system = if cfg!(target_os = "macos") { "darwin" } else { "linux" };
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    format!("kubectl-canary_traefik_{VERSION}_{system}_{architecture}.tar.gz")
}

/// Answers requests for the archives, below the path at which a release has them.
fn serve(listener: TcpListener, folder: PathBuf) {
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.expect("a connection"));
            let mut request = String::new();
            stream.read_line(&mut request).expect("a request");
            let mut line = String::new();
            while stream.read_line(&mut line).is_ok_and(|length| length > 2) {
                line.clear();
            }
            let below = format!("GET /releases/download/{VERSION}/");
            let name = request.strip_prefix(&below).and_then(|rest| rest.split(' ').next());
            let file = name.and_then(|name| fs::read(folder.join(name)).ok());
            let status = if file.is_some() { "200 OK" } else { "404 Not Found" };
            let body = file.unwrap_or_default();
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let stream = stream.get_mut();
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
}

#[test]
fn the_check_of_krew_s_index_accepts_the_manifest_and_installs_it_for_every_platform() {
    let person = Person::new();
    let check = bed::program("validate-krew-manifest").unwrap_or_else(|error| panic!("{error}"));
    let manifest = PUBLISHED.out.join("plugins/canary-traefik.yaml").display().to_string();
    let output = done(person.run(&check, &["-manifest", &manifest]));
    let last = output.stderr.lines().last().unwrap_or_default();
    assert!(last.ends_with(" all 6 spec.platforms installed fine"), "{output}");
}

#[test]
fn krew_installs_the_archive_by_the_manifest_and_kubectl_runs_it() {
    let person = Person::new();
    let manifest = PUBLISHED.out.join("plugins/canary-traefik.yaml").display().to_string();
    person.kubectl(&["krew", "install", "--manifest", &manifest]).run().shows(str![[r#"
exit: 0
--- stdout
--- stderr
WARNING: Detected stdin, but discarding it because of --manifest or args
Installing plugin: canary-traefik
Installed plugin: canary-traefik
\
 | Use this plugin:
 | 	kubectl canary-traefik
 | Documentation:
 | 	[ADDRESS]
 | Caveats:
 | \
 |  | Flagger's writes drop the cookie. To keep it through them, once a cluster:
 |  |   kubectl canary-traefik guard install
 |  | krew installs no completion. For kubectl's, in a folder of the PATH:
 |  |   kubectl canary-traefik completion install
 | /
/

"#]]);
    person.kubectl(&["canary-traefik", "version", "--client", "-o", "json"]).run().shows(str![[r#"
exit: 0
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "client": {
        "version": "[VERSION]"
    },
    "kind": "VersionReport"
}
--- stderr

"#]]);
}

#[test]
fn a_git_repository_with_the_manifest_is_an_index_that_krew_installs_upgrades_and_uninstalls_from() {
    let person = Person::new();
    person.publish_in_index(&PUBLISHED.older());
    person.kubectl(&["krew", "index", "add", "ct", &person.index()]).run().shows(str![[r#"
exit: 0
--- stdout
--- stderr
WARNING: You have added a new index from "file://[INDEX]"
The plugins in this index are not audited for security by the Krew maintainers.
Install them at your own risk.

"#]]);
    let _ = done(person.kubectl(&["krew", "install", "ct/canary-traefik"]));
    person.kubectl(&["canary-traefik", "version", "--client", "-o", "json"]).run().shows(str![[r#"
exit: 0
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "client": {
        "version": "[VERSION]"
    },
    "kind": "VersionReport"
}
--- stderr

"#]]);
    person.publish_in_index(&PUBLISHED.manifest());
    person.kubectl(&["krew", "upgrade", "canary-traefik"]).run().shows(str![[r#"
exit: 0
--- stdout
--- stderr
Updated the local copy of plugin index "ct".
  Upgrades available for installed plugins:
    * ct/canary-traefik v0.0.9 -> [VERSION]
Upgrading plugin: ct/canary-traefik
Upgraded plugin: ct/canary-traefik

"#]]);
    person.kubectl(&["canary-traefik", "version", "--client", "-o", "json"]).run().shows(str![[r#"
exit: 0
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "client": {
        "version": "[VERSION]"
    },
    "kind": "VersionReport"
}
--- stderr

"#]]);
    person.kubectl(&["krew", "info", "ct/canary-traefik"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME: canary-traefik
INDEX: ct
URI: [ADDRESS]/releases/download/[VERSION]/[ARCHIVE]
SHA256: [SUM]
VERSION: [VERSION]
HOMEPAGE: [ADDRESS]
DESCRIPTION: 
During a Flagger rollout on Traefik each request is drawn anew between the
two versions, so logins that redirect hit both and break. This plugin
declares a sticky cookie on the Canary, puts it on the TraefikService that
Flagger generates, and installs a guard that keeps it there through every
write of Flagger's.

CAVEATS:
\
 | Flagger's writes drop the cookie. To keep it through them, once a cluster:
 |   kubectl canary-traefik guard install
 | krew installs no completion. For kubectl's, in a folder of the PATH:
 |   kubectl canary-traefik completion install
/
--- stderr

"#]]);
    person.kubectl(&["krew", "uninstall", "canary-traefik"]).run().shows(str![[r#"
exit: 0
--- stdout
--- stderr
Uninstalled plugin: canary-traefik

"#]]);
    assert_eq!(person.installed(), [""; 0]);
    person.kubectl(&["canary-traefik", "version", "--client", "-o", "json"]).run().shows(str![[r#"
exit: 1
--- stdout
--- stderr
error: unknown command "canary-traefik" for "kubectl"

"#]]);
}

#[test]
fn an_archive_that_is_not_the_one_that_was_published_is_refused() {
    let person = Person::new();
    let manifest = PUBLISHED.manifest().replace(&PUBLISHED.sum(), &"0".repeat(64));
    let manifest = person.home.write("canary-traefik.yaml", manifest).display().to_string();
    let output = person.kubectl(&["krew", "install", "--manifest", &manifest]).run();
    assert_eq!((output.code, person.installed()), (Some(1), vec![]), "{output}");
}

/// krew shows the caveats once, after installing: what a person is told to type must be there.
#[test]
fn every_command_that_the_caveats_name_exists() {
    let manifest = yaml::parse(&PUBLISHED.manifest()).expect("YAML");
    let caveats = manifest["spec"]["caveats"].as_str().expect("caveats");
    let commands: Vec<_> =
        caveats.lines().filter_map(|line| line.trim().strip_prefix("kubectl canary-traefik ")).collect();
    assert!(!commands.is_empty(), "{caveats}");
    for command in commands {
        let _ = done(Run::new(command.split(' ')).arguments(["--help"]));
    }
}
