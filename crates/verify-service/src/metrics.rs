//! Counts for the operator, in the text format of Prometheus. They name routes, statuses and codes, never a person.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::service::Service;

/// Upper bounds of the histogram, in seconds.
const BOUNDS: [f64; 9] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// What was counted since the start.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: Mutex<BTreeMap<(String, u16), u64>>,
    codes: Mutex<BTreeMap<&'static str, u64>>,
    times: Mutex<BTreeMap<String, Times>>,
}

#[derive(Debug, Default, Clone)]
struct Times {
    below: [u64; BOUNDS.len()],
    count: u64,
    seconds: f64,
}

impl Metrics {
    /// Counts a request. `route` is the route's pattern, so that there are only so many.
    pub(crate) fn request(&self, route: &str, status: u16, took: Duration) {
        let seconds = took.as_secs_f64();
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let count = requests.entry((route.to_owned(), status)).or_default();
        *count = count.saturating_add(1);
        drop(requests);
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let times = times.entry(route.to_owned()).or_default();
        times.count = times.count.saturating_add(1);
        times.seconds += seconds;
        for (bound, below) in BOUNDS.iter().zip(&mut times.below) {
            if seconds <= *bound {
                *below = below.saturating_add(1);
            }
        }
    }

    /// Counts a refusal.
    pub(crate) fn refusal(&self, code: &'static str) {
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        let count = codes.entry(code).or_default();
        *count = count.saturating_add(1);
    }

    /// The whole text.
    pub(crate) fn text(&self, service: &Service, audit_sequence: Option<i64>) -> String {
        let mut text = String::new();
        // Writing to a String can not fail.
        let mut line = |arguments: std::fmt::Arguments<'_>| {
            let _ = writeln!(text, "{arguments}");
        };
        line(format_args!("# HELP sealbridge_requests_total Requests by route and status.\n# TYPE sealbridge_requests_total counter"));
        for ((route, status), count) in &*self.requests.lock().unwrap_or_else(PoisonError::into_inner) {
            line(format_args!("sealbridge_requests_total{{route=\"{route}\",status=\"{status}\"}} {count}"));
        }
        line(format_args!("# HELP sealbridge_refusals_total Refusals by their stable code.\n# TYPE sealbridge_refusals_total counter"));
        for (code, count) in &*self.codes.lock().unwrap_or_else(PoisonError::into_inner) {
            line(format_args!("sealbridge_refusals_total{{code=\"{code}\"}} {count}"));
        }
        line(format_args!("# HELP sealbridge_request_seconds Time from the request to the answer.\n# TYPE sealbridge_request_seconds histogram"));
        for (route, times) in &*self.times.lock().unwrap_or_else(PoisonError::into_inner) {
            for (bound, below) in BOUNDS.iter().zip(&times.below) {
                line(format_args!("sealbridge_request_seconds_bucket{{route=\"{route}\",le=\"{bound}\"}} {below}"));
            }
            line(format_args!("sealbridge_request_seconds_bucket{{route=\"{route}\",le=\"+Inf\"}} {}", times.count));
            line(format_args!("sealbridge_request_seconds_sum{{route=\"{route}\"}} {:.6}", times.seconds));
            line(format_args!("sealbridge_request_seconds_count{{route=\"{route}\"}} {}", times.count));
        }
        let counts = service.database().writer().counts();
        for (name, help, value) in [
            ("sealbridge_commits_total", "Transactions that were committed.", counts.commits.load(Ordering::Relaxed)),
            ("sealbridge_writes_total", "Pieces of work in them.", counts.pieces.load(Ordering::Relaxed)),
            ("sealbridge_write_failures_total", "Pieces of work or transactions that failed.", counts.failures.load(Ordering::Relaxed)),
        ] {
            line(format_args!("# HELP {name} {help}\n# TYPE {name} counter\n{name} {value}"));
        }
        let counts = service.authorities().counts();
        for (name, help, value) in [
            ("sealbridge_authority_questions_total", "Questions that went out to certificates' authorities.", &counts.asked),
            ("sealbridge_authority_failures_total", "Of these, questions that were not answered.", &counts.failed),
            ("sealbridge_authority_kept_total", "Questions that were answered from what was kept.", &counts.kept),
            ("sealbridge_authority_kept_in_need_total", "Kept answers taken because their authority could not be reached.", &counts.kept_in_need),
        ] {
            let value = value.load(Ordering::Relaxed);
            line(format_args!("# HELP {name} {help}\n# TYPE {name} counter\n{name} {value}"));
        }
        let receiving = service.intake().receiving();
        line(format_args!("# HELP sealbridge_uploads Documents that are being received.\n# TYPE sealbridge_uploads gauge\nsealbridge_uploads {receiving}"));
        if let Some(sequence) = audit_sequence {
            line(format_args!(
                "# HELP sealbridge_audit_sequence The number of the last audit record.\n# TYPE sealbridge_audit_sequence counter\nsealbridge_audit_sequence {sequence}"
            ));
        }
        text
    }
}
