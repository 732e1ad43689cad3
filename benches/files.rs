//! `show -R -f` over 5,000 files beside reading and parsing them, in one process: `cargo bench --bench files`. The budget is
//! twice that time; compare the ratio, machines differ.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench prints its figures and writes its files")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use canary_traefik::{
    cluster::Selection,
    files,
    source::{Source, mention},
    yaml,
};

const FILES: usize = 5_000;
const RUNS: usize = 7;

/// Writes folders of ten files, as in a repository of environments: a Canary, a patch of it, and what is beside them.
fn write(folder: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for number in 0..FILES / 10 {
        let place = folder.join(format!("apps/{number}"));
        fs::create_dir_all(&place).expect("folders can be made");
        let meta = format!("metadata:\n  name: app-{number}\n  namespace: team-{}\n", number % 40);
        let canary = format!(
            "apiVersion: flagger.app/v1beta1\nkind: Canary\n{meta}  annotations:\n    kubectl-canary-traefik/sticky-cookie: login; Max-Age=60\n\
             spec:\n  provider: traefik\n  targetRef: {{apiVersion: apps/v1, kind: Deployment, name: app-{number}}}\n  service: {{port: 80}}\n\
             \x20 analysis: {{interval: 1m, threshold: 5, stepWeights: [5, 20, 50, 100]}}\n"
        );
        let patch =
            format!("apiVersion: flagger.app/v1beta1\nkind: Canary\n{meta}spec:\n  analysis: {{interval: 2m}}\n");
        let kustomization = "resources: [canary.yaml, object-0.yaml]\npatches: [{path: patch.yaml}]\n".to_owned();
        let mut texts = vec![("canary", canary), ("patch", patch), ("kustomization", kustomization)];
        let env: String =
            (0..40).map(|at| format!("        - name: VARIABLE_{at}\n          value: \"{at}\"\n")).collect();
        let object = format!(
            "apiVersion: apps/v1\nkind: Deployment\n{meta}spec:\n  template:\n    spec:\n      containers:\n      - name: app\n        image: app:1\n        env:\n{env}"
        );
        texts.extend(
            ["object-0", "object-1", "object-2", "object-3", "object-4", "object-5", "object-6"]
                .map(|name| (name, object.clone())),
        );
        for (name, text) in texts {
            let path = place.join(name).with_extension("yaml");
            fs::write(&path, text).expect("files can be written");
            paths.push(path);
        }
    }
    paths
}

fn median(mut work: impl FnMut()) -> Duration {
    let mut took: Vec<_> = (0..RUNS)
        .map(|_| {
            let began = Instant::now();
            work();
            began.elapsed()
        })
        .collect();
    took.sort();
    took[RUNS / 2]
}

fn main() {
    let folder = std::env::temp_dir().join(format!("bench-files-{}", std::process::id()));
    let paths = write(&folder);
    let parsed = median(|| {
        for path in &paths {
            let text = fs::read_to_string(path).expect("a file");
            std::hint::black_box(yaml::parse(&text).expect("YAML"));
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let shown = median(|| {
        let source = Source::Files(files::read(std::slice::from_ref(&folder), true, mention).expect("manifests"));
        let all = runtime.block_on(source.list(Selection { namespace: None, selector: None })).expect("Canaries");
        assert_eq!(all.len(), FILES / 10);
    });
    let _ = fs::remove_dir_all(&folder);
    let ratio = shown.as_secs_f64() / parsed.as_secs_f64();
    println!("{FILES} files: read and parsed {} ms, listed {} ms, {ratio:.2} ×", parsed.as_millis(), shown.as_millis());
}
