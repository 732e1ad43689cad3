//! What the guard can do nothing about, and tells: many Canaries in one namespace, several for one TraefikService.

use serde_json::json;
use snapbox::str;
use testbed::{namespace::Namespace, objects};

use super::lone::{declare, lone};

#[test]
fn a_crowd_of_canaries_and_a_quarrel_about_a_traefik_service_are_named() {
    let lone = lone();
    let crowd = Namespace::on(&lone, "crowd");
    crowd.create_rollout("podinfo", 90, 10);
    declare(&crowd, "login; Max-Age=300");
    for number in 0..100 {
        crowd.create_value(&objects::canary(&format!("c{number}")));
    }
    let quarrel = Namespace::on(&lone, "quarrel");
    for (name, declared) in [("one", "x; Max-Age=300"), ("other", "y; Max-Age=300")] {
        let mut canary = objects::canary(name);
        canary["spec"]["service"]["name"] = json!("shop");
        canary["metadata"]["annotations"] = json!({ "kubectl-canary-traefik/sticky-cookie": declared });
        quarrel.create_value(&canary);
    }
    quarrel.create_value(&objects::traefik_service("shop", 90, 10));
    lone.install(&[]);
    let status = |format: &str| {
        let run = crowd.run(["guard", "status", "-o", format]).redact(quarrel.name(), "quarrel-[NS]");
        run.redact(env!("CARGO_PKG_VERSION"), "[VERSION]").run()
    };
    status("table").shows(str![[r#"
exit: 1
--- stdout
OBJECT                                                                                       STATE     VERSION
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep             current   [VERSION]
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry            current   [VERSION]
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check          current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep      current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry     current   [VERSION]
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check   current   [VERSION]

installed    policies
working      yes (in a dry run, a write removed the cookie of crowd-[NS]/podinfo, and the guard put it back)
canaries     all
namespaces   all
declared     3
not covered  0
malformed    0
contested    quarrel-[NS]/shop (it has no controller, and one and other declare different cookies for it)
crowded      crowd-[NS] (101 Canaries; the policies evaluate each of them in every write there)
--- stderr
to limit the Canaries in a namespace: kubectl -n crowd-[NS] create quota canaries --hard=count/canaries.flagger.app=100

"#]]);
    status("json").shows(str![[r#"
exit: 1
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "certificate": null,
    "contested": [
        {
            "canaries": [
                "one",
                "other"
            ],
            "traefikService": "quarrel-[NS]/shop"
        }
    ],
    "crowded": [
        {
            "canaries": 101,
            "namespace": "crowd-[NS]"
        }
    ],
    "declared": [
        "crowd-[NS]/podinfo",
        "quarrel-[NS]/one",
        "quarrel-[NS]/other"
    ],
    "entries": null,
    "installed": [
        "policies"
    ],
    "kind": "GuardStatus",
    "malformed": [],
    "missing": [],
    "namespaceSelector": null,
    "notCovered": [],
    "objects": [
        {
            "name": "mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep",
            "state": "current",
            "version": "[VERSION]"
        },
        {
            "name": "mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry",
            "state": "current",
            "version": "[VERSION]"
        },
        {
            "name": "validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check",
            "state": "current",
            "version": "[VERSION]"
        },
        {
            "name": "mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep",
            "state": "current",
            "version": "[VERSION]"
        },
        {
            "name": "mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry",
            "state": "current",
            "version": "[VERSION]"
        },
        {
            "name": "validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check",
            "state": "current",
            "version": "[VERSION]"
        }
    ],
    "replicas": null,
    "selector": null,
    "working": true
}
--- stderr

"#]]);
    quarrel.patch(
        "TraefikService",
        "shop",
        &json!({ "metadata": { "ownerReferences": objects::owned_by(
        json!({ "metadata": {} }), &quarrel.get("Canary", "one"))["metadata"]["ownerReferences"] } }),
    );
    crowd.delete("Canary", "c0");
    status("table").shows(str![[r#"
exit: 0
--- stdout
OBJECT                                                                                       STATE     VERSION
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep             current   [VERSION]
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry            current   [VERSION]
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check          current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep      current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry     current   [VERSION]
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check   current   [VERSION]

installed    policies
working      yes (in a dry run, a write removed the cookie of crowd-[NS]/podinfo, and the guard put it back)
canaries     all
namespaces   all
declared     3
not covered  0
malformed    0
--- stderr

"#]]);
}
