//! Every business, every state, every act: not a sample, the whole graph. The outside (attachments, signatures, handlers,
//! fees) is enumerated, and two officers work at the desk.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use proptest::prelude::*;

use super::table::{ROWS, limit};
use super::{Act, Actor, Case, Effect, Facts, Kind, State};

const ACTORS: [Actor; 4] = [Actor::Applicant, Actor::Officer(1), Actor::Officer(2), Actor::Desk];

fn acts() -> Vec<Act> {
    ROWS.iter().map(|row| row.act).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Every combination of what comes from outside.
fn outsides() -> impl Iterator<Item = Facts> {
    (0_u32..128).map(|bits| Facts {
        attachments_complete: bits & 1 != 0,
        has_fee: bits & 2 != 0,
        key_signed: bits & 4 != 0,
        certificate_valid: bits & 8 != 0,
        handler_same: bits & 16 != 0,
        handler_change_online: bits & 32 != 0,
        decrypted_first: bits & 64 != 0,
        fields_complete: true,
        ..Facts::default()
    })
}

/// All cases that can be reached, each with its successors. Time is always over: `Expire` is possible wherever it exists.
fn reachable(kind: Kind, outside: Facts) -> HashMap<Case, Vec<(Act, Actor, Case)>> {
    let still = |mut case: Case| {
        case.since = 0;
        case
    };
    let mut found = HashMap::new();
    let mut queue = VecDeque::from([Case::open(kind, outside, 0)]);
    while let Some(case) = queue.pop_front() {
        if found.contains_key(&case) {
            continue;
        }
        let mut next = Vec::new();
        for act in acts() {
            for actor in ACTORS {
                if let Ok(step) = case.apply(act, actor, i64::MAX) {
                    let after = still(step.after);
                    queue.push_back(after);
                    next.push((act, actor, after));
                }
            }
        }
        found.insert(case, next);
    }
    found
}

#[test]
fn nothing_is_activated_without_paper_and_two_officers() {
    let mut activations = 0;
    for kind in Kind::ALL {
        for outside in outsides() {
            for case in reachable(kind, outside).keys() {
                let facts = case.facts;
                let two = facts.first_officer.is_some() && facts.second_officer.is_some() && facts.first_officer != facts.second_officer;
                if matches!(case.state, State::Activatable | State::Activated) {
                    activations += 1;
                    assert!(two, "{case:?}");
                    // R12, R44: the existing key's signature stands for the paper, and for nothing else.
                    assert!(facts.paper_verified || (kind == Kind::Additional && facts.key_signed && facts.certificate_valid), "{case:?}");
                    assert!(facts.paid || !facts.has_fee, "{case:?}");
                    assert!(kind.activates());
                }
                if case.state == State::Installable {
                    // R58, R60: a renewal is signed by a valid key; a seal was seen by two officers.
                    let renewal = kind == Kind::Renewal && facts.key_signed && facts.certificate_valid && (facts.paid || !facts.has_fee);
                    assert!(renewal || two, "{case:?}");
                }
                if case.state == State::AwaitingCode {
                    assert!(facts.handler_same || two, "{case:?}");
                }
                if kind == Kind::Revoke && case.state == State::Done {
                    assert!(two && facts.paper_verified, "{case:?}");
                }
            }
        }
    }
    assert!(activations > 100, "the sweep saw only {activations}");
}

#[test]
fn an_impression_is_picked_before_anybody_agreed_and_never_after() {
    let mut picks = 0;
    for kind in Kind::ALL {
        for outside in outsides() {
            for (case, next) in reachable(kind, outside) {
                for (_, _, after) in next.iter().filter(|(act, _, _)| *act == Act::Pick) {
                    picks += 1;
                    // R31, R101: both agreements come after the pick, so that both cover it.
                    assert!(case.facts.first_officer.is_none() && case.facts.second_officer.is_none() && !case.facts.paper_verified, "{case:?}");
                    assert_eq!((after.state, after.facts), (case.state, case.facts));
                }
            }
        }
    }
    assert!(picks > 100, "the sweep saw only {picks}");
}

#[test]
fn every_case_that_is_not_over_has_a_way_on_and_a_way_to_the_end() {
    for kind in Kind::ALL {
        // The outside in good order: the way on must lead to the end, not only somewhere.
        let good = Facts {
            attachments_complete: true,
            key_signed: true,
            certificate_valid: true,
            decrypted_first: true,
            handler_change_online: true,
            fields_complete: true,
            ..Facts::default()
        };
        for outside in [good, Facts { has_fee: true, ..good }, Facts { handler_same: true, ..good }] {
            let graph = reachable(kind, outside);
            let mut ends: HashSet<Case> = graph.keys().filter(|case| case.state == State::Done).copied().collect();
            assert!(!ends.is_empty(), "{kind:?}");
            loop {
                let more: Vec<Case> = graph
                    .iter()
                    .filter(|(case, next)| !ends.contains(*case) && next.iter().any(|(_, _, after)| ends.contains(after)))
                    .map(|(case, _)| *case)
                    .collect();
                if more.is_empty() {
                    break;
                }
                ends.extend(more);
            }
            for (case, next) in &graph {
                if case.state.is_final() {
                    assert!(next.is_empty(), "{case:?} goes on with {next:?}");
                } else {
                    assert!(ends.contains(case), "{kind:?}: no way from {case:?} to the end");
                }
            }
        }
        // Whatever the outside is: somebody can always do something.
        for outside in outsides() {
            for (case, next) in reachable(kind, outside) {
                assert!(case.state.is_final() || !next.is_empty(), "stuck: {case:?}");
            }
        }
    }
}

#[test]
fn every_row_is_used_and_every_state_reached() {
    let mut states = BTreeSet::new();
    let mut used = HashSet::new();
    for kind in Kind::ALL {
        for outside in outsides() {
            for (case, next) in reachable(kind, outside) {
                states.insert(case.state);
                for (act, _, _) in next {
                    let row = ROWS
                        .iter()
                        .position(|row| row.act == act && row.from.contains(&case.state) && row.kinds.contains(&case.kind) && row.when.holds(&case, i64::MAX));
                    used.extend(row);
                }
            }
        }
    }
    assert_eq!(states, State::ALL.into_iter().collect());
    let unused: Vec<_> = (0..ROWS.len()).filter(|index| !used.contains(index)).map(|index| (ROWS[index].act, ROWS[index].from)).collect();
    assert!(unused.is_empty(), "{unused:?}");
    for row in ROWS {
        assert!(!row.cites.is_empty() && row.cites.iter().all(|requirement| (1..=105).contains(requirement)), "{row:?} says no reason");
    }
}

#[test]
fn names_are_read_back() {
    for kind in Kind::ALL {
        assert_eq!(Kind::from_name(kind.as_str()), Some(kind));
    }
    for state in State::ALL {
        assert_eq!(State::from_name(state.as_str()), Some(state));
    }
    for act in acts() {
        assert_eq!(Act::from_name(act.as_str()), Some(act));
    }
}

#[test]
fn time_runs_out_where_the_applicant_is_waited_for_and_comes_back() {
    for kind in Kind::ALL {
        let good = Facts {
            attachments_complete: true,
            fields_complete: true,
            has_fee: true,
            key_signed: true,
            certificate_valid: true,
            decrypted_first: true,
            ..Facts::default()
        };
        for case in reachable(kind, good).into_keys().filter(|case| limit(case.state).is_some() && case.state != State::TimedOut) {
            let end = case.deadline().unwrap();
            assert!(case.apply(Act::Expire, Actor::Desk, end - 1).is_err());
            let out = case.apply(Act::Expire, Actor::Desk, end).unwrap().after;
            assert_eq!(out.state, State::TimedOut);
            let back = out.apply(Act::Resume, Actor::Applicant, end + 1).unwrap().after;
            assert_eq!((back.state, back.facts), (case.state, case.facts), "resumed where it stood");
        }
    }
}

#[test]
fn what_was_paid_goes_back_when_nothing_comes_of_it() {
    for kind in Kind::ALL {
        for outside in outsides().filter(|outside| outside.has_fee) {
            for case in reachable(kind, outside).into_keys().filter(|case| case.facts.paid && !case.state.is_final()) {
                for act in acts() {
                    for actor in ACTORS {
                        if let Ok(step) = case.apply(act, actor, i64::MAX)
                            && matches!(step.after.state, State::Withdrawn | State::Closed)
                        {
                            assert!(step.effects.contains(&Effect::Refund), "{case:?} {act:?}");
                        }
                    }
                }
            }
        }
    }
}

proptest! {
    /// Any sequence of acts by anybody: a refusal changes nothing, and the same officer is never both.
    #[test]
    fn random_lives(kind in 0_usize..9, bits in 0_u32..128, steps in prop::collection::vec((0_usize..21, 0_usize..4, 0_i64..10_000_000), 0..60)) {
        let mut case = Case::open(Kind::ALL[kind], outsides().nth(bits as usize).unwrap(), 0);
        let (acts, mut now) = (acts(), 0_i64);
        for (act, actor, later) in steps {
            now += later;
            let before = case;
            match case.apply(acts[act % acts.len()], ACTORS[actor], now) {
                Ok(step) => {
                    prop_assert!(!before.state.is_final());
                    case = step.after;
                    prop_assert!(case.facts.second_officer.is_none() || case.facts.first_officer != case.facts.second_officer);
                }
                Err(_) => prop_assert_eq!(case, before),
            }
        }
    }
}
