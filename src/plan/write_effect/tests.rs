//! Tables of cases, each with its place in Flagger 1.44.0: `scheduler.go` is `pkg/controller/scheduler.go`,
//! `traefik.go` is `pkg/router/traefik.go`.

use serde_json::{Value, json};

use crate::{
    flagger::Canary,
    model::{declaration::ANNOTATION, name::Group},
    observed::Guarded,
    plan::write_effect::*,
    traefik::TraefikService,
};

/// Returns a Canary with this `spec.analysis` and status, and its TraefikService with these weights; a weight of 0 is
/// absent.
fn observed(analysis: &Value, status: &Value, weights: Option<(u64, u64)>) -> Observed {
    let canary = json!({"metadata": {"name": "a"}, "status": status,
        "spec": {"targetRef": {"name": "a"}, "service": {"port": 80}, "analysis": analysis}});
    let child = |track: &str, weight: u64| {
        let name = format!("a-{track}");
        if weight == 0 {
            json!({"name": name, "port": 80})
        } else {
            json!({"name": name, "port": 80, "weight": weight})
        }
    };
    let service = weights.map(|(primary, canary)| {
        let mut services = vec![child("primary", primary)];
        if canary > 0 {
            services.push(child("canary", canary));
        }
        let owner = json!({"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "a", "controller": true});
        let metadata = json!({"name": "a", "ownerReferences": [owner]});
        json!({"metadata": metadata, "spec": {"weighted": {"services": services}}})
    });
    let service = service.and_then(|service| TraefikService::from_object(&service, Group::TraefikIo));
    Observed::pair(Canary::from_object(&canary).expect("it has a name"), service)
}

fn canary_steps() -> Value {
    json!({"stepWeight": 10, "maxWeight": 30, "threshold": 2})
}

fn phase(phase: &str) -> Value {
    json!({"phase": phase})
}

#[track_caller]
fn writes(observed: &Observed, when: When, weights: Option<(i64, i64)>) {
    assert_eq!(write_effect(observed).next, NextWrite { when, weights });
}

#[test]
fn each_phase_of_a_canary_has_its_next_write() {
    let of = |status: &Value, weights| observed(&canary_steps(), status, weights);
    let steady = Some((100, 0));
    // scheduler.go:advanceCanary → traefik.go:Reconcile, Create
    writes(&of(&json!({}), None), When::Generation, Some((100, 0)));
    writes(&of(&phase("Initializing"), None), When::Generation, Some((100, 0)));
    // Reconcile finds no difference in an existing one.
    writes(&of(&phase("Initializing"), steady), When::NewRevision, Some((90, 10)));
    // scheduler.go:shouldAdvance
    for idle in ["Initialized", "Succeeded", "Failed", "Finalising"] {
        writes(&of(&phase(idle), steady), When::NewRevision, Some((90, 10)));
    }
    // scheduler.go:checkCanaryStatus → runConfirmRolloutHooks
    writes(&of(&phase("Waiting"), steady), When::RolloutGate, Some((90, 10)));
    // scheduler.go:runCanary
    writes(&of(&phase("Progressing"), steady), When::Step, Some((90, 10)));
    writes(&of(&phase("Progressing"), Some((80, 20))), When::Step, Some((70, 30)));
    // … maxWeight reached: Promote, then runPromotionTrafficShift
    writes(&of(&phase("Progressing"), Some((70, 30))), When::Promotion, Some((100, 0)));
    writes(&of(&phase("WaitingPromotion"), Some((70, 30))), When::PromotionGate, Some((100, 0)));
    writes(&of(&phase("Promoting"), Some((70, 30))), When::Promotion, Some((100, 0)));
    // scheduler.go:rollback, at the tick after the threshold was reached
    for running in ["Progressing", "WaitingPromotion"] {
        let failed = json!({"phase": running, "failedChecks": 2});
        writes(&of(&failed, Some((80, 20))), When::Rollback, Some((100, 0)));
    }
    writes(&of(&json!({"phase": "Promoting", "failedChecks": 2}), Some((70, 30))), When::Promotion, Some((100, 0)));
    // finalizer.go:finalize → traefik.go:Finalize does nothing
    for gone in ["Terminating", "Terminated"] {
        writes(&of(&phase(gone), steady), When::Deletion, None);
    }
    writes(&of(&phase("Odd"), steady), When::NotKnown, None);
    writes(&of(&json!({}), steady), When::NotKnown, None);
}

#[test]
fn a_suspended_canary_is_not_written_whatever_its_phase() {
    // scheduler.go:advanceCanary, first check
    let names = [
        "",
        "Initializing",
        "Initialized",
        "Waiting",
        "Progressing",
        "WaitingPromotion",
        "Promoting",
        "Finalising",
        "Succeeded",
        "Failed",
        "Terminating",
    ];
    for analysis in [canary_steps(), json!({"iterations": 3}), json!({"iterations": 3, "match": [{}]})] {
        for name in names {
            for weights in [None, Some((100, 0)), Some((80, 20))] {
                let mut observed = observed(&analysis, &phase(name), weights);
                observed.canary.rollout.suspended = true;
                writes(&observed, When::Suspended, None);
            }
        }
    }
}

#[test]
fn steps_are_computed_as_flagger_computes_them() {
    // scheduler.go:nextStepWeight, maxWeight, runCanary; traefik.go:GetRoutes
    for (analysis, weights, when, next) in [
        // stepWeight takes precedence over stepWeights, whose last entry is still the maximum
        (json!({"stepWeight": 30, "stepWeights": [5, 50]}), (70, 30), When::Step, (40, 60)),
        // it may exceed maxWeight, but never 100
        (json!({"stepWeight": 30, "maxWeight": 50}), (70, 30), When::Step, (40, 60)),
        (json!({"stepWeight": 60}), (40, 60), When::Step, (0, 100)),
        // at 100 the primary's weight is absent, which Flagger reads as 0
        (json!({"stepWeight": 60}), (0, 100), When::Promotion, (100, 0)),
        (json!({"stepWeights": [5, 20, 100]}), (100, 0), When::Step, (95, 5)),
        (json!({"stepWeights": [5, 20, 100]}), (95, 5), When::Step, (80, 20)),
        (json!({"stepWeights": [5, 20, 100]}), (80, 20), When::Step, (0, 100)),
        (json!({"stepWeights": [5, 20]}), (80, 20), When::Promotion, (100, 0)),
        // a weight that is not in the list: all the rest at once
        (json!({"stepWeights": [5, 20, 50]}), (93, 7), When::Step, (0, 100)),
        (json!({"stepWeights": [0, 20]}), (100, 0), When::NoSteps, (100, 0)),
        (json!({}), (100, 0), When::NoSteps, (100, 0)),
        (json!({"maxWeight": 50}), (50, 50), When::NoSteps, (100, 0)),
        // GetRoutes never reports mirroring: the first step never comes
        (json!({"stepWeight": 10, "mirror": true}), (100, 0), When::Iteration, (100, 0)),
        (json!({"stepWeight": 10, "mirror": true}), (90, 10), When::Step, (80, 20)),
    ] {
        let observed = observed(&analysis, &phase("Progressing"), Some(weights));
        let expected = NextWrite { when, weights: Some(next) };
        assert_eq!(write_effect(&observed).next, expected, "{analysis} at {weights:?}");
    }
}

#[test]
fn a_promotion_goes_in_steps_where_it_is_asked_to() {
    // scheduler.go:runPromotionTrafficShift
    let analysis = json!({"stepWeight": 10, "maxWeight": 50, "stepWeightPromotion": 30});
    for (weights, next) in [((50, 50), (80, 20)), ((80, 20), (100, 0))] {
        let observed = observed(&analysis, &phase("Promoting"), Some(weights));
        writes(&observed, When::Promotion, Some(next));
    }
}

#[test]
fn a_promotion_in_steps_never_ends_at_a_primary_weight_of_100() {
    // scheduler.go:runPromotionTrafficShift: `if canaryWeight > 0`
    let analysis = json!({"stepWeight": 20, "stepWeightPromotion": 25});
    for weights in [(100, 100), (100, 0), (120, 1)] {
        writes(&observed(&analysis, &phase("Promoting"), Some(weights)), When::StuckPromotion, None);
    }
    writes(&observed(&analysis, &phase("Promoting"), Some((99, 1))), When::Promotion, Some((100, 0)));
    // All at once, it ends.
    writes(
        &observed(&json!({"stepWeight": 20}), &phase("Promoting"), Some((100, 100))),
        When::Promotion,
        Some((100, 0)),
    );
}

/// A Canary in a rollout that has succeeded, with this `spec.service.apex`.
fn canary(apex: &Value) -> Canary {
    let service = json!({"port": 80, "apex": apex});
    let spec = json!({"targetRef": {"name": "a"}, "service": service, "analysis": canary_steps()});
    Canary::from_object(
        &json!({"metadata": {"name": "a", "namespace": "n"}, "status": phase("Succeeded"), "spec": spec}),
    )
    .expect("it has a name")
}

/// The weights that Flagger writes next, and why it resets them.
fn reset(canary: Canary, object: &Value) -> (Option<(i64, i64)>, String) {
    let service = TraefikService::from_object(object, Group::TraefikIo);
    let observed = Observed::pair(canary, service);
    let effect = write_effect(&observed).next;
    let reasons = reset_reasons(&observed);
    assert_eq!(effect.when == When::Reset, !reasons.is_empty());
    (effect.weights, reasons.join(" and "))
}

#[test]
fn what_flagger_does_not_generate_is_reset_at_its_next_tick() {
    // traefik.go:Reconcile
    let apex = json!({"labels": {"team": "a"}, "annotations": {"note": "b"}});
    let flux = json!({"helm.toolkit.fluxcd.io/driftDetection": "disabled", "kustomize.toolkit.fluxcd.io/reconcile": "disabled"});
    let child = |track: &str| {
        let weight = if track == "primary" { 80 } else { 20 };
        json!({"name": format!("a-{track}"), "namespace": "n", "port": 80, "weight": weight})
    };
    let generated = json!({"metadata": {"name": "a", "namespace": "n", "annotations": flux},
        "spec": {"weighted": {"services": [child("primary"), child("canary")]}}});
    let change = |pointer: &str, value: Value| {
        let mut object = generated.clone();
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        let parent = object.pointer_mut(parent).expect("it is there");
        match key.parse::<usize>() {
            Ok(at) => parent[at] = value,
            Err(_) => parent[key] = value,
        }
        object
    };
    let none = Value::Null;
    let next = Some((70, 30));
    assert_eq!(reset(canary(&none), &generated), (next, String::new()));
    let selector = change("/metadata/labels", json!({"app": "a", "team": "a"}));
    let mut with_apex = selector.clone();
    with_apex["metadata"]["annotations"]["note"] = json!("b");
    assert_eq!(reset(canary(&apex), &with_apex), (next, String::new()), "the selector label of the apex Service");
    let services = "its services are not those of the Canary";
    let apex_of = |what: &str| format!("its {what} differs from spec.service.apex");
    for (object, weights, reason) in [
        (change("/metadata/labels", json!({"app": "a"})), (100, 100), apex_of("label `app`")),
        (change("/metadata/annotations/mine", json!("x")), (100, 100), apex_of("annotation `mine`")),
        (
            change("/spec/weighted/services", json!([child("canary"), child("primary")])),
            (100, 100),
            services.to_owned(),
        ),
        (change("/spec/weighted/services", json!([child("other")])), (100, 0), services.to_owned()),
        (change("/spec/weighted/services", json!([])), (100, 0), services.to_owned()),
        (change("/spec/weighted/services/0/port", json!(81)), (100, 100), services.to_owned()),
        (change("/spec/weighted/services/0/namespace", json!("m")), (100, 100), services.to_owned()),
    ] {
        assert_eq!(reset(canary(&none), &object), (Some(weights), reason), "{object}");
    }
    assert_eq!(
        reset(canary(&apex), &generated).1,
        [apex_of("label `team`"), apex_of("annotation `note`")].join(" and ")
    );
    // One that was there before the Canary; later, Flagger has marked it.
    let unmarked = change("/metadata/annotations", json!({}));
    let mut new = canary(&none);
    for phase in [None, Some("Initializing".to_owned())] {
        new.phase = phase;
        assert_eq!(reset(new.clone(), &unmarked), (Some((100, 100)), "Flagger did not create it".to_owned()));
    }
    assert_eq!(reset(canary(&none), &unmarked).1, "");
    // Weights are no difference, and neither is what Flagger does not know.
    let other = change("/spec/weighted/services/0/weight", json!(7));
    assert_eq!(reset(canary(&none), &other).1, "");
    assert_eq!(reset(canary(&none), &change("/spec/weighted/sticky", json!({"cookie": {}}))).1, "");
}

#[test]
fn tests_by_iterations_write_as_their_strategy_has_it() {
    let ab = json!({"iterations": 3, "match": [{"headers": {}}]});
    let bg = json!({"iterations": 3});
    let mirrored = json!({"iterations": 3, "mirror": true});
    for (analysis, name, done, when, next) in [
        // scheduler.go:runAB: SetRoutes at every iteration, all traffic to the canary
        (&ab, "Progressing", 0, When::Iteration, (0, 100)),
        (&ab, "Progressing", 2, When::Iteration, (0, 100)),
        (&ab, "Progressing", 3, When::Promotion, (100, 0)),
        // WaitingPromotion sets iterations back by one (scheduler_hooks.go:runConfirmPromotionHooks)
        (&ab, "WaitingPromotion", 2, When::Iteration, (0, 100)),
        (&ab, "WaitingPromotion", 3, When::PromotionGate, (100, 0)),
        // scheduler.go:runBlueGreen: nothing before the last iteration
        (&bg, "Progressing", 0, When::LastIteration, (0, 100)),
        (&bg, "Progressing", 3, When::LastIteration, (0, 100)),
        (&bg, "Progressing", 4, When::Promotion, (100, 0)),
        (&mirrored, "Progressing", 1, When::Iteration, (100, 0)),
        (&mirrored, "Progressing", 3, When::LastIteration, (0, 100)),
        // the iteration count of the last rollout does not count for the next
        (&bg, "Succeeded", 4, When::NewRevision, (0, 100)),
        (&ab, "Initialized", 0, When::NewRevision, (0, 100)),
        (&ab, "Waiting", 3, When::RolloutGate, (0, 100)),
        (&bg, "Promoting", 4, When::Promotion, (100, 0)),
    ] {
        let status = json!({"phase": name, "iterations": done});
        let expected = NextWrite { when, weights: Some(next) };
        assert_eq!(write_effect(&observed(analysis, &status, Some((100, 0)))).next, expected, "{analysis} {status}");
    }
}

#[test]
fn a_skipped_analysis_goes_straight_to_the_promotion() {
    // scheduler.go:shouldSkipAnalysis
    for (name, when) in [
        ("Succeeded", When::NewRevision),
        ("Waiting", When::RolloutGate),
        ("Progressing", When::Promotion),
        ("WaitingPromotion", When::Promotion),
    ] {
        let mut observed =
            observed(&json!({"iterations": 3}), &json!({"phase": name, "failedChecks": 9}), Some((100, 0)));
        observed.canary.rollout.skips_analysis = true;
        writes(&observed, when, Some((100, 0)));
    }
}

#[test]
fn without_the_weights_the_step_is_known_and_its_size_is_not() {
    let mut observed = observed(&canary_steps(), &phase("Progressing"), None);
    observed.service = TraefikServiceState::Forbidden("no".into());
    writes(&observed, When::Step, None);
    observed.canary.phase = Some("Promoting".into());
    writes(&observed, When::Promotion, Some((100, 0)));
}

/// Effect on the cookie, by state: declared, live, guarded, suspended.
#[test]
fn what_becomes_of_the_cookie_follows_from_what_keeps_it_and_from_whether_flagger_writes() {
    use Guarded::{No, Unknown, Yes};
    let (declared, live) = (Some("login"), Some(json!({"cookie": {"name": "login"}})));
    for (declared, live, guarded, running, suspended) in [
        (None, None, No, Outcome::NoCookie, Outcome::NoCookie),
        (None, None, Yes, Outcome::NoCookie, Outcome::NoCookie),
        (declared, live.clone(), No, Outcome::Dropped, Outcome::Untouched),
        (declared, live.clone(), Yes, Outcome::Guard, Outcome::Untouched),
        (declared, live.clone(), Unknown, Outcome::Unknown, Outcome::Untouched),
        (declared, None, No, Outcome::NotLive, Outcome::Untouched),
        (declared, None, Yes, Outcome::Guard, Outcome::Untouched),
        // the guard protects only what is declared
        (None, live.clone(), Yes, Outcome::Dropped, Outcome::Untouched),
        (None, Some(json!({})), No, Outcome::Dropped, Outcome::Untouched),
        (Some("login; Max-Age=soon"), live.clone(), Yes, Outcome::Dropped, Outcome::Untouched),
    ] {
        let mut observed = observed(&canary_steps(), &phase("Progressing"), Some((100, 0)));
        let canary = json!({"metadata": {"name": "a", "annotations": {ANNOTATION: declared}}});
        observed.canary.declared = Canary::from_object(&canary).expect("it has a name").declared;
        if let TraefikServiceState::Present(service) = &mut observed.service {
            service.live = Live::read(&json!({"spec": {"weighted": {"sticky": live}}}));
        }
        observed.guarded = guarded;
        let mut halted = observed.clone();
        halted.canary.rollout.suspended = true;
        let found = (write_effect(&observed).outcome, write_effect(&halted).outcome);
        assert_eq!(found, (running, suspended), "{declared:?} {live:?} {guarded:?}");
    }
}

#[test]
fn a_native_declaration_is_kept_by_flagger_itself() {
    let native = json!({"metadata": {"name": "a"}, "spec": {"service": {"traefik": {"sticky": {"cookie": {}}}}}});
    for guarded in [Guarded::No, Guarded::Yes, Guarded::Unknown] {
        let canary = Canary::from_object(&native).expect("it has a name");
        let observed = Observed { guarded, ..Observed::pair(canary, None) };
        assert_eq!(write_effect(&observed).outcome, Outcome::Native);
    }
}
