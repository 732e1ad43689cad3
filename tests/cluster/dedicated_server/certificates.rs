//! Certificates with which kubectl works, at a real API server: of clients, and as a server's authority.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use snapbox::str;
use testbed::{
    bed,
    directory::Directory,
    run::{Output, Run},
    server::Server,
};

fn show(kubeconfig: &str) -> Output {
    let folder = Directory::new();
    Run::new(["show", "-A"]).kubeconfig(folder.write("config", kubeconfig)).run()
}

#[test]
fn client_certificates_of_version_1_and_on_p521_are_those_of_their_users() {
    let testdata = bed::root().join("src/apiserver/testdata");
    let server = Server::dedicated(&[&format!("--client-ca-file={}", testdata.join("clients.pem").display())]);
    for (name, key) in [("version-1", "server.key"), ("p521", "p521.key"), ("p521", "p521.sec1.key")] {
        let before = server.audit_of(name).len();
        let certificate = testdata.join(format!("{name}.pem"));
        let user = json!({ "client-certificate": certificate, "client-key": testdata.join(key) });
        show(&server.kubeconfig_of(&user)).shows(str![[r#"
exit: 0
--- stdout
--- stderr
No resources found

"#]]);
        assert!(server.audit_of(name).len() > before, "requests by {name}");
    }

    let user = json!({ "client-certificate": testdata.join("short.pem"), "client-key": testdata.join("short.key") });
    show(&server.kubeconfig_of(&user)).shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the client key cannot be used
caused by: it is an RSA key of less than 2048 bits, which is no longer secure
hint: use --client-certificate FILE --client-key FILE

"#]]);
}

/// As kube-apiserver does by itself, the server shows a certificate with an authority that was thrown away.
#[test]
fn a_servers_own_certificate_is_authority_enough() {
    let server = Server::dedicated(&[]);
    let mut kubeconfig: Value = serde_json::from_str(&server.admin_kubeconfig("default")).expect("it is JSON");
    let data = &mut kubeconfig["clusters"][0]["cluster"]["certificate-authority-data"];
    let chain = STANDARD.decode(data.as_str().expect("a text")).expect("base64");
    let chain = String::from_utf8(chain).expect("PEM");
    let (own, authority) = chain.split_once("-----END CERTIFICATE-----\n").expect("a certificate");
    assert_eq!(authority.matches("BEGIN").count(), 1, "the authority follows");
    *data = json!(STANDARD.encode(format!("{own}-----END CERTIFICATE-----\n")));
    show(&kubeconfig.to_string()).shows(str![[r#"
exit: 0
--- stdout
--- stderr
No resources found

"#]]);
}
