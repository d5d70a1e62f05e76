//! Logging in with the key in a browser, from the page's call to the portal's answer that the session is signed in: once with
//! everything running, once with the native host to be started, and in Chromium once with the extension's background too.

use serde_json::json;

use super::Login;
use super::driven::{self, Line};
use super::figures::{Moments, quantile, rounded, window};
use crate::steps::Failure;

/// `cargo xtask bench login`.
pub(super) fn run(options: &Login) -> Result<(), Failure> {
    driven::ready(options.browser, options.no_build)?;
    let mut starts: Vec<(String, Vec<Moments>)> = Vec::new();
    driven::measure(options.browser, "login", &["--count", &options.count.to_string()], &mut |line| {
        let Line::Login { start, moments } = line else { return };
        match starts.iter_mut().find(|(name, _)| *name == start) {
            Some((_, logins)) => logins.push(moments),
            None => starts.push((start, vec![moments])),
        }
    })?;
    for (start, logins) in &starts {
        let row = figures(logins);
        let shown = |value: Option<f64>| value.map_or_else(|| String::from("-"), |value| format!("{value:.1} ms"));
        if options.json {
            println!(
                "{}",
                json!({
                    "what": "login",
                    "browser": options.browser.as_str(),
                    "start": start,
                    "count": logins.len(),
                    "p50Ms": row.p50.map(rounded),
                    "p95Ms": row.p95.map(rounded),
                    "tokenP50Ms": row.token.map(rounded),
                    "windowP50Ms": row.window.map(rounded),
                })
            );
        } else {
            println!(
                "{start:<16} {:>4} logins  p50 {:>9}  p95 {:>9}   p50 until the token {:>9}, of it the PIN window {:>9}",
                logins.len(),
                shown(row.p50),
                shown(row.p95),
                shown(row.token),
                shown(row.window)
            );
        }
    }
    Ok(())
}

/// Milliseconds.
#[derive(Debug, PartialEq)]
struct Row {
    p50: Option<f64>,
    p95: Option<f64>,
    /// Until the page has its token; the rest is the portal.
    token: Option<f64>,
    /// While the PIN window was up.
    window: Option<f64>,
}

fn figures(logins: &[Moments]) -> Row {
    let of = |value: &dyn Fn(&Moments) -> Option<f64>| -> Vec<f64> { logins.iter().filter_map(value).collect() };
    let whole = of(&|moments| moments.get("session").copied());
    Row {
        p50: quantile(&whole, 0.5),
        p95: quantile(&whole, 0.95),
        token: quantile(&of(&|moments| moments.get("token").copied()), 0.5),
        window: quantile(&of(&window), 0.5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_login_counts_with_the_portals_answer() {
        let login = |extra: u32| -> Moments {
            let all = [("consent", 6.0), ("pin", 7.0), ("signing", 12.0), ("token", 20.0), ("session", 25.0)];
            all.into_iter().map(|(name, at)| (name.to_owned(), at + f64::from(extra))).collect()
        };
        let logins: Vec<Moments> = (0..20).map(login).collect();
        assert_eq!(figures(&logins), Row { p50: Some(34.0), p95: Some(43.0), token: Some(29.0), window: Some(5.0) });
        assert_eq!(figures(&[]).p95, None);
    }
}
