//! Three instances over one PostgreSQL, and the rules that its schema holds.

use sealbridge_verify_service::store::{audit, challenges};
use sqlx::Connection as _;

use crate::processes::{Postgres, Running};
use crate::races::over_sockets;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn three_instances_accept_one_token_once() {
    let Some(postgres) = Postgres::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let world = World::with(folder, &postgres.url(), |settings| settings).await;
    let running: Vec<_> = (0..3).map(|_| Running::start(&postgres.url(), world.folder.path())).collect();
    let addresses: Vec<_> = running.iter().map(|service| service.address.clone()).collect();
    over_sockets(&addresses, &world.key, &world).await;
    drop(running);
    // Every submission is in the one chain that three writers have made.
    let found = audit::check(&world.database).await.unwrap();
    assert_eq!(found.broken, None);
    assert!(found.rows > 10_000, "{}", found.rows);

    let mut connection = sqlx::PgConnection::connect(&postgres.url()).await.unwrap();
    for (statement, said) in [
        ("UPDATE audit SET outcome = 'ok' WHERE sequence = 3", "never changed"),
        ("DELETE FROM audit WHERE sequence = 3", "until their time is over"),
        ("TRUNCATE audit", "until their time is over"),
    ] {
        let error = sqlx::query(statement).execute(&mut connection).await.unwrap_err().to_string();
        assert!(error.contains(said), "{statement}: {error}");
    }
    challenges::sweep(&world.database, world.now(), 1 << 20).await.unwrap();
    world.database.close().await;
}
