//! The parts of objects that the guard reads: for its caches, for reviews, and for Flagger's webhooks. Every string and
//! list is bounded, so that no tenant can exhaust memory. The guard's decisions are the same as for the whole objects.

use crate::{
    apiserver::Part::{self, Bounded, Each, Entries, Keys, Shape, Text, Whole},
    model::{
        MANAGED_BY_LABEL,
        declaration::{ANNOTATION, MAX_LENGTH},
        entry::{CANARY_ANNOTATION, ENTRY_ANNOTATION},
    },
    traefik::router::{CLASS, INGRESS_ENTRY_POINTS, INGRESS_MATCHER, INGRESS_PRIORITY},
};

/// An object's name has at most 253 bytes (`k8s.io/apimachinery/pkg/util/validation`, DNS-1123 subdomain). A longer
/// name computed from a Canary matches no object.
const NAME: Part = Text(253);
/// A short string, such as a kind, or an API group and version.
const WORD: Part = Text(256);
/// A longer declaration is malformed in any case; a character has at most four bytes.
const DECLARATION: Part = Text(4 * MAX_LENGTH + 4);
/// A longer entry is malformed, too.
const ENTRY: Part = Text(4 * MAX_LENGTH + 4);
/// `spec.weighted.sticky`, in bytes: ten times what a declaration can express.
const STICKY: Part = Bounded(16 << 10);

const ANNOTATIONS: Part = Keys(&[(ANNOTATION, DECLARATION), (ENTRY_ANNOTATION, ENTRY)]);
const OWNERS: Part = Each(256, &Keys(&[("apiVersion", WORD), ("kind", WORD), ("name", NAME), ("controller", WORD)]));
const WRITERS: Part = Each(256, &Keys(&[("manager", WORD), ("time", WORD)]));

const METADATA: Part = Keys(&[
    ("name", NAME),
    ("namespace", NAME),
    ("resourceVersion", WORD),
    ("annotations", ANNOTATIONS),
    ("ownerReferences", OWNERS),
    ("managedFields", WRITERS),
]);

const SERVICE_NAME: Part = Keys(&[("name", NAME)]);

/// A native cookie is handled by Flagger: its presence is enough.
const SERVICE_OF_A_CANARY: Part = Keys(&[("name", NAME), ("traefik", Keys(&[("sticky", Keys(&[("cookie", Shape)]))]))]);

/// What the guard's decisions need of a Canary.
const SPEC: Part = Keys(&[("provider", WORD), ("targetRef", SERVICE_NAME), ("service", SERVICE_OF_A_CANARY)]);

/// A native cookie that is read.
const NATIVE: Part = Keys(&[("sticky", Keys(&[("cookie", STICKY)]))]);

/// A Canary in the cache.
pub(super) const CANARY: Part = Keys(&[
    ("metadata", Keys(&[("name", NAME), ("namespace", NAME), ("uid", WORD), ("annotations", ANNOTATIONS)])),
    ("spec", SPEC),
]);

/// A route, or another object that entries depend on.
pub(super) const ROUTE: Part = Keys(&[
    (
        "metadata",
        Keys(&[
            ("name", NAME),
            ("namespace", NAME),
            ("resourceVersion", WORD),
            ("labels", Keys(&[(MANAGED_BY_LABEL, WORD)])),
            (
                "annotations",
                Keys(&[
                    (ENTRY_ANNOTATION, ENTRY),
                    (CANARY_ANNOTATION, NAME),
                    (CLASS, WORD),
                    (INGRESS_PRIORITY, WORD),
                    (INGRESS_ENTRY_POINTS, WORD),
                    (INGRESS_MATCHER, WORD),
                ]),
            ),
            ("ownerReferences", Each(256, &Keys(&[("uid", WORD)]))),
        ]),
    ),
    ("spec", Bounded(64 << 10)),
]);

/// A Canary that is looked up, with the labels to match the selector against.
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
    ("spec", SPEC),
]);

/// A TraefikService: its owner, its writers and its cookie. The presence of weights is enough. In a review, a Canary, too.
pub(super) const TRAEFIK_SERVICE: Part = Keys(&[
    ("apiVersion", WORD),
    ("kind", WORD),
    ("metadata", METADATA),
    ("spec", Keys(&[("weighted", Keys(&[("services", Shape), ("sticky", STICKY)]))])),
]);

/// An `AdmissionReview` of a Canary or a TraefikService.
pub(super) const REVIEW: Part = Keys(&[
    ("apiVersion", WORD),
    ("kind", WORD),
    (
        "request",
        Keys(&[
            // Copied unchanged into the answer.
            ("uid", Whole),
            ("dryRun", WORD),
            ("namespace", NAME),
            ("resource", Keys(&[("group", WORD), ("resource", WORD)])),
            ("options", Keys(&[("fieldManager", WORD)])),
            ("object", TRAEFIK_SERVICE),
            ("oldObject", TRAEFIK_SERVICE),
        ]),
    ),
]);

/// A Canary for the gate, with its declared cookie from either place.
pub(super) const GATED_CANARY: Part = Keys(&[
    ("metadata", METADATA),
    (
        "spec",
        Keys(&[
            ("provider", WORD),
            ("targetRef", SERVICE_NAME),
            ("service", Keys(&[("name", NAME), ("traefik", NATIVE)])),
        ]),
    ),
]);

/// The webhooks of a Canary: their URLs and the pages that they name.
const WEBHOOKS: Part =
    Keys(&[("webhooks", Each(64, &Keys(&[("url", Text(1 << 10)), ("metadata", Keys(&[("url", Text(8 << 10))]))])))]);

const CHILD: Part = Keys(&[("name", NAME), ("namespace", NAME), ("kind", WORD), ("port", WORD), ("weight", WORD)]);

/// A Canary whose cookie is verified.
pub(super) const VERIFIED_CANARY: Part = Keys(&[
    ("metadata", METADATA),
    (
        "spec",
        Keys(&[
            ("provider", WORD),
            ("targetRef", SERVICE_NAME),
            ("service", Keys(&[("name", NAME), ("port", WORD), ("traefik", NATIVE)])),
            ("analysis", WEBHOOKS),
            ("canaryAnalysis", WEBHOOKS),
        ]),
    ),
]);

/// Its TraefikService: the cookie and the children.
pub(super) const VERIFIED_SERVICE: Part = Keys(&[
    (
        "metadata",
        Keys(&[
            ("name", NAME),
            ("namespace", NAME),
            ("generation", WORD),
            ("ownerReferences", OWNERS),
            ("managedFields", WRITERS),
        ]),
    ),
    ("spec", Keys(&[("weighted", Keys(&[("services", Each(64, &CHILD)), ("sticky", STICKY)]))])),
]);

const OWNED_WEIGHTS: Part = Keys(&[("f:spec", Keys(&[("f:weighted", Keys(&[("f:services", Shape)]))]))]);
const WEIGHT_WRITERS: Part = Each(256, &Keys(&[("time", WORD), ("subresource", WORD), ("fieldsV1", OWNED_WEIGHTS)]));

/// The TraefikService for the gate: the weights, and who has owned them since when. Flagger generates two.
pub(super) const GATED_SERVICE: Part = Keys(&[
    (
        "metadata",
        Keys(&[("name", NAME), ("namespace", NAME), ("resourceVersion", WORD), ("managedFields", WEIGHT_WRITERS)]),
    ),
    ("spec", Keys(&[("weighted", Keys(&[("services", Each(64, &Keys(&[("name", NAME), ("weight", WORD)])))]))])),
]);
