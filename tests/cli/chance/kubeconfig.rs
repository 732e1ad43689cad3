//! Kubeconfigs: every kind of credentials, right, wrong and broken.

use std::path::Path;

use serde_json::{Value, json};
use testbed::tls::Tls;

use super::generate::{Case, Draw, FILES, MARK};

impl Draw {
    fn user(&mut self, folder: &Path) -> Value {
        let secret = self.secret();
        let answer = json!({ "kind": "ExecCredential", "status": { "token": secret } }).to_string();
        let exec = |script: String, mode: &str| {
            json!({ "exec": { "apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/sh",
                "args": ["-c", script], "env": [{ "name": "X", "value": MARK }], "interactiveMode": mode } })
        };
        let printed = format!("printf %s '{}'", answer.replace('\'', "'\\''"));
        match self.0.below(20) {
            0..3 | 16.. => json!({ "token": secret }),
            3 => json!({ "tokenFile": folder.join(self.0.one_of(FILES)) }),
            4 => json!({ "username": "bob", "password": secret }),
            5..7 => exec(printed, self.0.one_of(&["Never", "IfAvailable", "Always"])),
            7 => exec(format!("echo {MARK}; echo why >&2; exit 3"), "Never"),
            8 => exec(
                format!("echo '{{\"kind\": \"ExecCredential\", \"status\": {{\"token\": [\"{MARK}\"]}}}}'"),
                "Never",
            ),
            9 => exec("kill -9 $$".to_owned(), "Never"),
            10 => json!({ "exec": { "command": self.name() } }),
            11 => json!({ "auth-provider": { "name": self.0.one_of(&["oidc", "gcp", "azure", "x", ""]),
                "config": { "id-token": secret, "refresh-token": secret, "client-id": "x" } } }),
            12 => {
                json!({ "client-certificate": folder.join(self.0.one_of(FILES)), "client-key": folder.join(self.0.one_of(FILES)) })
            }
            13 => json!({ "client-certificate-data": secret, "client-key-data": secret }),
            14 => json!({ "token": secret, "username": "bob", "password": secret, "as": self.name() }),
            _ => self.odd(),
        }
    }

    /// A value of a type that nobody expects.
    pub(super) fn odd(&mut self) -> Value {
        [json!(null), json!(7), json!([]), json!({}), json!(""), json!("x"), json!({ "a": [{}] })][self.0.below(7)]
            .clone()
    }

    /// A kubeconfig, right or wrong.
    pub(super) fn kubeconfig(&mut self, case: &Case) -> String {
        let mut cluster = json!({ "server": self.url(case) });
        match self.0.below(12) {
            0 => cluster["insecure-skip-tls-verify"] = json!(true),
            1 => cluster["certificate-authority"] = json!(case.folder.path().join(self.0.one_of(FILES))),
            2 => {}
            _ => cluster["certificate-authority"] = json!(Tls::authority()),
        }
        if self.is_one_in(12) {
            cluster["proxy-url"] = json!(self.url(case));
        }
        let mut config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "c",
            "contexts": [{ "name": "c", "context": { "cluster": "c", "user": "u", "namespace": "shop" } }],
            "clusters": [{ "name": "c", "cluster": cluster }],
            "users": [{ "name": "u", "user": self.user(case.folder.path()) }],
        });
        if self.is_one_in(10) {
            let place = self.0.one_of(&[
                "/kind",
                "/current-context",
                "/contexts",
                "/contexts/0",
                "/contexts/0/context",
                "/contexts/0/context/namespace",
                "/clusters",
                "/clusters/0/cluster",
                "/clusters/0/cluster/server",
                "/users",
                "/users/0",
                "/users/0/user",
            ]);
            let odd = self.odd();
            *config.pointer_mut(place).expect("it is there") = odd;
        }
        let mut text = config.to_string();
        if self.is_one_in(20) {
            let mut at = self.0.below(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            match self.0.below(3) {
                0 => text.truncate(at),
                1 => {
                    text.insert_str(
                        at,
                        self.0.one_of(&["\n", "\u{0}", "\u{feff}", "&a ", "*a", "{{", "]", ": ", "\t"]),
                    );
                }
                _ => text.clear(),
            }
        }
        text
    }
}
