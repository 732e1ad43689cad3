//! `lint -f` over 10,000 documents against the YAML parser alone, over the same bytes: `cargo bench --bench lint`.
//! The budget is twice the parser's time. The figures are medians of the whole library calls, not of processes. The same
//! documents are in one file, in one `List`, and in a folder each under the same names.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "prints its figures, and reads what it wrote")]

use std::{
    fmt::Write as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use canary_traefik::{cluster::Selection, files, source::Source, yaml};

const DOCUMENTS: usize = 10_000;
const RUNS: usize = 7;

/// A Canary, its route and a `ConfigMap`, of which every twentieth Canary has something wrong.
fn documents(number: usize) -> String {
    let age = if number.is_multiple_of(20) { "-1" } else { "120" };
    let mut text = format!(
        "---
apiVersion: flagger.app/v1beta1
kind: Canary
metadata:
  name: app-{number}
  namespace: shop
  labels:
    app.kubernetes.io/part-of: storefront
  annotations:
    kubectl-canary-traefik/sticky-cookie: login-{number}; Max-Age={age}; HttpOnly; SameSite=Lax
    kubectl-canary-traefik/entry: /login
spec:
  provider: traefik
  targetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: app-{number}
  service:
    port: 80
  analysis:
    interval: 5m5s
    threshold: 5
    stepWeights: [10, 50, 100]
    metrics:
      - name: request-success-rate
        interval: 1m
        thresholdRange:
          min: 99
---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata:
  name: app-{number}
  namespace: shop
spec:
  entryPoints: [websecure]
  routes:
    - kind: Rule
      match: Host(`app-{number}.example`)
      services:
        - kind: TraefikService
          name: app-{number}
  tls: {{}}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: app-{number}
  namespace: shop
data:
"
    );
    for key in 0..12 {
        writeln!(text, "  key-{key}: some value of the application, number {number}").expect("a string");
    }
    text
}

fn median(work: impl Fn() -> usize) -> (Duration, usize) {
    let mut times: Vec<_> = (0..RUNS)
        .map(|_| {
            let begin = Instant::now();
            let count = work();
            (begin.elapsed(), count)
        })
        .collect();
    times.sort_unstable();
    times[RUNS / 2]
}

/// Lints this folder, and returns how many findings there are.
fn lint(folder: &PathBuf) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let manifests = files::read(std::slice::from_ref(folder), true, |_| None).expect("manifests");
    let source = Source::Files(manifests);
    let selection = Selection { namespace: None, selector: None };
    let linted = runtime.block_on(source.lint(&[], selection)).expect("manifests can be linted");
    let findings = linted.findings();
    source.positions(&findings).len()
}

/// Writes a file below the folder of a layout.
fn write(layout: &str, file: &str, text: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("lint-bench").join(layout);
    let file = folder.join(file);
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder can be made");
    std::fs::write(&file, text).expect("the file can be written");
    folder
}

fn main() {
    let texts: Vec<String> = (0..=DOCUMENTS / 3).map(documents).collect();
    let text = texts.concat();
    let documents: Vec<_> = text.split("---\n").filter(|text| !text.is_empty()).collect();
    let item = |document: &&str| {
        document.lines().map(|line| format!("  {line}\n")).collect::<String>().replacen("  ", "- ", 1)
    };
    let list = format!("apiVersion: v1\nkind: List\nitems:\n{}", documents.iter().map(item).collect::<String>());
    let same = |(number, text): (usize, &String)| {
        let text = text.replace(&format!("app-{number}"), "app").replace("  namespace: shop\n", "");
        write("a folder each", &format!("{number}/all.yaml"), &text)
    };
    let folders = [
        write("one file", "all.yaml", &text),
        write("one List", "list.yaml", &list),
        texts.iter().enumerate().map(same).collect::<Vec<_>>().swap_remove(0),
    ];
    let (parser, parsed) = median(|| documents.iter().filter(|text| yaml::parse(text).is_ok()).count());
    println!("parser alone      {parser:>9.1?}  {parsed} documents, {} bytes", text.len());
    for folder in folders {
        let (took, found) = median(|| lint(&folder));
        let layout = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let ratio = took.as_secs_f64() / parser.as_secs_f64();
        println!("{layout:<16}  {took:>9.1?}  {found} findings, ratio {ratio:.2} (budget 2)");
    }
}
