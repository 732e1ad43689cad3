//! Paths and calls of the objects that this program reads and writes.

use crate::{
    apiserver::{Call, Verb, request},
    model::{ObjectKind, ObjectRef},
};

/// Returns a call about one object.
pub(crate) fn call_of(verb: Verb, object: &ObjectRef) -> Call<'_> {
    Call {
        verb,
        resource: object.kind.resource(),
        namespace: object.target.namespace.as_deref(),
        name: Some(&object.target.name),
    }
}

/// Returns the path of a resource, or of one object.
pub(crate) fn path(kind: ObjectKind, namespace: Option<&str>, name: Option<&str>) -> String {
    request::path(&kind.api_version(), kind.resource(), namespace, name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        apiserver::{
            request::{get, tests::refused},
            testing::{Server, json},
        },
        cluster::Cluster,
        model::{
            NamespacedName,
            name::{self, Group},
        },
    };

    #[test]
    fn no_name_makes_a_path_that_leads_elsewhere() {
        for name in ["", ".", "..", "../../other/traefikservices/o1", "a/b", "a%2fb", "%2e%2e", &"a".repeat(254)] {
            for kind in [ObjectKind::Canary, ObjectKind::TraefikService(Group::TraefikIo)] {
                let problem = name::check(name).unwrap_err();
                assert_eq!(refused(&path(kind, Some(name), None)), problem);
                assert_eq!(refused(&path(kind, Some("shop"), Some(name))), problem);
            }
        }
        let request = get(&path(ObjectKind::Canary, Some("a..b"), Some("\u{1b}ä"))).unwrap();
        assert_eq!(request.uri(), "/apis/flagger.app/v1beta1/namespaces/a..b/canaries/%1B%C3%A4");
    }

    #[tokio::test]
    async fn what_cannot_be_named_is_not_there_and_not_asked_for() {
        let server = Server::start([json("200 OK", "{}")]).await;
        let cluster = Cluster::of(server.connect().await);
        let target = NamespacedName { namespace: Some("shop".to_owned()), name: "a".repeat(70_000) };
        let failure = cluster.get(ObjectKind::TraefikService(Group::TraefikIo), &target).await.unwrap_err();
        assert_eq!((failure.is_not_found(), server.asked().len()), (true, 0));
    }
}
