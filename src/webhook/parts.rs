//! What the guard keeps of objects that others write. Every text and list in it is bounded, so that no tenant can fill
//! the process, whatever their objects hold; what the guard decides is the same as for the whole object.

use crate::{
    cluster::Part::{self, Bounded, Each, Entries, Keys, Shape, Text, Whole},
    model::declaration::{ANNOTATION, MAX_LENGTH},
};

/// An object's name has at most 253 bytes (`k8s.io/apimachinery/pkg/util/validation`, DNS-1123 subdomain). A longer one
/// that a Canary computes is nobody's.
const NAME: Part = Text(253);
/// A word such as a kind, or an API group and version.
const WORD: Part = Text(256);
/// A longer one is malformed whatever it holds; a character has at most four bytes.
const DECLARATION: Part = Text(4 * MAX_LENGTH + 4);
/// The stanza of a TraefikService in bytes: what a declaration can say has a tenth of that.
const STICKY: Part = Bounded(16 << 10);

const METADATA: Part = Keys(&[
    ("name", NAME),
    ("namespace", NAME),
    ("resourceVersion", WORD),
    ("annotations", Keys(&[(ANNOTATION, DECLARATION)])),
    (
        "ownerReferences",
        Each(256, &Keys(&[("apiVersion", WORD), ("kind", WORD), ("name", NAME), ("controller", WORD)])),
    ),
    ("managedFields", Each(256, &Keys(&[("manager", WORD), ("time", WORD)]))),
]);

const SERVICE_NAME: Part = Keys(&[("name", NAME)]);

/// A native cookie is the Flagger's that has the field: that there is one is enough.
const SERVICE_OF_A_CANARY: Part = Keys(&[("name", NAME), ("traefik", Keys(&[("sticky", Keys(&[("cookie", Shape)]))]))]);

/// A Canary in the cache.
pub(super) const CANARY: Part = Keys(&[
    ("metadata", METADATA),
    ("spec", Keys(&[("provider", WORD), ("targetRef", SERVICE_NAME), ("service", SERVICE_OF_A_CANARY)])),
]);

/// A Canary that is looked up: whether a selector chooses it depends on its labels.
pub(super) const LABELLED_CANARY: Part = Keys(&[
    (
        "metadata",
        Keys(&[
            ("name", NAME),
            ("namespace", NAME),
            ("labels", Entries(256)),
            ("annotations", Keys(&[(ANNOTATION, DECLARATION)])),
        ]),
    ),
    ("spec", Keys(&[("provider", WORD), ("targetRef", SERVICE_NAME), ("service", SERVICE_OF_A_CANARY)])),
]);

/// A TraefikService: whose it is, who wrote it, and its stanza. That it has weights is enough.
pub(super) const TRAEFIK_SERVICE: Part = Keys(&[
    ("apiVersion", WORD),
    ("kind", WORD),
    ("metadata", METADATA),
    ("spec", Keys(&[("weighted", Keys(&[("services", Shape), ("sticky", STICKY)]))])),
]);

/// A Canary or a TraefikService in a review.
const REVIEWED: Part = Keys(&[
    ("apiVersion", WORD),
    ("kind", WORD),
    ("metadata", METADATA),
    ("spec", Keys(&[("weighted", Keys(&[("services", Shape), ("sticky", STICKY)]))])),
]);

/// An `AdmissionReview` with one of them.
pub(super) const REVIEW: Part = Keys(&[
    ("apiVersion", WORD),
    ("kind", WORD),
    (
        "request",
        Keys(&[
            // It goes into the answer as it is.
            ("uid", Whole),
            ("dryRun", WORD),
            ("namespace", NAME),
            ("resource", Keys(&[("group", WORD), ("resource", WORD)])),
            ("options", Keys(&[("fieldManager", WORD)])),
            ("object", REVIEWED),
            ("oldObject", REVIEWED),
        ]),
    ),
]);

/// A Canary about which the gate is asked: its cookie as well, in whichever place.
pub(super) const GATED_CANARY: Part = Keys(&[
    ("metadata", METADATA),
    (
        "spec",
        Keys(&[
            ("provider", WORD),
            ("targetRef", SERVICE_NAME),
            ("service", Keys(&[("name", NAME), ("traefik", Keys(&[("sticky", Keys(&[("cookie", STICKY)]))]))])),
        ]),
    ),
]);

/// Its TraefikService: the weights, and who owns them since when. Flagger generates two.
pub(super) const GATED_SERVICE: Part = Keys(&[
    (
        "metadata",
        Keys(&[
            ("name", NAME),
            ("namespace", NAME),
            ("resourceVersion", WORD),
            (
                "managedFields",
                Each(
                    256,
                    &Keys(&[
                        ("time", WORD),
                        ("subresource", WORD),
                        ("fieldsV1", Keys(&[("f:spec", Keys(&[("f:weighted", Keys(&[("f:services", Shape)]))]))])),
                    ]),
                ),
            ),
        ]),
    ),
    ("spec", Keys(&[("weighted", Keys(&[("services", Each(64, &Keys(&[("name", NAME), ("weight", WORD)])))]))])),
]);
