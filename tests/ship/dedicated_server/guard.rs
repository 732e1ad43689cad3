//! `guard run` out of the image, as the Deployment of `guard install` runs it: its arguments, its account's token and
//! authority mounted where Kubernetes mounts them, the API server named by the environment.

use std::{
    net::{Ipv4Addr, UdpSocket},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use testbed::{
    api::Api, bed, directory::Directory, namespace::Namespace, port::free as free_port, run::Run, running::Running,
    server::Server, wait::until,
};

use crate::image::Image;

const NAME: &str = "kubectl-canary-traefik";
const ACCOUNT: &str = "var/run/secrets/kubernetes.io/serviceaccount";

/// An API server on which the guard is installed as a webhook, and the image.
struct Installed {
    server: &'static Server,
    image: Image,
    mounts: Directory,
}

impl Installed {
    fn new() -> Self {
        // For as long as the process lives: a namespace borrows it.
        let server: &'static Server = Box::leak(Box::new(Server::dedicated(&bed::no_policies())));
        let namespace = Namespace::on(server, "image");
        let install =
            ["guard", "install", "--mode", "webhook", "--image", "registry.example/guard:1", "--yes", "--wait=0s"];
        let output = namespace.run(install).run();
        // Installed, and nobody acts yet: there is no one who runs pods.
        assert_eq!(output.code, Some(1), "{output}");

        let mounts = Directory::new();
        let path = format!("/api/v1/namespaces/{NAME}/serviceaccounts/{NAME}/token");
        let request = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {} });
        let answer = server.admin().post(&path, &request).expect("a token");
        mounts.write("account/token", answer["status"]["token"].as_str().expect("a token"));
        mounts.write("account/namespace", NAME);
        mounts.write("account/ca.crt", Self::authority(server));
        Self { server, image: Image::unpacked(), mounts }
    }

    fn kubeconfig(server: &Server) -> Value {
        serde_json::from_str(&server.admin_kubeconfig("default")).expect("a kubeconfig")
    }

    fn authority(server: &Server) -> Vec<u8> {
        use base64::Engine as _;
        let text = Self::kubeconfig(server)["clusters"][0]["cluster"]["certificate-authority-data"].clone();
        base64::engine::general_purpose::STANDARD.decode(text.as_str().expect("an authority")).expect("base64")
    }

    /// A run of the container of the Deployment, with the API server under this name, and further mounts. Containers
    /// share the ports of this machine: each gets its own.
    fn container(&self, listen: u16, host: &str, mounts: &[(&Path, &str)]) -> Run {
        let path = format!("/apis/apps/v1/namespaces/{NAME}/deployments/{NAME}");
        let deployment = self.server.admin().get(&path).expect("the Deployment");
        let arguments = deployment["spec"]["template"]["spec"]["containers"][0]["args"].clone();
        let arguments: Vec<String> = serde_json::from_value(arguments).expect("arguments");
        let arguments = arguments.into_iter().map(|each| match each.split_once('=') {
            Some(("--listen", _)) => format!("--listen=127.0.0.1:{listen}"),
            Some(("--gate-listen", _)) => format!("--gate-listen=127.0.0.1:{}", free_port()),
            _ => each,
        });
        let arguments: Vec<_> = arguments.collect();
        let server = Self::kubeconfig(self.server)["clusters"][0]["cluster"]["server"].clone();
        let port = server.as_str().and_then(|url| url.rsplit_once(':')).expect("a port").1.to_owned();
        let account = self.mounts.path().join("account");
        let mut all = vec![(account.as_path(), ACCOUNT)];
        all.extend(mounts);
        self.image
            .run(&all, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
            .env("KUBERNETES_SERVICE_HOST", host)
            .env("KUBERNETES_SERVICE_PORT", port)
    }

    /// Asks the guard as the API server would: by the name of its Service, trusting what is registered.
    fn ready(&self, port: u16) -> Option<String> {
        let path = format!("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/{NAME}");
        let bundle =
            self.server.admin().get(&path).expect("it is registered")["webhooks"][0]["clientConfig"]["caBundle"]
                .clone();
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "guard",
            "contexts": [{ "name": "guard", "context": { "cluster": "guard", "user": "none" } }],
            "users": [{ "name": "none", "user": {} }],
            "clusters": [{ "name": "guard", "cluster": {
                "server": format!("https://127.0.0.1:{port}"),
                "tls-server-name": format!("{NAME}.{NAME}.svc"),
                "certificate-authority-data": bundle.as_str()?,
            } }],
        });
        let path = self.mounts.write("guard.kubeconfig", kubeconfig.to_string());
        let request = http::Request::get("/readyz").body(Vec::new()).expect("a well-formed request");
        let answer = Api::from_file(&path).ok()?.send(request).ok()?;
        (answer.code == 200).then_some(answer.text)
    }

    /// Starts the container, waits until it is ready, and ends it as a node does.
    #[track_caller]
    fn becomes_ready(&self, host: &str, mounts: &[(&Path, &str)]) {
        let port = free_port();
        let running = Running::start(self.container(port, host, mounts));
        until("the guard to be ready", || self.ready(port));
        running.signal("TERM");
        let output = running.ends();
        assert_eq!(output.code, Some(0), "{output}");
    }
}

#[test]
fn the_guard_of_the_image_becomes_ready_in_a_pod_s_world_and_ends_when_told_to() {
    Installed::new().becomes_ready("127.0.0.1", &[]);
}

/// An executable with glibc linked in looks names up by itself: there is nothing to load its modules from.
#[test]
fn a_name_of_the_api_server_is_found_in_hosts_and_by_dns() {
    let installed = Installed::new();
    let file = |name: &str, text: &str| -> PathBuf { installed.mounts.write(name, text) };
    let hosts = file("hosts", "127.0.0.1 kubernetes.default.svc\n");
    installed.becomes_ready("kubernetes.default.svc", &[(&hosts, "etc/hosts")]);
    let (server, asked) = names_server();
    let hosts = file("no-hosts", "");
    let resolv = file("resolv.conf", &format!("nameserver {server}\noptions ndots:5\n"));
    installed.becomes_ready("kubernetes.default.svc", &[(&hosts, "etc/hosts"), (&resolv, "etc/resolv.conf")]);
    assert!(asked.try_iter().any(|name| name == "kubernetes.default.svc"));
}

/// A server of names on an address of its own, for which every name is this machine. Tells what it was asked.
fn names_server() -> (Ipv4Addr, std::sync::mpsc::Receiver<String>) {
    // Another run of these tests has one too, on an address of its own.
    let addresses = std::iter::repeat_with(|| Ipv4Addr::from_bits(0x7f35_0000 | u32::from(free_port())));
    let mut bound = addresses.take(10).filter_map(|address| Some((address, UdpSocket::bind((address, 53)).ok()?)));
    let (address, socket) = bound.next().expect("root may take the port of name servers");
    let (sender, asked) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut question = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut question) {
            // RFC 1035 section 4: twelve bytes of head, the labels of the name, its type and class.
            let (mut name, mut at) = (Vec::new(), 12);
            while question[at] != 0 {
                let end = at + 1 + usize::from(question[at]);
                name.push(String::from_utf8_lossy(&question[at + 1..end]).into_owned());
                at = end;
            }
            let is_address = question[at + 1..at + 5] == [0, 1, 0, 1];
            let mut answer = question[..at + 5].to_vec();
            answer[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, u8::from(is_address), 0, 0, 0, 0]);
            if is_address {
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
            }
            debug_assert!(length >= at + 5);
            let _ = (sender.send(name.join(".")), socket.send_to(&answer, from));
        }
    });
    (address, asked)
}
