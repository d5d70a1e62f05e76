//! The hash chain and the rations: vectors whose values another program has computed, and walks over every spoilt chain.

use std::process::Command;

use sealbridge_relying_party::chain::{BEGINNING, Walk, Why, digest, link};
use sealbridge_relying_party::ration::{Bucket, Taken};

#[test]
fn digests_and_links_are_what_python_computes() {
    let fields = ["", "1", "账号", "a\nb", "1:x\n"];
    let script = "import hashlib,sys\nb=b''.join(b'%d:%s\\n'%(len(f),f) for f in (a.encode() for a in sys.argv[1:]))\nd=hashlib.sha256(b).hexdigest()\n\
                  print(d, hashlib.sha256(('sealbridge-chain-1\\n'+'0'*64+'\\n'+d+'\\n').encode()).hexdigest())";
    let output = Command::new("python3").args(["-c", script, "domain"]).args(fields).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (expected_digest, expected_link) = text.trim().split_once(' ').unwrap();
    let found = digest("domain", &fields);
    assert_eq!((found.as_str(), link(BEGINNING, &found).as_str()), (expected_digest, expected_link));
    // No two lists of fields have the same bytes.
    assert_ne!(digest("d", &["a", "b"]), digest("d", &["ab", ""]));
    assert_ne!(digest("d", &["a"]), digest("da", &[]));
    assert_ne!(digest("d", &["1:a\n"]), digest("d", &["a"]));
}

#[test]
fn a_walk_stops_where_something_is_wrong() {
    let mut rows = Vec::new();
    let mut head = BEGINNING.to_owned();
    for sequence in 1..=6_i64 {
        let digest = digest("d", &[&sequence.to_string()]);
        let hash = link(&head, &digest);
        rows.push((sequence, head, digest, hash.clone()));
        head = hash;
    }
    let walk = |rows: &[(i64, String, String, String)]| {
        let mut walk = Walk::default();
        for (sequence, previous, digest, hash) in rows {
            walk.step(*sequence, previous, digest, hash).map_err(|why| (walk.next(), why))?;
        }
        Ok((walk.rows(), walk.head().to_owned()))
    };
    assert_eq!(walk(&rows), Ok((6, head)));
    for index in 0..rows.len() {
        let at = i64::try_from(index).unwrap() + 1;
        let mut removed = rows.clone();
        removed.remove(index);
        assert_eq!(walk(&removed).is_ok(), index == 5, "only a cut at the end is a whole chain");
        let mut changed = rows.clone();
        changed[index].2 = digest("d", &["other"]);
        assert_eq!(walk(&changed), Err((at, Why::Changed)));
        let mut renumbered = rows.clone();
        renumbered[index].0 += 1;
        assert_eq!(walk(&renumbered), Err((at, Why::Gap)));
        let mut rewritten = rows.clone();
        rewritten[index].2 = digest("d", &["other"]);
        rewritten[index].3 = link(&rewritten[index].1, &rewritten[index].2);
        assert_eq!(walk(&rewritten).is_ok(), index == 5, "a rewritten record breaks the next one");
    }
}

#[test]
fn a_bucket_runs_dry_and_fills_at_its_own_pace() {
    const SECOND: i64 = 1_000_000;
    let bucket: Bucket = "3/10".parse().unwrap();
    let mut stored = None;
    for (at, expected) in [
        (1000, Ok(2)),
        (1000, Ok(1)),
        (1000, Ok(0)),
        (1000, Err(10)),
        // Asking again while it is dry makes nothing worse.
        (1004, Err(6)),
        (1009, Err(1)),
        (1010, Ok(0)),
        (1031, Ok(1)),
        (9000, Ok(2)),
        // The clock is set back by two hours: nobody waits two hours for it.
        (1800, Ok(2)),
        (1800, Ok(1)),
    ] {
        let found = match bucket.take(stored, at * SECOND) {
            Taken::Allowed { full_at, left } => {
                stored = Some(full_at);
                Ok(left)
            }
            Taken::Wait { seconds } => Err(seconds),
        };
        assert_eq!(found, expected, "at {at}");
    }
    assert_eq!("2000*1000".parse(), Ok(Bucket { burst: 2000, step_micros: 1000 }));
    for wrong in ["", "20", "0/3", "20/0", "-1/3", "20/3/1", "20 / 3", "99999999999999999999/1", "1/86401", "1*0", "1*1000001", "1*2/3"] {
        assert!(wrong.parse::<Bucket>().is_err(), "{wrong}");
    }
}
