//! What is typed, what stands in the environment and in kubeconfigs, and what servers answer.

use serde_json::{Value, json};
use testbed::{
    directory::Directory,
    fake::{Fake, Reply},
    numbers::Numbers,
    objects, tls,
};

/// Stands in every secret, and in nothing else.
pub(super) const MARK: &str = "hunter2";

/// The path that redirects lead to, on the other server.
pub(super) const ELSEWHERE: &str = "/elsewhere";

/// One run to come.
pub(super) struct Case {
    pub(super) words: Vec<String>,
    pub(super) environment: Vec<(&'static str, String)>,
    pub(super) kubeconfig: String,
    /// The folder of the kubeconfig and of everything that it names.
    pub(super) folder: Directory,
    pub(super) plain: Fake,
    pub(super) encrypted: Fake,
}

const COMMANDS: &[&str] = &[
    "show",
    "show NAME",
    "show -A -o json",
    "show -A -o wide -l a=b",
    "describe NAME",
    "describe NAME -o yaml",
    "render NAME --weight 30",
    "render NAME --entry",
    "simulate NAME",
    "lint",
    "lint NAME -o sarif --fail-on warning",
    "simulate NAME --max-age 90s --flow 1m30s --steps NAME --interval 10s",
    "simulate NAME --steps 10,50,100 --interval 10s --max-age 90s --plot FILE -o json",
    "diff",
    "diff NAME",
    "sticky get NAME",
    "sticky set NAME --max-age 5m --yes",
    "sticky set NAME --max-age 5m --dry-run=server",
    "sticky set NAME --max-age 5m --entry /login --entry /NAME --yes",
    "sticky set NAME --name login --live-only --yes --force-conflicts",
    "sticky set NAME",
    "sticky edit NAME",
    "sticky remove NAME --yes",
    "sticky apply --yes",
    "sticky apply NAME -A --yes",
    "guard status",
    "guard status -o json",
    "guard install --yes",
    "guard install --mode webhook --image x --yes",
    "guard uninstall --yes",
    // It would run for ever, were its port not taken.
    "guard run --webhook-url URL --listen TAKEN",
    "guard run --service a/b --cert-secret NAME/NAME --listen TAKEN",
    "rbac sticky set --check",
    "rbac sticky set --entry",
    "version",
    "completion bash",
    "man",
];

/// Odd names; most are good ones.
const NAMES: &[&str] = &["", ".", "..", "../x", "a/b", "a%2fb", "%", "-", "--", "ä", "a\u{1b}[2J", "LONG"];

const FLAGS: &[&str] = &[
    "--token SECRET",
    "--token=SECRET",
    "--username bob --password SECRET",
    "--password=SECRET",
    "--server URL",
    "-s URL",
    "--server=URL",
    "-n NAME",
    "-A",
    "--context c",
    "--context NAME",
    "--cluster c",
    "--user u",
    "--user NAME",
    "--kubeconfig FILE",
    "--as NAME",
    "--as NAME --as-group NAME --as-uid 7 --as-user-extra a=NAME",
    "--as-user-extra NAME",
    "--client-certificate FILE",
    "--client-key FILE",
    "--certificate-authority FILE",
    "--tls-server-name NAME",
    "--insecure-skip-tls-verify",
    "--disable-compression=true",
    "--warnings-as-errors",
    "-v 6",
    "-v 10",
    "-v NAME",
    "--color always",
    "--request-timeout NAME",
    "-f FILE",
    "-f WEB",
    "-R",
    "-o json",
    "-o NAME",
    "--no-such-flag",
];

pub(super) const FILES: &[&str] = &[
    "kubeconfig",
    "kubeconfig",
    "missing",
    "token",
    "loop",
    "kubeconfig/x",
    ".",
    "",
    "ca.pem",
    "client.pem",
    "client.key",
    "two",
    "/dev/null",
    "LONG",
];

const AUTHORITIES: &[&str] = &["server.pem", "own-authority.pem", "p521-authority.pem", "expired.pem"];
const CERTIFICATES: &[&str] = &["server.pem", "version-1.pem", "p521.pem", "short.pem", "expired.pem"];
const KEYS: &[&str] = &["server.key", "p521.key", "p521.sec1.key", "short.key", "encrypted.key"];

/// What draws a run.
pub(super) struct Draw(pub(super) Numbers);

impl Draw {
    pub(super) fn is_one_in(&mut self, count: usize) -> bool {
        self.0.below(count) == 0
    }

    pub(super) fn name(&mut self) -> String {
        if !self.is_one_in(4) {
            return "podinfo".to_owned();
        }
        match self.0.one_of(NAMES) {
            "LONG" => "a".repeat([253, 254, 5_000, 65_500][self.0.below(4)]),
            name => name.to_owned(),
        }
    }

    pub(super) fn secret(&mut self) -> String {
        if !self.is_one_in(6) {
            return MARK.to_owned();
        }
        let end = self.0.one_of(&["\n", "\r\nx: y", "\u{1}", "é", " ", "\t", "'\"$(x)", ":@/?#%"]);
        let long = if self.is_one_in(20) { 65_500 } else { 0 };
        format!("{MARK}{}{end}", "x".repeat(long))
    }

    /// An address of one of the servers, or of none.
    pub(super) fn url(&mut self, case: &Case) -> String {
        let fake = if self.is_one_in(3) { &case.plain } else { &case.encrypted };
        let url = fake.url();
        let (scheme, place) = url.split_once("://").expect("a URL");
        let (host, port) = place.rsplit_once(':').expect("a port");
        let scheme = match self.0.below(20) {
            0 => String::new(),
            1 => "http://".to_owned(),
            2 => "https://".to_owned(),
            3 => self.0.one_of(&["ftp://", "://", "HTTPS://", "socks5://", "file:///"]).to_owned(),
            _ => format!("{scheme}://"),
        };
        let user = match self.0.below(6) {
            0 => format!("bob:{}@", self.secret()),
            1 => format!("bob:{MARK}@"),
            _ => String::new(),
        };
        let host = if self.is_one_in(20) { self.0.one_of(&["", "[::1]", "localhost", "[", "no host"]) } else { host };
        let port = match self.0.below(20) {
            0 => self.0.one_of(&["", ":", ":0", ":99999", ":x", ":-1", ":1"]).to_owned(),
            _ => format!(":{port}"),
        };
        let path = if self.is_one_in(8) { self.0.one_of(&["/", "/a/b", "/?x=y", "//", "/é"]) } else { "" };
        format!("{scheme}{user}{host}{port}{path}")
    }

    fn reply(&mut self, object: &Value, elsewhere: &str) -> Reply {
        match self.0.below(80) {
            0 => Reply::refusal(401, "Unauthorized", "Unauthorized"),
            1 => Reply::refusal(
                403,
                "Forbidden",
                "forbidden: User \"bob\" cannot list resource \"x\" in API group \"y\"",
            ),
            2 => Reply::refusal(409, "Conflict", "the object has been modified"),
            3 => Reply::refusal(500, "InternalError", "\u{1b}[2J"),
            4 => Reply::text(200, "text/html", "<html>"),
            5 => Reply::text(302, "text/html", "").header("location", &format!("{elsewhere}{ELSEWHERE}")),
            6 => Reply::Close,
            7 => Reply::Broken { code: 200, body: b"{".to_vec() },
            8 => Reply::json(200, &self.odd()),
            _ => Reply::json(200, object),
        }
    }

    fn answers(&mut self, fake: &Fake, elsewhere: &str) {
        let (mut canary, mut service) = (objects::canary("podinfo"), objects::traefik_service("podinfo", 90, 10));
        for object in [&mut canary, &mut service] {
            object["metadata"]["namespace"] = json!("shop");
            object["metadata"]["resourceVersion"] = json!("7");
        }
        if self.is_one_in(4) {
            canary["spec"]["service"]["name"] = json!(self.name());
        }
        for (path, object) in [
            ("/apis/flagger.app/v1beta1/namespaces/shop/canaries", &canary),
            ("/apis/traefik.io/v1alpha1/namespaces/shop/traefikservices", &service),
        ] {
            let list = json!({ "kind": "List", "items": [object] });
            let everywhere = path.replace("/namespaces/shop", "");
            for (method, path, answer) in [
                ("GET", path.to_owned(), &list),
                ("GET", everywhere, &list),
                ("GET", format!("{path}/podinfo"), object),
                ("PATCH", format!("{path}/podinfo"), object),
            ] {
                let reply = self.reply(answer, elsewhere);
                fake.on(method, &path, [reply]);
            }
        }
        let version = self.reply(&json!({ "major": "1", "minor": "37", "gitVersion": "v1.37.2" }), elsewhere);
        fake.on("GET", "/version", [version]);
    }

    /// The files that a kubeconfig or a flag can name.
    fn files(&mut self, folder: &Directory) {
        folder.write("token", format!("{}\n", self.secret()));
        folder.write("two", format!("{}\n{}\n", self.secret(), self.secret()));
        let broken = self.0.one_of(&["", "x", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"]);
        for (name, all) in [("ca.pem", AUTHORITIES), ("client.pem", CERTIFICATES), ("client.key", KEYS)] {
            let text = match self.0.below(3) {
                0 => broken.to_owned(),
                _ => std::fs::read_to_string(tls::testdata(self.0.one_of(all))).expect("it is there"),
            };
            folder.write(name, text);
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink("loop", folder.path().join("loop")).expect("a link can be made");
    }

    /// A run.
    pub(super) fn case(&mut self) -> Case {
        let mut case = Case {
            words: Vec::new(),
            environment: Vec::new(),
            kubeconfig: String::new(),
            folder: Directory::new(),
            plain: Fake::start(),
            encrypted: Fake::start_tls(),
        };
        self.answers(&case.plain, &case.encrypted.url());
        self.answers(&case.encrypted, &case.plain.url());
        case.kubeconfig = self.kubeconfig(&case);
        let folder = &case.folder;
        folder.write("kubeconfig", &case.kubeconfig);
        self.files(&case.folder);

        let mut lines = vec![self.0.one_of(COMMANDS)];
        lines.extend((0..self.0.below(2) * self.0.below(3)).map(|_| self.0.one_of(FLAGS)).collect::<Vec<_>>());
        // No run waits for its own hour.
        lines.push("--request-timeout 2s");
        for word in lines.join(" ").split(' ') {
            let (flag, value) = word.split_once('=').map_or((None, word), |(flag, value)| (Some(flag), value));
            let value = match value {
                "SECRET" => self.secret(),
                "URL" => self.url(&case),
                "FILE" => self.file(&case),
                "TAKEN" => case.plain.url().replace("http://", ""),
                "WEB" => {
                    format!("{}://bob:{MARK}@127.0.0.1:1/x.yaml", self.0.one_of(&["http", "https", "ftp", "git+ssh"]))
                }
                value => match self.name() {
                    name if value.contains("NAME") => value.replace("NAME", &name),
                    _ => value.to_owned(),
                },
            };
            // No argument can hold one.
            let value = value.replace('\0', "");
            case.words.push(flag.map_or(value.clone(), |flag| format!("{flag}={value}")));
        }
        case.environment = self.environment(&case);
        case
    }

    pub(super) fn file(&mut self, case: &Case) -> String {
        match self.0.one_of(FILES) {
            "" => String::new(),
            "LONG" => "a".repeat(5_000),
            file => case.folder.path().join(file).display().to_string(),
        }
    }

    fn environment(&mut self, case: &Case) -> Vec<(&'static str, String)> {
        let mut list = case.folder.path().join("kubeconfig").display().to_string();
        for _ in 0..self.0.below(5).saturating_sub(2) {
            let other = self.file(case);
            list = if self.is_one_in(2) { format!("{other}:{list}") } else { format!("{list}:{other}") };
        }
        let mut all = vec![("KUBECONFIG", list), ("PATH", "/usr/bin:/bin".to_owned())];
        let some = [
            ("HTTPS_PROXY", self.url(case)),
            ("NO_PROXY", self.0.one_of(&["", "*", "127.0.0.1", "no/host,,"]).to_owned()),
            ("KUBERNETES_SERVICE_HOST", "127.0.0.1".to_owned()),
            ("COLUMNS", self.0.one_of(&["", "0", "1", "x", "99999999999"]).to_owned()),
            ("NO_COLOR", "1".to_owned()),
            ("KUBE_EDITOR", self.0.one_of(&["true", "false", "no-such-editor", ""]).to_owned()),
            ("KUBECTL_EXTERNAL_DIFF", self.0.one_of(&["true", "false", "no-such-program", ""]).to_owned()),
            ("HOME", self.0.one_of(&["", "/dev/null", "/no/such/home"]).to_owned()),
        ];
        all.extend(some.into_iter().filter(|_| self.is_one_in(8)));
        all
    }
}
