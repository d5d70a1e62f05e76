//! The audit log: what is recorded, who sees it, and that a changed past shows.

use serde_json::json;

use crate::world::{CREDIT_CODE, PASSWORD, Visitor, World};

async fn check(visitor: &mut Visitor) -> serde_json::Value {
    visitor.get("/api/audit/check").await.json()
}

#[tokio::test]
async fn rows_are_added_and_seen_by_their_owner() {
    let world = World::new().await;
    let key = world.key(20, Some(CREDIT_CODE));
    let mut alpha = world.bound("alpha", &key).await;
    let mut gamma = world.visitor();
    gamma.sign_in("gamma", "wrong password").await;
    gamma.sign_in("gamma", PASSWORD).await;
    gamma.get("/").await;
    let page = alpha.get("/audit").await.text();
    assert!(page.contains("绑定") && page.contains(&key.leaf().serial_hex()), "{page}");
    assert!(!page.contains("gamma"), "another account's records");
    let page = gamma.get("/audit").await.text();
    assert!(page.contains("password-incorrect") && !page.contains("alpha"));
    let mut omega = world.signed_in("omega").await;
    let page = omega.get("/audit").await.text();
    assert!(page.contains("alpha") && page.contains("gamma"), "an auditor sees all");
    for secret in [PASSWORD, "wrong password", "argon2", "eyJ"] {
        assert!(!page.contains(secret), "{secret}");
    }
    let found = check(&mut alpha).await;
    assert_eq!((found["ok"].clone(), found["rows"].clone()), (json!(true), json!(5)));
}

#[tokio::test]
async fn the_database_refuses_to_change_the_past() {
    let world = World::new().await;
    world.signed_in("alpha").await;
    let mut intruder = world.intruder().await;
    for statement in ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit"] {
        let error = sqlx::query(statement).execute(&mut intruder).await.unwrap_err().to_string();
        assert!(error.contains("never"), "{error}");
    }
}

#[tokio::test]
async fn a_changed_past_shows() {
    for (statements, at) in [
        (&["UPDATE audit SET outcome = 'ok' WHERE sequence = 2"][..], 2),
        (&["UPDATE audit SET at = at + 1 WHERE sequence = 1"], 1),
        (&["UPDATE audit SET account = NULL WHERE sequence = 3"], 3),
        (&["DELETE FROM audit WHERE sequence = 2"], 3),
        (&["DELETE FROM audit WHERE sequence = 1"], 2),
        (
            &[
                "UPDATE audit SET sequence = 99 WHERE sequence = 2",
                "UPDATE audit SET sequence = 2 WHERE sequence = 3",
                "UPDATE audit SET sequence = 3 WHERE sequence = 99",
            ],
            2,
        ),
    ] {
        let world = World::new().await;
        let mut alpha = world.visitor();
        alpha.sign_in("alpha", PASSWORD).await;
        world.visitor().sign_in("alpha", "wrong password").await;
        world.signed_in("alpha").await;
        alpha.get("/").await;
        assert_eq!(check(&mut alpha).await["ok"], true);
        let mut intruder = world.intruder().await;
        sqlx::query("DROP TRIGGER audit_no_update").execute(&mut intruder).await.unwrap();
        sqlx::query("DROP TRIGGER audit_no_delete").execute(&mut intruder).await.unwrap();
        for statement in statements {
            sqlx::query(*statement).execute(&mut intruder).await.unwrap();
        }
        let found = check(&mut alpha).await;
        assert_eq!((found["ok"].clone(), found["broken"].clone()), (json!(false), json!(at)), "{statements:?}");
    }
}
