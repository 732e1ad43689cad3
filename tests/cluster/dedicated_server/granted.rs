//! Users who have exactly the roles that `rbac COMMAND` prints, or all of them but one verb.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use testbed::{
    directory::Directory,
    namespace::Namespace,
    wait::{PATIENCE, until},
};

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

/// A verb on a resource of a group, as access control and the audit log have it. A TraefikService is in the one group
/// that the cluster serves.
pub(crate) type Asked = (String, String, String);

/// A user.
pub(crate) struct Granted {
    name: String,
    pub(crate) kubeconfig: PathBuf,
    _directory: Directory,
}

/// The roles that `rbac COMMAND` prints for this namespace.
pub(crate) fn roles(namespace: &Namespace, command: &str) -> Vec<Value> {
    let words = ["rbac"].into_iter().chain(command.split(' ')).chain(["-n", namespace.name(), "-o", "json"]);
    let output = namespace.run(words).run();
    assert_eq!(output.code, Some(0), "{output}");
    let list: Value = serde_json::from_str(&output.stdout).expect("it is JSON");
    list["items"].as_array().expect("a list").clone()
}

/// Each verb on each kind of object that the roles hold.
pub(crate) fn verbs(roles: &[Value]) -> BTreeSet<Asked> {
    let rules = roles.iter().filter_map(|role| role["rules"].as_array()).flatten();
    let verbs = rules.flat_map(|rule| {
        texts(&rule["verbs"])
            .into_iter()
            .map(|verb| (verb, group(&text(&rule["apiGroups"][0])), text(&rule["resources"][0])))
    });
    verbs.collect()
}

/// The roles without this verb on this kind of object.
pub(crate) fn without(roles: &[Value], (verb, of, resource): &Asked) -> Vec<Value> {
    let mut roles = roles.to_vec();
    for rule in roles.iter_mut().filter_map(|role| role["rules"].as_array_mut()).flatten() {
        if group(&text(&rule["apiGroups"][0])) == *of && text(&rule["resources"][0]) == *resource {
            rule["verbs"].as_array_mut().expect("verbs").retain(|known| known != verb);
        }
    }
    for role in &mut roles {
        role["rules"].as_array_mut().expect("rules").retain(|rule| rule["verbs"] != json!([]));
    }
    roles
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}

fn group(name: &str) -> String {
    if name == "traefik.containo.us" { "traefik.io".to_owned() } else { name.to_owned() }
}

impl Granted {
    /// A new user with these roles. Returns when the server knows of all of them.
    pub(crate) fn new(namespace: &Namespace, roles: &[Value]) -> Self {
        let server = namespace.server();
        let (name, text) = server.next_narrow_user(namespace.name());
        let directory = Directory::new();
        let kubeconfig = directory.write(&format!("{name}.kubeconfig"), text);
        for role in roles {
            let kind = text_of(role, "kind");
            let (plural, binding, bindings) = match kind.as_str() {
                "Role" => ("roles", "RoleBinding", "rolebindings"),
                _ => ("clusterroles", "ClusterRoleBinding", "clusterrolebindings"),
            };
            let place =
                role["metadata"]["namespace"].as_str().map_or(String::new(), |name| format!("/namespaces/{name}"));
            let mut role = role.clone();
            role["metadata"]["name"] = json!(name);
            server.admin().post(&format!("{RBAC}{place}/{plural}"), &role).expect("create a role");
            let binding = json!({
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": binding,
                "metadata": { "name": name },
                "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name },
                "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name }],
            });
            server.admin().post(&format!("{RBAC}{place}/{bindings}"), &binding).expect("bind a role");
            until("the server to know of the user's rights", || knows(namespace, &name, &role).then_some(()));
        }
        Self { name, kubeconfig, _directory: directory }
    }

    /// What the server was asked for by this user, but whether it may.
    pub(crate) fn asked(&self, namespace: &Namespace) -> BTreeSet<Asked> {
        let events = namespace.server().audit_of(&self.name);
        let resources = events.iter().filter(|event| {
            let resource = &event["objectRef"]["resource"];
            resource.is_string() && *resource != "selfsubjectaccessreviews"
        });
        let asked = resources.map(|event| {
            let of = |key: &str| text(&event["objectRef"][key]);
            assert_eq!(of("subresource"), "", "no command asks for a subresource: {event}");
            (text(&event["verb"]), group(&of("apiGroup")), of("resource"))
        });
        asked.collect()
    }

    /// The same, once it is this: the line of a request whose answer nobody waited for comes later.
    pub(crate) fn asked_for(&self, namespace: &Namespace, expected: &BTreeSet<Asked>) -> BTreeSet<Asked> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let asked = self.asked(namespace);
            if asked == *expected || Instant::now() > deadline {
                return asked;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn text_of(value: &Value, key: &str) -> String {
    text(&value[key])
}

/// Whether the server grants the user the last rule of a role: it takes up a role as a whole.
fn knows(namespace: &Namespace, user: &str, role: &Value) -> bool {
    let Some(rule) = role["rules"].as_array().and_then(|rules| rules.last()) else { return true };
    let place = role["metadata"]["namespace"].as_str().unwrap_or_default();
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": { "user": user, "resourceAttributes": {
            "namespace": place,
            "verb": rule["verbs"][0],
            "group": rule["apiGroups"][0],
            "resource": rule["resources"][0],
            "name": rule["resourceNames"][0].as_str().unwrap_or_default(),
        } },
    });
    let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    let answer = namespace.server().admin().post(path, &review).expect("ask for the user's rights");
    answer["status"]["allowed"] == true
}
