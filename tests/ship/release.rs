//! The release of this machine, compiled once for all tests of this binary, and packed as often as they like.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
    time::Duration,
};

use testbed::{bed, run::Run};

/// A folder of the programs that scripts call. The tests' own closed world has none.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// As krew and the archives name it.
pub(crate) const VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION"));

/// The commit's moment in the tests: the archives must not depend on the commit they are tested in.
const MOMENT: &str = "1700000000";

/// What `krew/build` has made for this machine.
pub(crate) struct Release {
    /// Rust's name of it.
    pub(crate) target: String,
    pub(crate) executable: PathBuf,
}

impl Release {
    /// As the scripts take it.
    pub(crate) fn argument(&self) -> String {
        format!("{}={}", self.target, self.executable.display())
    }
}

/// The release: what `CANARY_TRAEFIK_RELEASE` (`TARGET=EXECUTABLE`) names, else compiled with the first test that asks,
/// from Cargo's cache where nothing changed.
pub(crate) fn release() -> &'static Release {
    static RELEASE: LazyLock<Release> = LazyLock::new(|| {
        if let Ok(given) = std::env::var("CANARY_TRAEFIK_RELEASE") {
            let (target, executable) = given.split_once('=').expect("it is TARGET=EXECUTABLE");
            return Release { target: target.to_owned(), executable: executable.into() };
        }
        let mut build = Command::new(bed::root().join("krew/build"));
        build.args(["--no-archives", "host"]);
        // What Cargo tells a test would make it build scripts of dependencies again.
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CARGO_") && name != "CARGO_HOME") {
            build.env_remove(name);
        }
        let output = build.output().expect("bash can be started");
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{stdout}{stderr}");
        let built: Vec<_> = stdout.lines().filter(|line| line.starts_with("built ")).collect();
        let [line] = built[..] else { panic!("not one built: {stdout}") };
        let [_, _, target, executable] = line.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{line}") };
        Release { target: target.to_owned(), executable: executable.into() }
    });
    &RELEASE
}

/// A run of `krew/build` with this folder for what it makes, shown as `[OUT]`.
pub(crate) fn pack(out: &Path, arguments: &[&str]) -> Run {
    script("krew/build", out).arguments(["--out", &out.display().to_string()]).arguments(arguments.iter().copied())
}

/// How long a script may take that compresses six executables, on a machine that is busy with other tests.
const LIMIT: Duration = Duration::from_mins(10);

/// A run of a script of the repository.
pub(crate) fn script(name: &str, out: &Path) -> Run {
    Run::of(bed::root().join(name), [""; 0])
        .env("PATH", PATH)
        .env("SOURCE_DATE_EPOCH", MOMENT)
        .limit(LIMIT)
        .redact(&out.display().to_string(), "[OUT]")
        .redact(&bed::root().display().to_string(), "[ROOT]")
        .redact(VERSION, "[VERSION]")
}

/// Makes archives and manifest of this machine and, with the same executable in place of theirs, of all others, to be
/// found below this address.
pub(crate) fn all_platforms(out: &Path, repository: &str) {
    let executable = release().executable.display().to_string();
    let targets = ["unknown-linux-musl", "apple-darwin", "pc-windows-msvc"]
        .into_iter()
        .flat_map(|system| ["x86_64", "aarch64"].map(|architecture| format!("{architecture}-{system}={executable}")));
    let output = pack(out, &["--repository", repository]).arguments(targets).run();
    assert_eq!(output.code, Some(0), "{output}");
}
