//! The image: taken apart by its digests, and run as a cluster would run it.

use std::{fs, path::Path, process::Command};

use serde_json::Value;
use snapbox::str;
use testbed::{
    directory::Directory,
    run::{Run, exactly},
};

use super::release::{PATH, release, script};

/// Larger ones take long to pull on a node that a rollout waits for.
const MOST_BYTES: u64 = 10_000_000;

/// What a runtime does before the program begins: what is to be mounted is mounted, the root is made read-only, and
/// the user is one without rights, who cannot gain any. All in a mount namespace of its own.
const CONTAIN: &str = r#"
set -e
root=$1 user=$2; shift 2
mount --make-rprivate /
mount --bind "$root" "$root"
while [ "$1" != -- ]; do mount --bind -o ro "$1" "$root/$2"; shift 2; done
shift
mount -o remount,bind,ro "$root"
exec setpriv --no-new-privs chroot --userspec="$user" "$root" "$@"
"#;

/// An image, unpacked.
pub(crate) struct Image {
    folder: Directory,
    config: Value,
}

impl Image {
    /// The image of this machine's release, made by `image/build` and unpacked by following the digests from the index.
    pub(crate) fn unpacked() -> Self {
        let folder = Directory::new();
        let output = build(&folder, &folder.path().join("image.tar"), release().argument()).run();
        assert_eq!(output.code, Some(0), "{output}");
        let unpack = ["-c", "mkdir image && tar -xf image.tar -C image"];
        let output = Run::of("/bin/sh", unpack).env("PATH", PATH).dir(folder.path()).run();
        assert_eq!(output.code, Some(0), "{output}");
        let blob = |descriptor: &Value| {
            let digest = descriptor["digest"].as_str().expect("a digest").strip_prefix("sha256:").expect("SHA-256");
            let path = folder.path().join("image/blobs/sha256").join(digest);
            let bytes = fs::read(&path).expect("a blob bears its digest");
            assert_eq!(Value::from(bytes.len()), descriptor["size"]);
            let sum = Command::new("sha256sum").arg(&path).output().expect("sha256sum is on the PATH");
            assert_eq!(String::from_utf8_lossy(&sum.stdout).split(' ').next(), Some(digest));
            path
        };
        let json = |path: &Path| -> Value {
            serde_json::from_str(&fs::read_to_string(path).expect("a file")).expect("a JSON document")
        };
        let top = json(&folder.path().join("image/index.json"));
        let index = json(&blob(&top["manifests"][0]));
        let manifest = json(&blob(&index["manifests"][0]));
        assert_eq!(manifest["layers"].as_array().map(Vec::len), Some(1), "{manifest}");
        let layer = blob(&manifest["layers"][0]);
        let config = json(&blob(&manifest["config"]));
        let unpack = r#"set -e; mkdir root; gzip -dc "$0" | tee layer.tar | tar -xC root; sha256sum <layer.tar"#;
        let run = Run::of("/bin/sh", ["-c", unpack, &layer.display().to_string()]).env("PATH", PATH);
        let output = run.dir(folder.path()).run();
        let sum = format!("sha256:{}", output.stdout.split(' ').next().unwrap_or_default());
        assert_eq!(config["rootfs"]["diff_ids"], serde_json::json!([sum]), "{output}");
        Self { folder, config }
    }

    /// A run of what the image says, with these files and folders mounted at these places.
    pub(crate) fn run(&self, mounts: &[(&Path, &str)], arguments: &[&str]) -> Run {
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let root = self.folder.path().join("root");
        let mut all = vec![root.display().to_string(), text(&self.config["config"]["User"])];
        for (from, to) in mounts {
            let place = root.join(to);
            if from.is_dir() {
                fs::create_dir_all(&place).expect("a place to mount at");
            } else {
                fs::create_dir_all(place.parent().expect("a folder")).expect("a place to mount at");
                fs::write(&place, "").expect("a place to mount at");
            }
            all.extend([from.display().to_string(), (*to).to_owned()]);
        }
        all.push("--".to_owned());
        all.extend(self.config["config"]["Entrypoint"].as_array().expect("words").iter().map(text));
        all.extend(arguments.iter().map(|&argument| argument.to_owned()));
        Run::of("/usr/bin/unshare", ["--mount", "/bin/sh", "-c", CONTAIN, "contain"]).arguments(all).env("PATH", PATH)
    }
}

fn build(folder: &Directory, out: &Path, executable: String) -> Run {
    let run = script("image/build", folder.path()).arguments(["--out", &out.display().to_string()]);
    run.arguments(["--repository", "https://example.com/canary-traefik"]).arguments([executable])
}

#[test]
fn it_is_small_and_says_what_it_is_and_as_whom_it_runs() {
    let image = Image::unpacked();
    let bytes = fs::metadata(image.folder.path().join("image.tar")).expect("it was made").len();
    assert!(bytes <= MOST_BYTES, "{bytes} bytes, of {MOST_BYTES}");
    let mut config = image.config.clone();
    config["rootfs"] = Value::Null;
    config["architecture"] = Value::Null;
    let labels = &mut config["config"]["Labels"];
    for label in ["version", "revision"] {
        let label = &mut labels[format!("org.opencontainers.image.{label}")];
        assert!(label.as_str().is_some_and(|text| !text.is_empty()), "{label}");
        *label = Value::Null;
    }
    exactly(
        &format!("{config:#}\n"),
        str![[r#"
{
  "architecture": null,
  "config": {
    "Entrypoint": [
      "/kubectl-canary_traefik"
    ],
    "ExposedPorts": {
      "8443/tcp": {}
    },
    "Labels": {
      "org.opencontainers.image.description": "The guard of sticky cookies on Flagger's TraefikServices, as a process",
      "org.opencontainers.image.licenses": "Apache-2.0",
      "org.opencontainers.image.revision": null,
      "org.opencontainers.image.source": "https://example.com/canary-traefik",
      "org.opencontainers.image.title": "kubectl-canary-traefik",
      "org.opencontainers.image.version": null
    },
    "User": "65532:65532",
    "WorkingDir": "/"
  },
  "created": "2023-11-14T22:13:20Z",
  "history": [
    {
      "created": "2023-11-14T22:13:20Z",
      "created_by": "image/build"
    }
  ],
  "os": "linux",
  "rootfs": null
}

"#]],
    );
}

#[test]
fn the_same_executable_gives_the_same_image() {
    let folder = Directory::new();
    let made = |name: &str| {
        let path = folder.path().join(name);
        let output = build(&folder, &path, release().argument()).env("TZ", "Asia/Tokyo").run();
        assert_eq!(output.code, Some(0), "{output}");
        fs::read(path).expect("it was made")
    };
    assert!(made("one.tar") == made("two.tar"));
}

#[test]
fn there_is_nothing_in_it_but_the_executable_and_that_runs_alone_as_nobody() {
    let image = Image::unpacked();
    let names = fs::read_dir(image.folder.path().join("root")).expect("a root");
    let names: Vec<_> = names.map(|entry| entry.expect("an entry").file_name()).collect();
    assert_eq!(names, ["kubectl-canary_traefik"]);
    let run = image.run(&[], &["--version"]);
    run.redact(env!("CARGO_PKG_VERSION"), "[VERSION]").run().shows(str![[r#"
exit: 0
--- stdout
kubectl canary-traefik [VERSION]
--- stderr

"#]]);
}

#[test]
fn an_executable_that_needs_more_than_itself_is_refused() {
    let folder = Directory::new();
    let dynamic = format!("x86_64-unknown-linux-gnu={}", env!("CARGO_BIN_EXE_kubectl-canary_traefik"));
    let run = build(&folder, &folder.path().join("image.tar"), dynamic);
    run.redact(env!("CARGO_BIN_EXE_kubectl-canary_traefik"), "[DYNAMIC]").run().shows(str![[r#"
exit: 1
--- stdout
--- stderr
image: error: [DYNAMIC] is no static executable: there is nothing in the image to load it
image: hint: krew/build x86_64-unknown-linux-gnu

"#]]);
    assert_eq!(folder.names(), [""; 0]);
}
